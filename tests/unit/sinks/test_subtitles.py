"""The subtitle sink: cues of label changes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from livemood.core.errors import SinkError
from livemood.sinks.subtitles import SubtitleSink
from tests.support.builders import make_frame, make_mood


def write(path: Path, frames: Mapping[float, Mapping[int, str]]) -> str:
    """Write the labels of each person at each time (s); return the file's text."""
    with SubtitleSink(path) as sink:
        for index, (time_s, labels) in enumerate(frames.items()):
            sink.write(make_frame(index=index, time_s=time_s), [make_mood(t, label) for t, label in labels.items()])
    return path.read_text(encoding="utf-8")


def test_srt_when_a_label_changes_then_the_next_cue_starts_there(tmp_path: Path) -> None:
    text = write(tmp_path / "a.srt", {0.0: {1: "happy"}, 0.5: {1: "happy"}, 1.0: {1: "sad"}, 3661.25: {1: "sad"}})
    assert text == (
        "1\n00:00:00,000 --> 00:00:01,000\nperson 1: happy\n\n"
        # The last frame lasts as long as the one before it.
        "2\n00:00:01,000 --> 02:02:01,500\nperson 1: sad\n\n"
    )


def test_vtt_when_two_people_overlap_then_one_cue_holds_a_line_for_each(tmp_path: Path) -> None:
    text = write(
        tmp_path / "a.vtt",
        {0.0: {1: "happy"}, 1.0: {2: "sad", 1: "happy"}, 2.0: {2: "sad"}, 3.0: {}, 4.0: {}},
    )
    assert text == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.000\nperson 1: happy\n\n"
        "00:00:01.000 --> 00:00:02.000\nperson 1: happy\nperson 2: sad\n\n"
        "00:00:02.000 --> 00:00:03.000\nperson 2: sad\n\n"
    )


def test_cue_when_a_face_is_missed_for_a_moment_then_it_goes_on(tmp_path: Path) -> None:
    text = write(tmp_path / "a.srt", {0.0: {1: "fear"}, 0.2: {}, 0.4: {1: "fear"}, 0.6: {}, 2.0: {1: "fear"}, 2.5: {}})
    assert [line for line in text.splitlines() if "-->" in line] == [
        "00:00:00,000 --> 00:00:00,600",
        "00:00:02,000 --> 00:00:02,500",
    ]


def test_vtt_when_a_label_holds_markup_then_it_is_escaped(tmp_path: Path) -> None:
    assert "person 1: &lt;b&gt; &amp; co" in write(tmp_path / "a.vtt", {0.0: {1: "<b> & co"}, 1.0: {}})


def test_file_when_nobody_was_seen_then_it_is_valid_and_empty(tmp_path: Path) -> None:
    assert write(tmp_path / "a.srt", {0.0: {}}) == ""
    assert write(tmp_path / "a.vtt", {0.0: {}}) == "WEBVTT\n\n"


def test_cue_when_the_clip_has_one_frame_then_it_has_a_length(tmp_path: Path) -> None:
    assert "00:00:05,000 --> 00:00:06,000" in write(tmp_path / "a.srt", {5.0: {1: "happy"}})


def test_file_when_an_error_ends_the_block_then_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), SubtitleSink(tmp_path / "a.srt") as sink:
        sink.write(make_frame(), [make_mood(1)])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_file_when_interrupted_then_the_cues_so_far_are_kept(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), SubtitleSink(tmp_path / "a.srt") as sink:
        sink.write(make_frame(), [make_mood(1, "happy")])
        raise KeyboardInterrupt
    assert "person 1: happy" in (tmp_path / "a.srt").read_text()


def test_sink_when_the_suffix_is_unknown_then_the_two_are_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"\.srt or \.vtt"):
        SubtitleSink(tmp_path / "a.txt")


def test_sink_when_the_file_is_there_then_only_force_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("kept")
    with pytest.raises(SinkError, match=r"is there already; use force or another subtitles"):
        SubtitleSink(path)
    assert path.read_text() == "kept"
    SubtitleSink(path, force=True).close()
    assert path.read_text() == ""


def test_write_when_the_sink_is_closed_then_it_is_refused(tmp_path: Path) -> None:
    sink = SubtitleSink(tmp_path / "a.srt")
    sink.close()
    with pytest.raises(ValueError, match="closed"):
        sink.write(make_frame(), [])


def test_cue_when_a_frame_is_no_whole_number_of_ms_then_it_begins_with_that_frame_not_after_it(tmp_path: Path) -> None:
    rate = 24000 / 1001
    text = write(tmp_path / "a.srt", {index / rate: {1: "happy" if index < 13 else "sad"} for index in range(25)})
    # Frame 13 is shown from 542.208 ms on, frame 25 would be from 1042.708 ms on.
    assert "00:00:00,000 --> 00:00:00,542" in text
    assert "00:00:00,542 --> 00:00:01,042" in text

"""Markers of real clips, and markers made from records."""

import json
import re
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio as otio
import pympi
import pytest
import textgrids

from livemood.apps.markers import write_markers
from livemood.cli import run
from livemood.core.errors import LivemoodError, SinkError
from livemood.core.labels import EMOTIONS
from livemood.sinks.markers.base import clip_of
from livemood.sinks.markers.sink import MarkerSink
from livemood.sinks.records import open_records
from livemood.sources.video.file import VideoSource
from tests.support.builders import SAMPLES, make_frame, make_mood

LIVEMOOD = Path(sys.executable).with_name("livemood")
NTSC = Fraction(30000, 1001)


def write_timed(path: Path, rate: Fraction, timecode: str | None, first: int = 0, frames: int = 60) -> Path:
    """Write a clip that begins ``first`` frames after 0, with a timecode track if wanted."""
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        if timecode:
            container.metadata["timecode"] = timecode
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * index, np.uint8), "bgr24")
            frame.pts, frame.time_base = first + index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def label(index: int) -> str:
    """Return the label of each frame: one that lasts for seven frames, then others."""
    return EMOTIONS[index // 7 % len(EMOTIONS)]


def starts(path: Path) -> list[int]:
    """Return the first frame of each marker as OpenTimelineIO reads them."""
    timeline: Any = otio.adapters.read_from_file(str(path))
    (clip,) = timeline.find_clips()
    return [round(marker.marked_range.start_time.value) for marker in clip.markers]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("rate", "timecode", "first"),
    [
        (Fraction(24000, 1001), "01:00:00:00", 86_400),
        (Fraction(25), None, 0),
        (NTSC, "00:59:59;20", 107_882),
        (Fraction(60), "00:00:10:30", 630),
    ],
)
def test_markers_of_a_clip_then_begin_at_its_own_frames_and_timecode(tmp_path, suffix, rate, timecode, first) -> None:
    clip = write_timed(tmp_path / f"a{suffix}", rate, timecode, first=2)
    with VideoSource(clip) as source, MarkerSink(tmp_path / "a.otio", clip_of(source.info, "clip")) as sink:
        assert source.info.timecode == timecode
        for frame in source.frames():
            sink.write(frame, [make_mood(1, label(frame.index))])
    assert starts(tmp_path / "a.otio") == [first + index for index in range(0, 60, 7)]


def test_markers_of_a_cut_then_still_count_the_frames_of_the_whole_clip(tmp_path) -> None:
    clip = write_timed(tmp_path / "a.mp4", Fraction(25), "10:00:00:00")
    with (
        VideoSource(clip, start_s=1.0) as source,
        MarkerSink(tmp_path / "a.otio", clip_of(source.info, "clip")) as sink,
    ):
        for frame in source.frames():
            sink.write(frame, [make_mood(1, label(frame.index))])
    assert starts(tmp_path / "a.otio") == [900_025 + index for index in range(0, 35, 7)]


def write_rows(path: Path, rate: Fraction = NTSC, frames: int = 60) -> Path:
    """Write the records of a person who looks away in frames 10 to 29, and of an event at frame 40."""
    with open_records(path, EMOTIONS) as sink:
        for index in range(frames):
            frame = make_frame(8, 8, index=index, time_s=float(index / rate))
            sink.write(frame, [] if 10 <= index < 30 else [make_mood(1, label(index))])
            if index == 40:
                sink.mark(frame, 1)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_markers_from_records_then_rate_and_absence_are_read_off_their_frames(tmp_path, suffix) -> None:
    write_markers(write_rows(tmp_path / f"a{suffix}"), tmp_path / "a.otio", timecode="01:00:00;00")
    timeline: Any = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    (clip,) = timeline.find_clips()
    found = [(m.marked_range.start_time.value - 107_892, m.marked_range.duration.value, m.name) for m in clip.markers]
    assert clip.source_range.duration.rate == float(NTSC)
    assert clip.source_range.duration.value == 60
    said = [(0, 7), (7, 3), (30, 5), (35, 7), (42, 7), (49, 7), (56, 4)]
    assert found == sorted([*((s, n, f"person 1: {label(s)}") for s, n in said), (40, 1, "event 1")])


def test_markers_from_records_when_nobody_is_seen_at_the_end_then_they_last_as_long_as_the_video(tmp_path) -> None:
    video = write_timed(tmp_path / "a.mp4", Fraction(25), None, frames=60)
    records = write_rows(tmp_path / "a.jsonl", Fraction(25), frames=10)
    for name in ("a.otio", "a.TextGrid"):
        write_markers(records, tmp_path / name, video=video)
    timeline: Any = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    (clip,) = timeline.find_clips()
    assert clip.source_range.duration.value == clip.available_range().duration.value == 60
    assert [marker.marked_range.duration.value for marker in clip.markers] == [7, 3]
    assert "xmax = 2.4 " in (tmp_path / "a.TextGrid").read_text().splitlines()


@pytest.mark.parametrize("late_frames", [0.4, 0.0, -0.4])
def test_markers_of_a_cut_between_two_frames_then_the_nearer_one_is_its_first(tmp_path, late_frames) -> None:
    start_s = float((7 + Fraction(late_frames)) / NTSC)
    write_markers(write_rows(tmp_path / "a.jsonl"), tmp_path / "a.otio", start_s=start_s)
    assert starts(tmp_path / "a.otio")[:2] == [0, 23]
    write_markers(tmp_path / "a.jsonl", tmp_path / "a.boris", start_s=start_s)
    (told,) = json.loads((tmp_path / "a.boris").read_text())["observations"].values()
    assert 0 <= min(event[0] for event in told["events"]) < 0.5 / NTSC


def test_markers_when_an_event_comes_out_of_order_then_all_else_is_as_without_it(tmp_path) -> None:
    """The browser page marks the frame on the screen when later ones have been read."""
    lines = write_rows(tmp_path / "a.jsonl").read_text().splitlines(keepends=True)
    (event,) = [line for line in lines if '"event": 1' in line]
    lines.remove(event)
    (tmp_path / "b.jsonl").write_text("".join([*lines[:25], event, *lines[25:]]))
    (tmp_path / "c.jsonl").write_text("".join([*lines, event]))
    (tmp_path / "d.jsonl").write_text("".join([event, *lines]))
    for name in "abcd":
        write_markers(tmp_path / f"{name}.jsonl", tmp_path / f"{name}.eaf")
    assert len({path.read_text().partition("<HEADER")[2] for path in tmp_path.glob("*.eaf")}) == 1


@pytest.mark.parametrize(
    ("first", "frames", "found"), [(30, 30, [0, 5, 10, 12, 19, 26]), (33, 20, [0, 2, 7, 9, 16]), (0, 12, [0, 7])]
)
def test_markers_from_records_when_the_video_is_a_cut_then_they_begin_and_end_with_it(
    tmp_path, first, frames, found
) -> None:
    video = write_timed(tmp_path / "cut.mp4", NTSC, None, frames=frames)
    records, start_s = write_rows(tmp_path / "a.jsonl"), float(first / NTSC)
    write_markers(records, tmp_path / "a.otio", video=video, start_s=start_s)
    assert starts(tmp_path / "a.otio") == found
    timeline: Any = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    (clip,) = timeline.find_clips()
    assert clip.source_range.duration.value <= frames


@pytest.mark.parametrize("suffix", [".TextGrid", ".eaf", ".boris"])
def test_markers_when_the_records_begin_before_the_clip_then_no_time_is_below_0(tmp_path, suffix) -> None:
    out = tmp_path / f"a{suffix}"
    write_markers(write_rows(tmp_path / "a.jsonl"), out, start_s=float(Fraction(8) / NTSC))
    if suffix == ".TextGrid":
        (tier, _) = textgrids.TextGrid(str(out)).values()
        assert (tier[0].xmin, tier[0].text) == (0, EMOTIONS[1])
        assert all(one.xmin < one.xmax for one in tier)
    elif suffix == ".eaf":
        times = sorted(pympi.Elan.Eaf(str(out)).get_annotation_data_for_tier("person 1"))
        assert times[0][0] == 0
        assert all(one[1] <= other[0] for one, other in pairwise(times))
    else:
        (observation,) = json.loads(out.read_text())["observations"].values()
        assert min(event[0] for event in observation["events"]) == 0


def test_markers_when_the_cut_begins_after_the_records_then_a_note_says_that_there_are_none(tmp_path) -> None:
    records, out = write_rows(tmp_path / "a.jsonl"), tmp_path / "a.otio"
    with pytest.warns(UserWarning, match=r"a\.otio contains no markers, because .*a\.jsonl has no row within the clip"):
        write_markers(records, out, start_s=60)
    assert starts(out) == []


def test_markers_of_any_rate_when_the_format_has_timecode_then_a_note_says_for_which_timeline(tmp_path) -> None:
    records, rate = write_rows(tmp_path / "a.jsonl", Fraction(25, 2)), 13
    write_markers(records, tmp_path / "a.otio")
    with pytest.warns(UserWarning, match=rf"a\.edl is for a timeline of {rate} frames per second"):
        write_markers(records, tmp_path / "a.edl")
    codes = re.findall(r"^\d+ .* C +00:00:(\d\d):(\d\d) ", (tmp_path / "a.edl").read_text(), re.MULTILINE)
    counted = [rate * int(seconds) + int(frames) for seconds, frames in codes]
    assert counted == [round(rate * start / 12.5) for start in starts(tmp_path / "a.otio")]


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> Path:
    """A folder with subtitles, markers and records of the sample, made by one run."""
    folder = tmp_path_factory.mktemp("labelled")
    files = ("--subtitles", "a.srt", "--markers", "a.eaf", "--records", "a.jsonl")
    done = subprocess.run(
        [LIVEMOOD, "video", SAMPLES / "faces.mp4", "--out", "a.mp4", "--start", "1", *files],
        cwd=folder, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "markers: a.eaf" in done.stdout
    return folder


def test_video_then_markers_and_subtitles_tell_the_same_intervals(labelled) -> None:
    eaf = pympi.Elan.Eaf(str(labelled / "a.eaf"))
    tiers = [eaf.get_annotation_data_for_tier(name) for name in eaf.get_tier_names()]
    assert len(tiers) == 2
    moments = {ms for tier in tiers for start, end, _ in tier for ms in (start - 1000, end - 1000)}
    cues = [line for line in (labelled / "a.srt").read_text().splitlines() if "-->" in line]
    clocks = [clock.replace(",", ".").split(":") for line in cues for clock in line.split(" --> ")]
    said = {round(1000 * (int(hours) * 3600 + int(minutes) * 60 + float(s))) for hours, minutes, s in clocks}
    # Subtitles begin in the last whole ms before a frame, ELAN's annotations in the first one of it.
    assert len(said) == len(moments) > 2
    assert all(0 <= later - sooner <= 1 for sooner, later in zip(sorted(said), sorted(moments), strict=True))


def test_markers_command_then_records_lead_to_the_file_that_the_run_wrote(labelled, tmp_path, capsys) -> None:
    words = ["markers", labelled / "a.jsonl", "--out", tmp_path / "b.eaf", "--video", SAMPLES / "faces.mp4"]
    assert run([str(word) for word in words]) == 0
    assert capsys.readouterr().out == f"markers: {tmp_path / 'b.eaf'}\n"
    ours, theirs = ((path.read_text().split("<HEADER")[1]) for path in (tmp_path / "b.eaf", labelled / "a.eaf"))
    assert ours == theirs


def test_markers_command_when_a_start_is_given_then_times_are_those_of_the_cut(tmp_path) -> None:
    records = write_rows(tmp_path / "a.jsonl")
    for name, words in (("whole", []), ("cut", ["--start", "0:00.5"])):
        assert run(["markers", str(records), "--out", str(tmp_path / f"{name}.otio"), *words]) == 0
    write_markers(records, tmp_path / "wanted.otio", start_s=0.5)
    assert starts(tmp_path / "cut.otio") == starts(tmp_path / "wanted.otio") != starts(tmp_path / "whole.otio")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--out", "a.txt"], 1, "give --out a name that does"),
        (["--out", "a.edl", "--fps", "fast"], 2, "'fast' is not a frame rate; write 25, 23.976 or 30000/1001"),
        (["--out", "a.edl", "--fps", "25", "--timecode", "01:00:00;00"], 1, "drop-frame timecode is for 29.97"),
        (["--out", "a.edl", "--timecode", "noon"], 1, "'noon' is not a timecode"),
        (["--out", "a.edl", "--video", "b.mp4"], 1, "b.mp4 is not there"),
        (["--out", "a.jsonl"], 1, "is one of the inputs"),
        (["--out", "/proc/a.edl"], 1, "could not be written (No such file or directory); try another --out"),
    ],
)
def test_markers_command_when_something_is_wrong_then_one_line_and_no_file(
    tmp_path, monkeypatch, capsys, words, code, said
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "a.jsonl")
    assert run(["markers", "a.jsonl", *words]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_markers_when_the_records_are_none_then_no_file_is_left(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text("hello\n")
    with pytest.raises(LivemoodError, match="is not a record file"):
        write_markers(tmp_path / "a.jsonl", tmp_path / "a.edl")
    write_rows(tmp_path / "b.jsonl")
    (tmp_path / "b.edl").write_text("kept")
    with pytest.raises(SinkError, match="is there already"):
        write_markers(tmp_path / "b.jsonl", tmp_path / "b.edl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.edl", "b.jsonl"]
    assert (tmp_path / "b.edl").read_text() == "kept"

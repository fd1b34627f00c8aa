from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livemood.sinks.video.writer import VideoSink
from livemood.sources.video.file import VideoSource
from tests.support.builders import Sound, write_film


def copied(clip: Path, out: Path, start_s: float = 0.0, duration_s: float | None = None) -> list[str]:
    """Copy a film, or a cut of it, and return the notes."""
    with VideoSource(clip, start_s, duration_s) as source, VideoSink(out, source.info) as sink:
        for frame in source.frames():
            sink.write(frame, (), frame.image)
    return sink.warnings


def cues(path: Path) -> list[tuple[float, float, str]]:
    """Beginning, length in s, and text of each cue that is not empty."""
    with av.open(str(path)) as container:
        stream: Any = container.streams.subtitles[0]
        unit = stream.time_base
        return [
            (float(packet.pts * unit), float(packet.duration * unit), bytes(packet)[2:].decode())
            for packet in container.demux(stream)
            if packet.size > 2
        ]


def clicks(path: Path) -> int:
    """Number of loud pieces of 20 ms of the sound."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", 48_000, 960)
        pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    return sum(bool(np.abs(piece.to_ndarray()).max() > 0.4) for piece in pieces)


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_subtitles_when_they_overlap_then_are_shown_together_and_none_comes_late(tmp_path: Path, ending: str) -> None:
    said = [(100, 200, "one"), (400, 900, "long"), (600, 100, "short"), (1400, 300, "two")]
    clip = write_film(tmp_path / "clip.mkv", range(40), cues=said)
    out = tmp_path / f"out{ending}"
    assert copied(clip, out) == []
    assert cues(out) == [
        (0.1, 0.2, "one"),
        (0.4, 0.2, "long"),
        (0.6, 0.1, "long\nshort"),
        (0.7, 0.6, "long"),
        (1.4, 0.3, "two"),
    ]


@pytest.mark.parametrize(("start_s", "begins"), [(0.0, [0.1, 0.7, 1.4]), (0.5, [0.2, 0.9])])
def test_subtitles_when_they_are_bitmaps_without_a_length_then_are_kept(
    tmp_path: Path, start_s: float, begins: list[float]
) -> None:
    page = "\x20\x00\x0f\x10\x00\x01\x00\x02\x01\x10\x7f"
    clip = write_film(
        tmp_path / "clip.mkv",
        range(40),
        cues=[(time, 0, page) for time in (100, 700, 1400)],
        cue_codec="dvb_subtitle",
    )
    out = tmp_path / "out.mkv"
    assert copied(clip, out, start_s) == []
    with av.open(str(out)) as container:
        packets = [packet for packet in container.demux(subtitles=0) if packet.size]
        assert [float(packet.pts * packet.time_base) for packet in packets] == begins  # type: ignore[operator]


def test_sound_when_the_file_does_not_say_how_long_packets_are_then_is_kept_to_the_edges(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(60), sounds=[Sound("wavpack", lasts_s=3.0, click_s=1.7)])
    with av.open(str(clip)) as container:
        assert {packet.duration for packet in container.demux(audio=0) if packet.size} == {0}
    out = tmp_path / "out.mp4"
    assert copied(clip, out) == [f"re-encoded the sound of {clip}: MP4 does not support wavpack"]
    assert clicks(out) == 1
    cut = tmp_path / "cut.mp4"
    assert copied(clip, cut, 1.6) == [f"re-encoded the sound of {clip}: MP4 does not support wavpack"]
    assert clicks(cut) == 1


@pytest.mark.parametrize(("start_s", "duration_s"), [(1.5, None), (0.0, 0.2)])
def test_sound_when_it_lies_outside_the_cut_then_is_not_called_empty(
    tmp_path: Path, start_s: float, duration_s: float | None
) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(40), sounds=[Sound("ac3", lasts_s=0.5, starts_s=0.5)])
    assert copied(clip, tmp_path / "out.mp4", start_s, duration_s) == [f"no sound of {clip} lies within the cut"]


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize(("told", "start_s", "expected"), [
    ("10:00:00:00", 0.0, "10:00:00:00"),
    ("10:00:00:00", 1.25, "10:00:01:05"),
    ("nothing", 1.25, None),
])  # fmt: skip
def test_timecode_when_the_source_is_cut_then_is_that_of_the_first_frame(
    tmp_path: Path, ending: str, told: str, start_s: float, expected: str | None
) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(40), Fraction(1, 20), tags={"timecode": told})
    out = tmp_path / f"out{ending}"
    copied(clip, out, start_s)
    with av.open(str(out)) as container:
        tags = container.metadata | container.streams.video[0].metadata
    assert {name.lower(): value for name, value in tags.items()}.get("timecode") == expected


def several_keys(stream: Any) -> None:
    stream.codec_context.gop_size, stream.codec_context.max_b_frames = 10, 3


@pytest.mark.parametrize(
    ("name", "picture", "sound", "out"),
    [
        ("clip.mkv", "libx264", "aac", "out.mp4"),
        ("clip.mkv", "libx264", "mp2", "out.mp4"),
        ("clip.webm", "libvpx-vp9", "libopus", "out.webm"),
    ],
)
def test_sound_and_subtitles_when_recordings_were_joined_then_stay_in_step_with_the_picture(
    tmp_path: Path, name: str, picture: str, sound: str, out: str
) -> None:
    heard = Sound(sound, lasts_s=1.5, click_s=1.0)  # shorter than the picture
    said = [] if name.endswith("webm") else [(500, 400, "said")]
    clip = write_film(tmp_path / name, range(40), codec=picture, sounds=[heard], cues=said, set_up=several_keys)
    joined, copy = tmp_path / f"joined{clip.suffix}", tmp_path / out
    joined.write_bytes(clip.read_bytes() * 2)
    notes = copied(joined, copy)
    assert notes[-2:] == [
        f"the sound of {joined} has broken times; they were repaired",
        f"the sound of {joined} ends 0.5 s before the picture",
    ]
    with av.open(str(copy)) as container:
        loud = [
            float(frame.time or 0)
            for frame in container.decode(audio=0)
            if np.abs(frame.to_ndarray()).max() > 0.4  # within 25 ms of the click
        ]
    assert [round(time, 1) for time in (loud[0], loud[-1])] == [1.0, 3.0]
    if said:
        assert cues(copy) == [(0.5, 0.4, "said"), (2.5, 0.4, "said")]

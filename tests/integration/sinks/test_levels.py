"""What a copy declares: profile, level and rate that its frames need, and that phones and TVs play."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from livemood.core.settings import Codec
from livemood.core.types import Frame
from livemood.sinks.video.writer import VideoSink
from livemood.sources.video.file import VideoSource
from tests.support.builders import write_browser_recording, write_dv, write_film

Write = Callable[[Path], Path]
SIZES = [(640, 360), (1280, 720), (1920, 1080), (3840, 2160)]


def film(name: str, rate: int = 30) -> Write:
    return lambda folder: write_film(folder / name, range(20), Fraction(1, rate))


def uneven(name: str) -> Write:
    return lambda folder: write_film(folder / name, [0, 33, 60, 120, 150, 210, 240, 290, 333, 370], Fraction(1, 1000))


def copy(source: Path, size: tuple[int, int], codec: Codec, out: Path) -> bytes:
    """Copy a source as if its frames were larger, and return the codec's own head."""
    with VideoSource(source) as clip:
        info, frames = replace(clip.info, width=size[0], height=size[1]), list(clip.frames())[:3]
    grey = np.full((size[1], size[0], 3), 90, np.uint8)
    with VideoSink(out, info, codec=codec) as sink:
        for frame in frames:
            sink.write(Frame(frame.index, frame.time_s, grey), (), grey)
    with av.open(str(out)) as container:
        return container.streams.video[0].codec_context.extradata or b""


@pytest.mark.parametrize(
    ("write", "levels"),
    [
        pytest.param(write_browser_recording, (30, 31, 40, 51), id="browser"),
        pytest.param(film("a.h264"), (30, 31, 40, 51), id="raw"),
        pytest.param(film("a.ts"), (30, 31, 40, 51), id="broadcast"),
        pytest.param(film("a.mkv"), (30, 31, 40, 51), id="matroska"),
        pytest.param(uneven("a.mp4"), (30, 31, 40, 51), id="uneven"),
        pytest.param(write_dv, (30, 31, 40, 51), id="dv"),
        pytest.param(film("a.mp4", 60), (31, 32, 42, 52), id="60"),
        pytest.param(film("a.mp4", 1000), (51, 52, 52, 52), id="1000"),
    ],
)
def test_level_when_a_copy_is_h264_then_fits_what_is_in_it(
    write: Write, levels: tuple[int, ...], tmp_path: Path
) -> None:
    clip, found = write(tmp_path), []
    for size in SIZES:
        head = copy(clip, size, "h264", tmp_path / f"{size[1]}.mp4")
        found.append((head[1], head[3]))
    assert found == [(100, level) for level in levels]  # High


@pytest.mark.parametrize("write", [write_browser_recording, film("a.h264"), film("a.mp4", 1000)])
@pytest.mark.parametrize("size", SIZES[1:3])
def test_level_when_a_copy_is_h265_then_is_one_that_is_played(
    write: Write, size: tuple[int, int], tmp_path: Path
) -> None:
    head = copy(write(tmp_path), size, "h265", tmp_path / "o.mp4")
    assert head[1] & 31 == 1  # Main
    assert head[12] <= 156  # 5.2


def test_rate_and_clock_when_a_raw_stream_is_copied_then_are_those_of_its_header(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "a.h264", range(30), Fraction(1, 30))
    with VideoSource(clip) as source, VideoSink(tmp_path / "o.mp4", source.info) as sink:
        for frame in source.frames():
            sink.write(frame, (), frame.image)
    with av.open(str(tmp_path / "o.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 30
        assert stream.frames == 30
        assert stream.time_base is not None
        assert 1_000 <= stream.time_base.denominator <= 100_000
        assert stream.duration is not None
        assert stream.duration * stream.time_base == 1

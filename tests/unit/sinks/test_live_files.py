"""Files that are written under their own name from the start."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from livemood.core.errors import SinkError
from livemood.core.labels import EMOTIONS
from livemood.core.video_info import VideoInfo
from livemood.records import Origin, read
from livemood.sinks.file_sink import live_file
from livemood.sinks.records import open_records
from livemood.sinks.video.writer import VideoSink
from tests.support.builders import make_frame, make_mood
from tests.support.disks import full_disk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither flock nor file size limits")


def add_noise(sink: VideoSink, first: int, count: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 48, 64, 3), np.uint8)
    for index, picture in enumerate(pictures, first):
        sink.write(make_frame(64, 48, index, index / 10), [], picture)


def test_records_when_another_run_writes_them_then_refused_even_by_force_and_the_other_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with open_records(path, EMOTIONS, live=True) as sink:
        sink.write(make_frame(index=0), [make_mood()])
        with pytest.raises(SinkError, match=r"a\.jsonl is being written by another run; wait, or use another records"):
            open_records(path, EMOTIONS, live=True, force=True)
        sink.write(make_frame(index=1), [make_mood()])
    assert len(path.read_text().splitlines()) == 2
    open_records(path, EMOTIONS, live=True, force=True).close()


def test_video_when_another_run_writes_it_then_refused_even_by_force_and_the_other_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    with VideoSink(path, VideoInfo(64, 48), live=True) as sink:
        add_noise(sink, 0, 2)
        with pytest.raises(SinkError, match=r"a\.gif is being written by another run; wait, or use another out"):
            VideoSink(path, VideoInfo(64, 48), live=True, force=True)
        add_noise(sink, 2, 2)
    assert path.read_bytes()[:3] == b"GIF"
    assert path.read_bytes().count(b"GIF89a") == 1


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".mkv"])
def test_video_when_the_disk_is_full_then_every_line_says_so_instead_of_blaming_the_codec(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    sink = VideoSink(path, VideoInfo(64, 48), live=True)
    with full_disk(room=8192):
        for work in (lambda: add_noise(sink, 0, 150), sink.close):
            with pytest.raises(SinkError) as told:
                work()
            assert str(told.value) == f"{path} could not be written (File too large); try another out"


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_live_file_when_the_run_fails_then_is_kept_if_it_has_a_frame(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeError), open_records(tmp_path / name, EMOTIONS, live=True, origin=Origin("1.0")):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError), open_records(tmp_path / name, EMOTIONS, live=True, origin=Origin("1.0")) as sink:
        sink.write(make_frame(), [make_mood()])
        raise RuntimeError
    assert len(list(read(tmp_path / name))) == 1


def test_file_when_it_is_a_pipe_then_refused_even_by_force_and_it_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(SinkError, match=r"a\.jsonl is a device or a pipe; give records a file"):
        open_records(tmp_path / "a.jsonl", EMOTIONS, live=True, force=True)
    assert (tmp_path / "a.jsonl").is_fifo()


def test_file_when_it_fails_before_anything_is_written_then_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"does not take 20000 x 48 px .*; try another out$"):
        VideoSink(tmp_path / "a.mp4", VideoInfo(20_000, 48), live=True)
    with pytest.raises(SinkError, match="refused"), live_file(tmp_path / "a.csv", "records", force=False):
        raise SinkError("refused")
    assert list(tmp_path.iterdir()) == []

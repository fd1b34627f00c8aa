"""The contract of sources, tested on every kind of the registry that can be opened here, and on video files."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.core.errors import SourceError
from livemood.core.settings import CaptureSettings
from livemood.sources import camera, feeds
from livemood.sources.base import Source
from livemood.sources.open import SOURCES, open_live, open_video
from tests.support.builders import quadrants, write_clip
from tests.support.servers import MjpegServer

WIDTH, HEIGHT, COUNT = 64, 48, 6
FAST = CaptureSettings(fps=50, timeout_s=10)


def clip(folder: Path) -> Path:
    return write_clip(folder / "clip.mp4", [quadrants(WIDTH, HEIGHT)] * COUNT, 20)


def video_file(folder: Path) -> Source:
    return open_video(clip(folder))


def played_file(folder: Path) -> Source:
    return open_live(str(clip(folder)), FAST)


def folder_of_pictures(folder: Path) -> Source:
    (folder / "pictures").mkdir()
    for number in range(COUNT):
        cv2.imwrite(str(folder / "pictures" / f"{number}.png"), quadrants(WIDTH, HEIGHT))
    return open_live(str(folder / "pictures"), FAST)


def raw_pictures(folder: Path) -> Source:
    from livemood.sources.live import LiveSource

    (folder / "raw").write_bytes(quadrants(WIDTH, HEIGHT).tobytes() * COUNT)
    descriptor = os.open(folder / "raw", os.O_RDONLY)
    settings = CaptureSettings(width=WIDTH, height=HEIGHT)
    return LiveSource("raw", lambda: feeds.RawFeed(settings, descriptor), settings)


class Capture:
    """OpenCV's capture of a camera, without one."""

    def __init__(self) -> None:
        self._left = COUNT

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        return True, quadrants(WIDTH, HEIGHT)

    def set(self, prop: int, value: float) -> bool:
        return True

    def get(self, prop: int) -> float:
        return 0.0

    def release(self) -> None: ...


def made_up_camera(folder: Path) -> Source:
    return camera.open_camera(0, FAST, lambda which, backend: Capture())


KINDS = {
    "video file": video_file,
    "played file": played_file,
    "folder of pictures": folder_of_pictures,
    "raw pictures": raw_pictures,
    "camera": made_up_camera,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
class TestEverySource:
    def test_frames_then_in_order_of_one_size_and_read_only(
        self, make: Callable[[Path], Source], tmp_path: Path
    ) -> None:
        with make(tmp_path) as source:
            taken = [frame for frame, _ in zip(source.frames(), range(COUNT - 1), strict=False)]
        assert len(taken) == COUNT - 1
        assert {(frame.width, frame.height) for frame in taken} == {(WIDTH, HEIGHT)}
        assert [frame.index for frame in taken] == list(range(COUNT - 1))
        times = [frame.time_s for frame in taken]
        assert times == sorted(times)
        assert not any(frame.image.flags.writeable for frame in taken)

    def test_before_frames_then_size_and_name_are_known_and_all_is_well(
        self, make: Callable[[Path], Source], tmp_path: Path
    ) -> None:
        with make(tmp_path) as source:
            assert (source.info.width, source.info.height) == (WIDTH, HEIGHT)
            assert source.name
            assert source.trouble == ""
            assert list(source.warnings) == []
            assert source.live == (make is not video_file)

    def test_close_then_frames_end_and_again_does_nothing(self, make: Callable[[Path], Source], tmp_path: Path) -> None:
        source = make(tmp_path)
        frames = source.frames()
        next(frames)
        source.close()
        source.close()
        assert len(list(zip(frames, range(3), strict=False))) <= 3


def test_stream_of_the_registry_then_it_is_a_source_too() -> None:
    server = MjpegServer()
    with open_live(server.url, FAST) as source:
        frame = next(source.frames())
        assert (frame.width, frame.height) == (source.info.width, source.info.height)
        assert source.live
    server.stop()


@pytest.mark.parametrize("spec", ["nowhere.mp4", "/dev/video97", "http://127.0.0.1:9/none"])
def test_source_when_it_is_not_there_then_one_clear_line(spec: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_live(spec, CaptureSettings(timeout_s=2))
    assert "\n" not in str(caught.value)


def test_registry_then_every_kind_names_a_function_that_is_there() -> None:
    from importlib import import_module

    for kind in SOURCES:
        module, _, function = kind.opener.partition(":")
        assert callable(getattr(import_module(module), function)), kind.name

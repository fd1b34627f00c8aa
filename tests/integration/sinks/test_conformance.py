"""The contract of sinks, tested on every sink of the registry."""

import socket
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import ClassVar
from uuid import uuid4

import numpy as np
import pylsl
import pytest

from livemood.core.errors import SinkError
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.core.types import Frame
from livemood.core.video_info import VideoInfo
from livemood.records import read
from livemood.sinks.base import Sink, SinkContext
from livemood.sinks.open import SINKS, Output, SinkKind, open_sink, sink_kind
from livemood.sources.video.file import VideoSource
from tests.support.builders import make_mood

SIZE = (64, 48)
LEVELS = [0, 40, 80, 120, 160]
"""Of the pictures."""
TARGETS = {
    "out": "out.mp4",
    "records": "moods.jsonl",
    "subtitles": "moods.srt",
    "markers": "moods.eaf",
    "osc": "127.0.0.1:9",
    "lsl": f"livemood-{uuid4()}",
    "virtual_camera": "",
}
"""A target for every kind of sink; a new kind needs one here, and a test of what arrives in ``TestArrival``."""


class FakeCamera:
    """What pyvirtualcam gives, where this computer has no such device."""

    sent: ClassVar[list[int]] = []
    """The brightest values of the pictures of the camera that was opened last."""

    def __init__(self, width: int, height: int, fps: float, fmt: object) -> None:
        self.sent.clear()

    def send(self, image: np.ndarray) -> None:
        self.sent.append(int(image.max()))

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("pyvirtualcam")
    module.Camera = FakeCamera  # type: ignore[attr-defined]
    module.PixelFormat = type("PixelFormat", (), {"BGR": 1})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)


def opened(kind: SinkKind, folder: Path, live: bool, target: str = "") -> Sink:
    target = target or TARGETS[kind.name]
    where = str(folder / target) if "." in target and ":" not in target else target
    return open_sink(Output(kind.name, where), SinkContext({EMOTION: EMOTIONS}, VideoInfo(*SIZE), live=live))


def frames(count: int = 5) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(index, index / 10, np.full((SIZE[1], SIZE[0], 3), LEVELS[index], np.uint8))


def image(sink: Sink, frame: Frame) -> np.ndarray | None:
    return frame.image.copy() if sink.needs_image else None


def modes() -> list[tuple[SinkKind, bool]]:
    return [(kind, live) for kind in SINKS for live in (False, True) if (kind.for_live if live else kind.for_video)]


@pytest.mark.parametrize(("kind", "live"), modes(), ids=lambda value: getattr(value, "name", str(value)))
class TestEverySink:
    def test_when_frames_and_events_come_then_takes_them_and_closes_twice(
        self, kind: SinkKind, live: bool, tmp_path: Path
    ) -> None:
        with opened(kind, tmp_path, live) as sink:
            for frame in frames():
                sink.write(frame, [make_mood(1), make_mood(2, "sad", x=400)], image(sink, frame))
            sink.mark(frame, 1)
        sink.close()
        assert list(sink.warnings) == []
        assert all(path.stat().st_size > 0 for path in tmp_path.iterdir())

    def test_when_no_face_is_seen_then_takes_the_frames_all_the_same(
        self, kind: SinkKind, live: bool, tmp_path: Path
    ) -> None:
        with opened(kind, tmp_path, live) as sink:
            for frame in frames():
                sink.write(frame, [], image(sink, frame))
        assert list(sink.warnings) == []
        assert not list(tmp_path.glob("*.part*"))

    def test_when_left_by_an_error_then_no_part_of_a_file_is_left(
        self, kind: SinkKind, live: bool, tmp_path: Path
    ) -> None:
        def fail() -> None:
            with opened(kind, tmp_path, live) as sink:
                for frame in frames(2):
                    sink.write(frame, [make_mood(1)], image(sink, frame))
                raise OSError("unplugged")

        with pytest.raises(OSError, match="unplugged"):
            fail()
        assert not list(tmp_path.glob("*.part*"))
        assert live or not list(tmp_path.iterdir())


class TestArrival:
    """What is written by each kind of sink is there afterwards, or comes out at the other end."""

    def written(self, name: str, folder: Path, live: bool = True, target: str = "") -> Path:
        """Write five frames with two people and mark an event; return the file, if the kind makes one."""
        with opened(sink_kind(name), folder, live, target) as sink:
            self.write(sink)
        return folder / TARGETS[name]

    def write(self, sink: Sink) -> None:
        for frame in frames():
            sink.write(frame, [make_mood(1), make_mood(2, "sad", x=400)], image(sink, frame))
        sink.mark(frame, 1, "laugh")

    @pytest.mark.parametrize("live", [False, True])
    def test_out_then_every_picture_is_in_the_video(self, tmp_path: Path, live: bool) -> None:
        with VideoSource(self.written("out", tmp_path, live)) as source:
            assert [int(frame.image.mean()) for frame in source.frames()] == pytest.approx(LEVELS, abs=3)

    @pytest.mark.parametrize("live", [False, True])
    def test_records_then_every_face_and_the_event_are_rows(self, tmp_path: Path, live: bool) -> None:
        rows = list(read(self.written("records", tmp_path, live)))
        assert [(row.frame, row.label) for row in rows if row.label] == list(product(range(5), ("happy", "sad")))
        assert [(row.frame, row.event, row.event_name) for row in rows if row.event] == [(4, 1, "laugh")]

    @pytest.mark.parametrize("name", ["subtitles", "markers"])
    def test_subtitles_and_markers_then_every_label_is_in_them(self, tmp_path: Path, name: str) -> None:
        text = self.written(name, tmp_path, live=False).read_text(encoding="utf-8")
        assert all(label in text for label in ("happy", "sad"))

    def test_osc_then_every_frame_face_and_the_event_come_in(self, tmp_path: Path) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.settimeout(20)
            self.written("osc", tmp_path, target=f"127.0.0.1:{listener.getsockname()[1]}")
            packets = [listener.recv(4096) for _ in range(5 * 3 + 1)]
        for count, address in ((5, b"/livemood/faces"), (5, b"/livemood/face/1/happy"), (5, b"/livemood/face/2/sad")):
            assert sum(address in packet for packet in packets) == count
        assert b"laugh" in packets[-1]

    def test_lsl_then_every_sample_comes_in(self, tmp_path: Path) -> None:
        with opened(sink_kind("lsl"), tmp_path, live=True) as sink:
            (info,) = pylsl.resolve_byprop("name", TARGETS["lsl"], 1, 20)
            inlet = pylsl.StreamInlet(info)
            inlet.open_stream(timeout=20)
            self.write(sink)
            samples = [inlet.pull_sample(timeout=20)[0] for _ in range(5)]
        width = 1 + len(EMOTIONS)
        assert [(sample[0], sample[width]) for sample in samples] == [(1, 2)] * 5

    def test_virtual_camera_then_every_picture_is_sent(self, tmp_path: Path) -> None:
        self.written("virtual_camera", tmp_path)
        assert FakeCamera.sent == LEVELS

    def test_virtual_camera_when_it_cannot_be_opened_then_one_line_says_why(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(*_: object, **__: object) -> None:
            raise RuntimeError("'v4l2loopback' backend: /dev/video9 is busy\n'obs' backend: not installed")

        monkeypatch.setattr(sys.modules["pyvirtualcam"], "Camera", busy)
        with pytest.raises(SinkError, match=r"^no virtual camera could be opened \(.*/dev/video9 is busy 'obs' .*\); "):
            self.written("virtual_camera", tmp_path)


@pytest.mark.parametrize("kind", SINKS, ids=lambda kind: kind.name)
def test_sink_then_takes_events_if_it_does_something_with_them(kind: SinkKind, tmp_path: Path) -> None:
    with opened(kind, tmp_path, kind.for_live) as sink:
        assert sink.takes_events == (type(sink).mark is not Sink.mark)


def test_registry_then_names_are_settings_and_an_unknown_one_is_named() -> None:
    assert [kind.name for kind in SINKS] == list(TARGETS)
    assert all(kind.name.isidentifier() and kind.help for kind in SINKS)
    with pytest.raises(ValueError, match="no sink is called 'fax'; there are out, records"):
        sink_kind("fax")

"""The contract of sinks, tested on every sink of the registry."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from livemood.core.labels import EMOTION, EMOTIONS
from livemood.core.types import Frame
from livemood.core.video_info import VideoInfo
from livemood.sinks.base import Sink, SinkContext
from livemood.sinks.open import SINKS, Output, SinkKind, open_sink, sink_kind
from tests.support.builders import make_mood

SIZE = (64, 48)
TARGETS = {
    "out": "out.mp4",
    "records": "moods.jsonl",
    "subtitles": "moods.srt",
    "markers": "moods.eaf",
    "osc": "127.0.0.1:9",
    "lsl": "livemood-conformance",
    "virtual_camera": "",
}
"""A target for every kind of sink; a new kind needs one here."""


class FakeCamera:
    """What pyvirtualcam gives, where this computer has no such device."""

    def __init__(self, width: int, height: int, fps: float, fmt: object) -> None:
        self.sent = 0

    def send(self, image: object) -> None:
        assert image is not None
        self.sent += 1

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("pyvirtualcam")
    module.Camera = FakeCamera  # type: ignore[attr-defined]
    module.PixelFormat = type("PixelFormat", (), {"BGR": 1})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)


def opened(kind: SinkKind, folder: Path, live: bool) -> Sink:
    target = TARGETS[kind.name]
    where = str(folder / target) if "." in target and ":" not in target else target
    return open_sink(Output(kind.name, where), SinkContext({EMOTION: EMOTIONS}, VideoInfo(*SIZE), live=live))


def frames(count: int = 5) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(index, index / 10, np.full((SIZE[1], SIZE[0], 3), 40 * index, np.uint8))


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


@pytest.mark.parametrize("kind", SINKS, ids=lambda kind: kind.name)
def test_sink_then_takes_events_if_it_does_something_with_them(kind: SinkKind, tmp_path: Path) -> None:
    with opened(kind, tmp_path, kind.for_live) as sink:
        assert sink.takes_events == (type(sink).mark is not Sink.mark)


def test_registry_then_names_are_settings_and_an_unknown_one_is_named() -> None:
    assert [kind.name for kind in SINKS] == list(TARGETS)
    assert all(kind.name.isidentifier() and kind.help for kind in SINKS)
    with pytest.raises(ValueError, match="no sink is called 'fax'; there are out, records"):
        sink_kind("fax")

"""Speed of the live loop: a simulated camera numbers its pictures, and the numbers are read from the screen."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from livemood.apps.live import Live, Screen
from livemood.apps.recorder import Recorder
from livemood.apps.session import Session
from livemood.core.errors import SinkError
from livemood.core.types import Frame, Image
from livemood.core.video_info import VideoInfo
from livemood.sinks.base import Sink
from livemood.sources.base import Source
from livemood.sources.live import Feed, LiveSource, Picture
from livemood.sources.video.file import VideoSource

# Pictures that are kept in memory and repeated, so that decoding is not measured.
_KEPT = 60
_WARM_UP_S = 2.0
_STAMP_BITS = 24
# The only keys that are handled: other keys would change what is measured.
_LEAVING = ("q", "esc")


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Figures of a run, without its first two seconds.

    Attributes:
        captured_fps: Pictures per second from the camera.
        shown_fps: Pictures per second on the screen.
        latency_p50_ms: Median time from capture to screen, ms.
        latency_p95_ms: 95th percentile of that time, ms.
        frames: Pictures shown.
        dropped: Pictures captured and not shown.
        faces: Faces per picture, on average.
    """

    captured_fps: float
    shown_fps: float
    latency_p50_ms: float
    latency_p95_ms: float
    frames: int
    dropped: int
    faces: float


class _Camera(Feed):
    """Repeats a clip's pictures at a steady rate, each with its number encoded in its first row."""

    def __init__(self, clip: Path, fps: float) -> None:
        with VideoSource(clip) as source:
            self._images = cycle([frame.image for frame in islice(source.frames(), _KEPT)])
        self._fps = fps
        self._count = 0

    def read(self) -> Picture:
        image = next(self._images).copy()
        _stamp(image, self._count)
        self._count += 1
        return Picture(image, self._count / self._fps)

    def close(self) -> None: ...


class _Stopwatch(Source):
    """Wraps source and screen, and records when each picture passes."""

    def __init__(self, source: LiveSource, screen: Screen) -> None:
        self._source, self._screen = source, screen
        self._on_screen: int | None = None
        self.captured: dict[int, float] = {}
        self.shown: dict[int, float] = {}

    @property
    def info(self) -> VideoInfo:
        return self._source.info

    @property
    def trouble(self) -> str:
        return self._source.trouble

    def frames(self) -> Iterator[Frame]:
        for frame in self._source.frames():
            self.captured[_stamped(frame.image)] = time.monotonic()
            yield frame

    def close(self) -> None:
        self._source.close()

    @property
    def is_open(self) -> bool:
        return self._screen.is_open

    def show(self, image: Image) -> None:
        self._on_screen = _stamped(image)
        self._screen.show(image)

    def key(self) -> str | None:
        key = self._screen.key()  # only now is the picture on the screen
        if self._on_screen is not None:
            self.shown.setdefault(self._on_screen, time.monotonic())
        return key if key in _LEAVING else None

    def toggle_full_screen(self) -> None:
        self._screen.toggle_full_screen()


def measure_live(session: Session, screen: Screen, clip: Path, fps: float, duration_s: float) -> LiveFigures:
    """Run the live loop on a clip as if it came from a camera, and time every picture from capture to screen.

    Args:
        session: Detector and model.
        screen: An open window of any size.
        clip: Video file; its first 60 pictures are used.
        fps: Rate of the simulated camera.
        duration_s: How long to run, s.

    Raises:
        SinkError: Hardly anything was shown after the first two seconds, as when the window was closed by then.
        VideoUnreadable: The clip cannot be read.
    """
    source = LiveSource("bench", lambda: _Camera(clip, fps))
    watch = _Stopwatch(source, screen)
    with Recorder(session.draw, _no_video) as recorder:
        live = Live(session, watch, recorder, watch, duration_s=duration_s)
        tally = live.run().summary()
    begins = min(watch.captured.values(), default=0.0) + _WARM_UP_S
    captured = sorted(at for at in watch.captured.values() if at >= begins)
    shown = {index: at for index, at in watch.shown.items() if watch.captured[index] >= begins}
    if len(captured) < 2 or len(shown) < 2:
        raise SinkError(
            f"only {len(shown)} pictures were shown after the first {_WARM_UP_S:.0f} s, which do not count",
            "leave the window open, or try a longer {duration}",
        )
    delays = [1000 * (at - watch.captured[index]) for index, at in shown.items()]
    return LiveFigures(
        captured_fps=round((len(captured) - 1) / (captured[-1] - captured[0]), 1),
        shown_fps=round((len(shown) - 1) / (max(shown.values()) - min(shown.values())), 1),
        latency_p50_ms=round(float(np.percentile(delays, 50)), 1),
        latency_p95_ms=round(float(np.percentile(delays, 95)), 1),
        frames=len(shown),
        dropped=len(captured) - len(shown),
        faces=round(tally.faces / max(tally.frames, 1), 2),
    )


def _no_video(path: Path) -> Sink:
    raise AssertionError(f"nothing is recorded here, asked for {path}")


def _stamp(image: Image, number: int) -> None:
    bits = number >> np.arange(_STAMP_BITS) & 1
    image[0, : 4 * _STAMP_BITS] = np.repeat(bits * 255, 4)[:, None]


def _stamped(image: Image) -> int:
    bits = image[0, 1 : 4 * _STAMP_BITS : 4, 0] > 127
    return int((bits << np.arange(_STAMP_BITS)).sum())

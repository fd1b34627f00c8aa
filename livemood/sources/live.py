"""Live frames from a feed of pictures; a lost device or stream is opened again."""

import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from livemood.core.errors import CameraUnavailable, SourceError
from livemood.core.settings import CaptureSettings
from livemood.core.types import Frame, Image
from livemood.core.video_info import VideoInfo
from livemood.sources.base import Source

# Every 16th pixel in both directions is compared: sensor noise alone changes some of them in a live picture.
_SAMPLED = slice(None, None, 16)
# How long to wait for a hanging driver when closing, s.
_CLOSE_TIMEOUT_S = 0.5
# After a longer stall, s, a stream's clock is shifted by the stall.
_LATE_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture of a feed.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        due_s: When to show it, in seconds since the feed was opened; None for at once.
        over_s: How long to show it if it is the last one, on the same clock; None to end at once.
        shifts: Whether a late picture delays all later ones by as much; otherwise they catch up.
    """

    image: Image
    due_s: float | None = None
    over_s: float | None = None
    shifts: bool = False


class Feed(Protocol):
    """One open device, stream or file.

    Attributes:
        endless: Whether it has no end of its own, as a camera: then it is opened again when it was lost, and a frozen
            picture is reported.
        warnings: One line for each irregularity; complete when it was closed.
    """

    endless: bool = False
    warnings: Sequence[str] = ()

    @abstractmethod
    def read(self) -> Picture | None:
        """Return the next picture, waiting for it, or None at a regular end.

        Raises:
            SourceError: The feed was lost.
        """
        ...

    def stop(self) -> None:
        """Have a ``read`` that waits in another thread return None soon, where that is possible."""
        return

    @abstractmethod
    def close(self) -> None:
        """Free it; a second call does nothing."""
        ...


class LiveSource(Source):
    """Frames in real time: ``Frame.time_s`` is seconds since the first, ``Frame.index`` counts captured frames.

    All frames have the size of the first; where a stream changes size, pictures are letterboxed into it.

    Args:
        name: For messages, such as ``camera 0``.
        connect: Opens the feed; called again when one without an end was lost.
        settings: Timeouts.
        mirrored: Whether the window shows the picture mirrored by default.
        clock: Monotonic seconds.

    Attributes:
        name: As given.
        mirrored: As given.
        warnings: Those of its feeds, each once; complete when it was closed.

    Raises:
        SourceError: It could not be opened, or delivered no picture.
    """

    live = True

    def __init__(
        self,
        name: str,
        connect: Callable[[], Feed],
        settings: CaptureSettings | None = None,
        *,
        mirrored: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.mirrored = mirrored
        self.warnings: list[str] = []
        self._connect = connect
        self._settings = settings or CaptureSettings()
        self._clock = clock
        self._stopping = threading.Event()
        self._reading = threading.Lock()
        self._lost = ""
        self._sample = b""
        self._feed: Feed | None = None
        try:
            self._feed = connect()
            self._endless = self._feed.endless
            first = self._feed.read()
            if first is None:
                raise SourceError(f"{name} contains no picture")
        except BaseException:
            self._drop()
            raise
        self._first = replace(first, due_s=None)
        self._began_s = self._seen_s = self._changed_s = self._opened_s = clock()

    @property
    def width(self) -> int:
        """Width of every frame, px."""
        return int(self._first.image.shape[1])

    @property
    def height(self) -> int:
        """Height of every frame, px."""
        return int(self._first.image.shape[0])

    @property
    def info(self) -> VideoInfo:
        """Size of every frame; a live source has neither a fixed rate nor a length."""
        return VideoInfo(self.width, self.height)

    @property
    def trouble(self) -> str:
        """The current problem in a few words; empty if there is none. Any thread may read it."""
        if self._lost or not self._endless:
            return self._lost
        limit_s = self._settings.frozen_s
        if self._clock() - self._seen_s > limit_s:
            return f"no picture for more than {limit_s:g} s"
        if self._seen_s - self._changed_s > limit_s:
            return f"the same picture for more than {limit_s:g} s"
        return ""

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they come, until the source ends or is closed; to be called once.

        Raises:
            CameraUnavailable: It was lost and did not come back in time.
        """
        index = 0
        picture: Picture | None = self._first
        self._began_s = self._opened_s = self._clock()
        while picture is not None and self._wait(picture.due_s, picture.shifts):
            self._note(picture.image)
            yield Frame(index, self._seen_s - self._began_s, self._fitted(picture.image))
            index += 1
            over_s, picture = picture.over_s, self._next()
            if picture is None:
                self._wait(over_s)

    def close(self) -> None:
        """End ``frames`` and free the feed; one that hangs is left to the reading thread."""
        limit_s = 0.0 if self._stopping.is_set() else _CLOSE_TIMEOUT_S
        self._stopping.set()
        if self._feed is not None:
            self._feed.stop()
        if self._reading.acquire(timeout=limit_s):
            self._drop()
            self._reading.release()

    def _next(self) -> Picture | None:
        """Return the next picture, reopening a lost feed; None at the end."""
        lost_s, wait_s = None, self._settings.retry_s
        with self._reading:
            while not self._stopping.is_set():
                try:
                    if self._feed is None:
                        self._feed, self._opened_s = self._connect(), self._clock()
                    picture = self._feed.read()
                except SourceError as error:
                    lost_s = self._clock() if lost_s is None else lost_s
                    self._lose(error, lost_s)
                    self._stopping.wait(wait_s)
                    wait_s = min(2 * wait_s, self._settings.retry_longest_s)
                else:
                    self._lost = ""
                    return picture
        return None

    def _lose(self, error: SourceError, lost_s: float) -> None:
        """Close a lost feed; raise if it is not to be reopened, or was lost for too long."""
        self._drop()
        if not self._endless:
            raise error
        gone_s = self._clock() - lost_s
        if gone_s > self._settings.give_up_s:
            raise CameraUnavailable(f"{self.name} was lost and did not come back for {gone_s:.0f} s") from error
        self._lost = "lost, trying to open it again"

    def _drop(self) -> None:
        if self._feed is not None:
            with suppress(SourceError):
                self._feed.close()
            self.warnings += [line for line in self._feed.warnings if line not in self.warnings]
            self._feed = None

    def _wait(self, until_s: float | None, shifts: bool = False) -> bool:
        """Wait until ``until_s`` seconds after the feed was opened; False when the source was closed."""
        if until_s is not None:
            late_s = self._clock() - self._opened_s - until_s
            if shifts and late_s > _LATE_S:
                self._opened_s += late_s
            self._stopping.wait(max(self._opened_s + until_s - self._clock(), 0))
        return not self._stopping.is_set()

    def _note(self, image: Image) -> None:
        self._seen_s = self._clock()
        sample = image[_SAMPLED, _SAMPLED].tobytes() if self._endless else b""
        if sample != self._sample:
            self._sample, self._changed_s = sample, self._seen_s

    def _fitted(self, image: Image) -> Image:
        """Return the picture letterboxed into the size of the first one."""
        height, width = image.shape[:2]
        if (width, height) == (self.width, self.height):
            return image
        scale = min(self.width / width, self.height / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (self.width - inner[0]) // 2, (self.height - inner[1]) // 2
        right, bottom = self.width - inner[0] - left, self.height - inner[1] - top
        small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        return np.asarray(cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_CONSTANT), np.uint8)

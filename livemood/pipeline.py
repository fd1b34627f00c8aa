"""One frame's path as a straight line, and the loop that feeds it without blocking on reading or writing."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Generic, ParamSpec, Protocol, TypeVar

from livemood.core.settings import NeutralBaselineSettings, Settings
from livemood.core.types import Detection, Frame, Mood, Track
from livemood.detection.base import Detector, SupportsRoi
from livemood.detection.roi_detector import RoiDetector
from livemood.emotion.classifier import Classifier
from livemood.emotion.crop import crop
from livemood.emotion.neutral_baseline import NeutralBaseline
from livemood.emotion.smoother import Smoother
from livemood.tracking.tracker import Tracker

T = TypeVar("T")
P = ParamSpec("P")

_QUEUE = 8


class StageTimer(Protocol):
    """Wraps a stage's work, to time it."""

    def __call__(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        """Return what does the same work."""
        ...


def untimed(stage: str, work: Callable[P, T]) -> Callable[P, T]:
    """Return ``work`` as it is."""
    return work


class Pipeline:
    """Frames in, moods out. Holds the state of one source's people; make a new one for the next source.

    Args:
        detector: Finds faces; stays the caller's to close.
        classifier: Reads emotions.
        settings: Of following, tracker and smoother.
        meter: Gets every stage once, to time its calls.

    Attributes:
        baseline: Does nothing until it is told to begin.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: Settings | None = None,
        meter: StageTimer = untimed,
    ) -> None:
        settings = settings or Settings()
        self.baseline = NeutralBaseline(classifier.labels, NeutralBaselineSettings(forget_s=settings.smoother.forget_s))
        self._crop_spec = classifier.crop_spec
        self._detect = meter("detect", follower(detector, settings))
        self._track = meter("track", Tracker(settings.tracker).update)
        self._crop = meter("crop", crop)
        self._classify = meter("classify", classifier.classify)
        self._smooth = meter("smooth", Smoother(classifier.labels, settings.smoother).update)
        self._moods: dict[int, Mood] = {}

    def step(self, frame: Frame, classify: bool = True) -> tuple[Mood, ...]:
        """Return the moods of one frame's faces, largest face first.

        Does no I/O: from a fresh pipeline the same frames give the same moods.

        Args:
            frame: The next frame of the source.
            classify: False saves time: faces are found and followed, but keep the mood that they had in the frame
                before. A face that was not in that frame is classified all the same.
        """
        return self.classify_tracks(frame, self.track_faces(frame), classify)

    def track_faces(self, frame: Frame) -> tuple[Track, ...]:
        """Return the faces of the next frame, largest first; the first half of ``step``.

        The halves share no state: one thread may find faces some frames ahead of another that reads them.
        """
        return self._track(self._detect(frame), frame.time_s)

    def classify_tracks(self, frame: Frame, tracks: Sequence[Track], classify: bool = True) -> tuple[Mood, ...]:
        """Return the moods of the faces that were found in the next frame; the second half of ``step``."""
        due = [track for track in tracks if classify or track.id not in self._moods]
        crops = [self._crop(frame, track, self._crop_spec) for track in due]
        predictions = self.baseline.adjust(self._classify(crops), frame.time_s)
        fresh = {mood.track.id: mood for mood in self._smooth(predictions, frame.time_s)}
        moods = [fresh.get(track.id) or replace(self._moods[track.id], track=track) for track in tracks]
        self._moods = {mood.track.id: mood for mood in moods}
        return tuple(moods)


def follower(detector: Detector, settings: Settings) -> Callable[[Frame], tuple[Detection, ...]]:
    """Return what finds the faces of one source: with a memory of its own, if the detector has a use for it."""
    if isinstance(detector, SupportsRoi) and detector.follows and settings.follower.full_frame_every_s > 0:
        return RoiDetector(detector, settings.follower, settings.detector.max_overlap).detect
    return detector.detect


class _End:
    """Closes a queue; carries the exception that ended it, if any."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def close(self) -> None:
        """Raise the exception, if there was one."""
        if self.error is not None:
            raise self.error


@contextmanager
def read_ahead(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """Produce ``items`` in a thread, a few ahead of their use; nothing is dropped.

    The reader always ends with a sentinel, and its exception is raised again where the items are used. Leaving the
    context stops the reader and joins it.
    """
    waiting: queue.Queue[T | _End] = queue.Queue(_QUEUE)
    stopping = threading.Event()

    def put(item: T | _End) -> None:
        while not stopping.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def take() -> Iterator[T]:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                return item.close()
            yield item

    thread = _start_reader(items, put, stopping)
    try:
        yield take()
    finally:
        stopping.set()
        thread.join()


@contextmanager
def read_newest(items: Iterable[T], wait_s: float, join_s: float = 1.0) -> Iterator[Iterator[T | None]]:
    """Produce ``items`` in a thread and keep only the newest: one that nobody took is dropped for the next.

    The iterator gives None when no new item came for ``wait_s`` seconds. It ends, or raises the reader's exception,
    after the last item was taken.

    Args:
        items: Such as the frames of a camera.
        wait_s: Longest time between two looks at the clock.
        join_s: Leaving the context waits so long for the reader; one that hangs in a driver is left behind, as a
            daemon thread it holds nobody up.
    """
    changed = threading.Condition()
    newest: list[T] = []
    ended: list[_End] = []
    stopping = threading.Event()

    def put(item: T | _End) -> None:
        with changed:
            if isinstance(item, _End):
                ended.append(item)
            else:
                newest[:] = [item]
            changed.notify()

    def take() -> Iterator[T | None]:
        while True:
            with changed:
                changed.wait_for(lambda: newest or ended, wait_s)
                item = newest.pop() if newest else None
                end = ended[0] if ended and item is None else None
            if end:
                return end.close()
            yield item

    thread = _start_reader(items, put, stopping)
    try:
        yield take()
    finally:
        stopping.set()
        thread.join(join_s)


def _start_reader(items: Iterable[T], put: Callable[[T | _End], None], stopping: threading.Event) -> threading.Thread:
    """Start a thread that puts every item and at last a sentinel, until told to stop."""

    def read() -> None:
        end = _End()
        try:
            for item in items:
                put(item)
                if stopping.is_set():
                    return
        except Exception as error:  # noqa: BLE001  # handed over whatever it is: the consumer raises it again
            end = _End(error)
        put(end)

    thread = threading.Thread(target=read, name="livemood-reader", daemon=True)
    thread.start()
    return thread


class WriteBehind(Generic[T]):
    """Hands items to ``write`` in a thread, a few behind; an error there is raised at the next call or at the end.

    Args:
        write: Called once for each item, in order, from one thread.
    """

    def __init__(self, write: Callable[[T], None]) -> None:
        self._write = write
        self._waiting: queue.Queue[T | _End] = queue.Queue(_QUEUE)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="livemood-writer", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue one item; waits while the writer is behind."""
        self._raise()
        self._waiting.put(item)

    def __enter__(self) -> "WriteBehind[T]":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._waiting.put(_End())
        self._thread.join()
        if kind is None:
            self._raise()

    def _work(self) -> None:
        while not isinstance(item := self._waiting.get(), _End):
            if self._error is None:  # after a failure go on emptying the queue, so that put() never hangs
                try:
                    self._write(item)
                except Exception as error:  # noqa: BLE001  # raised again in the caller's thread
                    self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

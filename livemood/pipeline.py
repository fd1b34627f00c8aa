"""One frame's path as a straight line."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, Protocol, TypeVar

from livemood.calibrate import Calibrator
from livemood.classify import Classifier
from livemood.crop import crop
from livemood.detect import Detector
from livemood.follow import Follower, WindowDetector
from livemood.settings import CalibrationSettings, Settings
from livemood.smooth import Smoother
from livemood.track import Tracker
from livemood.values import Detection, Frame, Mood, Track

T = TypeVar("T")
P = ParamSpec("P")


class Meter(Protocol):
    """Wraps a stage's work, to time it."""

    def __call__(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        """Return what does the same work."""
        ...


def unmetered(stage: str, work: Callable[P, T]) -> Callable[P, T]:
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
        calibrator: Does nothing until it is told to begin.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: Settings | None = None,
        meter: Meter = unmetered,
    ) -> None:
        settings = settings or Settings()
        self.calibrator = Calibrator(classifier.labels, CalibrationSettings(forget_s=settings.smoother.forget_s))
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
        return self.read(frame, self.find(frame), classify)

    def find(self, frame: Frame) -> tuple[Track, ...]:
        """Return the faces of the next frame, largest first; the first half of ``step``.

        The halves share no state: one thread may find faces some frames ahead of another that reads them.
        """
        return self._track(self._detect(frame), frame.time_s)

    def read(self, frame: Frame, tracks: Sequence[Track], classify: bool = True) -> tuple[Mood, ...]:
        """Return the moods of the faces that were found in the next frame; the second half of ``step``."""
        due = [track for track in tracks if classify or track.id not in self._moods]
        crops = [self._crop(frame, track, self._crop_spec) for track in due]
        predictions = self.calibrator.adjust(self._classify(crops), frame.time_s)
        fresh = {mood.track.id: mood for mood in self._smooth(predictions, frame.time_s)}
        moods = [fresh.get(track.id) or replace(self._moods[track.id], track=track) for track in tracks]
        self._moods = {mood.track.id: mood for mood in moods}
        return tuple(moods)


def follower(detector: Detector, settings: Settings) -> Callable[[Frame], tuple[Detection, ...]]:
    """Return what finds the faces of one source: with a memory of its own, if the detector has a use for it."""
    if isinstance(detector, WindowDetector) and detector.follows and settings.follower.look_every_s > 0:
        return Follower(detector, settings.follower, settings.detector.max_overlap).detect
    return detector.detect

"""One frame's path as a straight line: the order of the stages, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, Protocol, TypeVar

from livemood.core.labels import EMOTION
from livemood.core.settings import NeutralBaselineSettings, Settings
from livemood.core.types import Detection, Frame, Mood, Track
from livemood.detection.base import Detector, SupportsRoi
from livemood.detection.roi_detector import RoiDetector
from livemood.emotion.classifier import Classifier, heads_of
from livemood.emotion.crop import crop_track
from livemood.emotion.neutral_baseline import NeutralBaseline
from livemood.emotion.smoother import Smoother
from livemood.tracking.tracker import Tracker

T = TypeVar("T")
P = ParamSpec("P")


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
        timer: Gets every stage once, to time its calls.

    Attributes:
        baseline: Does nothing until it is told to begin.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: Settings | None = None,
        timer: StageTimer = untimed,
    ) -> None:
        settings = settings or Settings()
        self.baseline = NeutralBaseline(classifier.labels, NeutralBaselineSettings(forget_s=settings.smoother.forget_s))
        others = {name: labels for name, labels in heads_of(classifier).items() if name != EMOTION}
        self._crop_spec = classifier.crop_spec
        self._detect = timer("detect", follower(detector, settings))
        self._track = timer("track", Tracker(settings.tracker).update)
        self._crop = timer("crop", crop_track)
        self._classify = timer("classify", classifier.classify)
        self._smooth = timer("smooth", Smoother(classifier.labels, settings.smoother, others).update)
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

"""The order of the stages, and nothing else: Frame -> tuple[Mood, ...]."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, Protocol, TypeVar

from livemood.core.labels import EMOTION
from livemood.core.settings import BaselineMode
from livemood.core.stage_settings import NeutralBaselineSettings, Settings
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
    """Wraps the function of a stage, to time its calls."""

    def __call__(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        """Return a function that does the same."""
        ...


def untimed(stage: str, work: Callable[P, T]) -> Callable[P, T]:
    """Return ``work`` unchanged."""
    return work


class Pipeline:
    """Runs the stages on each frame. It holds the state of one source; make a new one for the next source.

    Args:
        detector: Finds faces; the caller closes it.
        classifier: Classifies face crops.
        settings: Of region detector, tracker and smoother.
        timer: Wraps the function of each stage.
        still: For a single photo, which is searched more thoroughly than a frame of a video.
        baseline: How each person's resting face is learnt; see ``NeutralBaseline``.

    Attributes:
        baseline: Of the people in the source.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: Settings | None = None,
        timer: StageTimer = untimed,
        still: bool = False,
        baseline: BaselineMode = "key",
    ) -> None:
        settings = settings or Settings()
        resting = NeutralBaselineSettings(forget_s=settings.smoother.forget_s)
        others = {name: labels for name, labels in heads_of(classifier).items() if name != EMOTION}
        self.baseline = NeutralBaseline(classifier.labels, resting, baseline, others)
        self._crop_spec = classifier.crop_spec
        self._detect = timer("detect", detector.detect if still else frame_detector(detector, settings))
        self._track = timer("track", Tracker(settings.tracker).update)
        self._crop = timer("crop", crop_track)
        self._classify = timer("classify", classifier.classify)
        self._smooth = timer("smooth", Smoother(classifier.labels, settings.smoother, others).update)
        self._moods: dict[int, Mood] = {}

    def step(self, frame: Frame, classify: bool = True) -> tuple[Mood, ...]:
        """Return the moods of one frame's faces, largest face first.

        Does no I/O: a new pipeline returns the same moods for the same frames.

        Args:
            frame: The next frame of the source.
            classify: False saves time: faces are found and tracked but keep their moods. A face that was not in the
                frame before is classified anyway.

        Raises:
            ModelIncompatible: The network cannot be run.
        """
        return self.classify_tracks(frame, self.track_faces(frame), classify)

    def track_faces(self, frame: Frame) -> tuple[Track, ...]:
        """Return the faces of the next frame, largest first; the first half of ``step``.

        The two halves share no state, so one thread may track some frames ahead of another that classifies.
        """
        return self._track(self._detect(frame), frame.time_s)

    def classify_tracks(self, frame: Frame, tracks: Sequence[Track], classify: bool = True) -> tuple[Mood, ...]:
        """Return the moods of the next frame's tracks, in their order; the second half of ``step``."""
        due = [track for track in tracks if classify or track.id not in self._moods]
        crops = [self._crop(frame, track, self._crop_spec) for track in due]
        predictions = self.baseline.adjust(self._classify(crops), frame.time_s, tracks)
        fresh = {mood.track.id: mood for mood in self._smooth(predictions, frame.time_s)}
        moods = [fresh.get(track.id) or replace(self._moods[track.id], track=track) for track in tracks]
        self._moods = {mood.track.id: mood for mood in moods}
        return tuple(moods)


def frame_detector(detector: Detector, settings: Settings) -> Callable[[Frame], tuple[Detection, ...]]:
    """Return the function that finds faces in one source: with a ``RoiDetector`` if the detector supports it."""
    if isinstance(detector, SupportsRoi) and detector.supports_roi and settings.roi.full_frame_every_s > 0:
        return RoiDetector(detector, settings.roi, settings.detector.max_overlap).detect
    return detector.detect

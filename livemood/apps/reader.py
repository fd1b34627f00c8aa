"""The Python API: moods from pictures, videos and cameras."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

import numpy.typing as npt

from livemood.apps.session import Session
from livemood.bundles.manifest import named_bundle
from livemood.core.errors import VideoUnreadable
from livemood.core.labels import EMOTIONS
from livemood.core.settings import BaselineMode, CaptureSettings, DetectorMode, EngineName, PriorName, ReaderSettings
from livemood.core.stage_settings import Settings
from livemood.core.types import Frame, Image, Mood
from livemood.detection.base import Detector
from livemood.emotion.classifier import Classifier
from livemood.overlay.annotator import Annotator
from livemood.pipeline import Pipeline
from livemood.runtime.closeable import Closeable
from livemood.runtime.storage import is_url
from livemood.sources.base import Source


class MoodReader(Closeable):
    """Reads moods from pictures and videos with one detector and one model, opened once.

    Use it as a context manager, or call ``close``. Several threads may share a reader; results do not depend on it.

    Args:
        model: Bundle folder; the shipped model by default.
        detector: ``auto`` (faces of every size), ``near`` (close faces), ``far`` (small faces), ``fast`` (both of
            these), or any object with ``detect`` and ``close``.
        engine: ``litert`` or ``keras``. Before Keras is loaded, environment variables that keep it silent are set, such
            as ``TF_CPP_MIN_LOG_LEVEL``; those already set stay.
        emotions: Subset of the model's labels to choose between, such as ``("happy", "sad")``; labels and
            scores have its order.
        prior: How common emotions are assumed to be: as in the ``training`` data, of which a third are neutral for the
            shipped model, or ``balanced``: nearer to equally common.
        classifier: Any object in place of the model; ``model``, ``engine``, ``emotions`` and ``prior`` are then not
            used.
        settings: Thresholds and time constants.
        baseline: How resting faces are learnt in moving pictures: ``auto`` (while time goes by), ``key`` (on request
            only) or ``off``. To request it, call ``baseline.begin()`` of the pipeline that was passed to ``video``,
            ``camera`` or ``watch``.

    Attributes:
        session: Holds the models; makes pipelines, annotators, sources and sinks.

    Raises:
        ModelMissing: A model file is not there.
        ModelIncompatible: A model file is broken or altered.
        ValueError: An unknown emotion, prior, detector, engine or baseline, or an object that is none of what is asked
            for.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        detector: DetectorMode | Detector = "auto",
        engine: EngineName = "litert",
        emotions: Sequence[str] | None = None,
        prior: PriorName = "training",
        classifier: Classifier | None = None,
        settings: Settings | None = None,
        baseline: BaselineMode = "auto",
    ) -> None:
        names: Any = tuple(emotions) if isinstance(emotions, list) else emotions  # a str or a set is refused
        if model is not None:
            _check_path(model, "model is the folder of a bundle")
        given = None if isinstance(detector, str) else detector
        _check_has("detector", given, "detect", "close")
        _check_has("classifier", classifier, "labels", "crop_spec", "classify")
        _check_is("settings", settings, Settings)
        reader = ReaderSettings(
            detector=detector if isinstance(detector, str) else "auto",
            emotions=names,
            prior=prior,
            engine=engine,
            model=None if model is None else named_bundle(model),
            baseline=baseline,
        )
        self.session = Session(reader, detector=given, classifier=classifier, settings=settings)

    @property
    def labels(self) -> tuple[str, ...]:
        """Emotions the model chooses between, in its order, or in that of the chosen ones."""
        return self.session.labels

    @property
    def engine(self) -> str:
        """What runs the model: ``litert`` or ``keras``, or the name of the classifier that was given."""
        return self.session.engine

    def pipeline(self) -> Pipeline:
        """Return a new pipeline on this reader's models, without state of earlier frames."""
        return self.session.pipeline()

    def image(self, image: npt.NDArray[Any] | None) -> tuple[Mood, ...]:
        """Return the moods in one picture, largest face first.

        Args:
            image: (H, W, 3) uint8 in BGR order, as ``cv2.imread`` gives it.

        Raises:
            ValueError: The array is of another shape or type, or None, as for a file that ``cv2.imread`` cannot read.
        """
        given: Any = image
        return self.session.read_photo(given)

    def watch(
        self, source: Source, every: int = 1, *, pipeline: Pipeline | None = None
    ) -> Iterator[tuple[Frame, tuple[Mood, ...]]]:
        """Yield the frames of an open source with their moods.

        A file yields every frame; a live source yields the newest, and gaps in ``Frame.index`` are dropped frames.

        Args:
            source: Source of the frames.
            every: Classify every Nth frame; in between, faces are tracked and keep their moods.
            pipeline: A new one from ``pipeline()``, to reach its ``baseline``; by default one of its own.

        Raises:
            SourceError: The source cannot be read.
            ValueError: It is no source, ``every`` is not a whole number of at least 1, or ``pipeline`` is none.
        """
        given: Any = source
        if not hasattr(given, "frames"):
            raise ValueError(f"watch takes a source, got {type(given).__name__}; video() and camera() open one")
        _check_is("pipeline", pipeline, Pipeline)
        with self.session.frames(source, every, pipeline) as frames:
            yield from frames

    def video(self, path: str | Path, *, pipeline: Pipeline | None = None) -> Iterator[tuple[Frame, tuple[Mood, ...]]]:
        """Yield every frame of a video file with its moods.

        Args:
            path: The file.
            pipeline: As for ``watch``.

        Raises:
            VideoUnreadable: The file is not there or holds no video.
            ValueError: ``path`` is no path.
        """
        _check_path(path, "video takes the path of a file, and camera the index of a camera")
        if is_url(str(path)):
            raise VideoUnreadable(f"{path} is an address, not a file", "camera() reads streams")
        with self.session.open_video(path) as source:
            yield from self.watch(source, pipeline=pipeline)

    def camera(
        self, source: int | str = 0, *, capture: CaptureSettings | None = None, pipeline: Pipeline | None = None
    ) -> Iterator[tuple[Frame, tuple[Mood, ...]]]:
        """Yield the newest frame of a camera or stream with its moods, until you stop iterating or it ends.

        Args:
            source: Camera index, device path or name; a stream's URL; a video file or a folder of pictures, played at
                its own speed; ``-`` for raw pictures on stdin, whose size ``capture`` gives.
            capture: Requested size, rate and pixel format, and timeouts.
            pipeline: As for ``watch``.

        Raises:
            CameraUnavailable: There is no such camera, or it was lost.
            SourceError: The stream cannot be read.
            ValueError: Raw pictures without their size, a pixel format that there is not, or ``capture`` is no
                ``CaptureSettings``.
        """
        _check_is("capture", capture, CaptureSettings)
        _check_is("pipeline", pipeline, Pipeline)
        with ExitStack() as stack:
            live = stack.enter_context(self.session.open_live(str(source), capture))
            frames = stack.enter_context(self.session.frames(live, pipeline=pipeline))
            stack.callback(live.close)  # before waiting for the thread that reads, so that it ends
            yield from frames

    def close(self) -> None:
        """Free the detector that this reader opened."""
        self.session.close()


def _check_path(value: Any, wanted: str) -> None:
    if not isinstance(value, str | PathLike):
        raise ValueError(f"{wanted}, got {value!r}")


def _check_is(name: str, value: Any, kind: type[Any]) -> None:
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{name} is an object of class {kind.__name__}, got {value!r}")


def _check_has(name: str, value: Any, *parts: str) -> None:
    if value is not None and not all(hasattr(value, part) for part in parts):
        raise ValueError(f"{name} is an object with {', '.join(parts)}, got {value!r}")


def annotate(
    frame: Frame | npt.NDArray[Any] | None, moods: Sequence[Mood], labels: tuple[str, ...] = EMOTIONS
) -> Image:
    """Return a copy of a frame with boxes and labels drawn.

    Args:
        frame: The frame, or a picture as for ``MoodReader.image``.
        moods: Of its faces.
        labels: Those of the model, ``MoodReader.labels``; they determine the colours.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: It is no frame and no picture.
    """
    given: Any = frame
    return Annotator(labels).draw(given if isinstance(given, Frame) else Frame(0, 0.0, given), moods)

"""The composition root: the only module that connects source, pipeline, annotator and sinks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from livemood.apps.origins import origin_of_run
from livemood.apps.tally import Tally
from livemood.core.crop_spec import CropSpec
from livemood.core.settings import BaselineMode, CaptureSettings, DrawStyle, EncodingSettings, ReaderSettings
from livemood.core.stage_settings import Settings
from livemood.core.types import Detection, Frame, Image, Mood, Track
from livemood.detection.base import Detector
from livemood.detection.combined import FaceDetector
from livemood.emotion.classifier import Classifier, EmotionClassifier, heads_of
from livemood.emotion.crop import crop_track
from livemood.overlay.annotator import Annotator
from livemood.pipeline import Pipeline, StageTimer, untimed
from livemood.runtime.closeable import Closeable
from livemood.runtime.queues import WriteBehind, read_ahead, read_newest
from livemood.sinks.base import Sink, SinkContext
from livemood.sinks.open import Output, open_sink
from livemood.sources.base import Source
from livemood.sources.open import open_live, open_video

_IDLE_S = 0.1


class Session(Closeable):
    """One detector and one model, opened once, and a factory of everything built on them; a context manager.

    Args:
        reader: Which detector and model to open.
        detector: Any object with ``detect`` and ``close``, instead of that of ``reader``; the caller closes it.
        classifier: Any ``Classifier``, instead of the model of ``reader``.
        settings: Thresholds and time constants.

    Attributes:
        detector: In use.
        classifier: In use.
        settings: As given.
        baseline: How resting faces are learnt in moving pictures.

    Raises:
        ModelMissing: A model file is not there.
        ModelIncompatible: A model file is broken or altered.
        ValueError: An unknown emotion or detector.
    """

    def __init__(
        self,
        reader: ReaderSettings | None = None,
        *,
        detector: Detector | None = None,
        classifier: Classifier | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._reader = reader = reader or ReaderSettings()
        self.settings = settings or Settings()
        self.baseline: BaselineMode = reader.baseline
        self.classifier: Classifier = classifier or EmotionClassifier(
            reader.model, reader.engine, reader.emotions, reader.prior
        )
        with ExitStack() as stack:
            if detector is None:
                detector = stack.enter_context(FaceDetector(reader.detector, self.settings.detector))
                self._detector_name: str = reader.detector
            else:
                self._detector_name = type(detector).__name__
            self.detector: Detector = detector
            self._open = stack.pop_all()

    @property
    def heads(self) -> Mapping[str, tuple[str, ...]]:
        """Labels by head of the model; the first is ``emotion``."""
        return heads_of(self.classifier)

    @property
    def labels(self) -> tuple[str, ...]:
        """Emotions the model chooses between, in its order, or in that of the chosen ones."""
        return self.classifier.labels

    @property
    def crop_spec(self) -> CropSpec:
        """How faces are cropped for the model."""
        return self.classifier.crop_spec

    @property
    def engine(self) -> str:
        """What runs the model: ``litert`` or ``keras``, or the name of the classifier that was given."""
        classifier = self.classifier
        return classifier.engine if isinstance(classifier, EmotionClassifier) else type(classifier).__name__

    def pipeline(self, timer: StageTimer = untimed) -> Pipeline:
        """Return a new pipeline, without state of earlier frames.

        Args:
            timer: Wraps the function of each stage.
        """
        return Pipeline(self.detector, self.classifier, self.settings, timer, baseline=self.baseline)

    def annotator(self, style: DrawStyle | None = None) -> Annotator:
        """Return an annotator for this model's labels."""
        return Annotator(self.labels, style)

    def draw(self, frame: Frame, moods: Sequence[Mood], style: DrawStyle) -> Image:
        """Return an annotated copy of a frame, (H, W, 3) uint8 BGR."""
        return self.annotator(style).draw(frame, moods)

    def read_photo(self, image: Image, reduced: bool = False) -> tuple[Mood, ...]:
        """Return the moods in one picture, largest face first.

        Args:
            image: (H, W, 3) uint8 BGR.
            reduced: It was decoded at a reduced size.

        Raises:
            FullSizeNeeded: It was, and its faces need more detail.
            ValueError: The array is of another shape or type.
        """
        return Pipeline(self.detector, self.classifier, self.settings, still=True).step(Frame(0, 0.0, image, reduced))

    def read_face(self, frame: Frame, face: Detection) -> tuple[str, float]:
        """Return the most likely emotion of a face in a frame, and its probability, without smoothing."""
        crop = crop_track(frame, Track(1, face, frame.time_s), self.crop_spec)
        (prediction,) = self.classifier.classify([crop])
        best = int(prediction.probabilities.argmax())
        return self.labels[best], float(prediction.probabilities[best])

    def open_video(self, path: str | Path, start_s: float = 0.0, duration_s: float | None = None) -> Source:
        """Open a video file, or a cut of it; see ``livemood.sources.open.open_video``."""
        return open_video(path, start_s, duration_s)

    def open_live(self, spec: str, capture: CaptureSettings | None = None) -> Source:
        """Open a camera, a stream, or a file played in real time; see ``livemood.sources.open.open_live``."""
        return open_live(spec, capture)

    def open_sink(
        self,
        output: Output,
        source: Source,
        *,
        force: bool = False,
        faceless_rows: bool = False,
        encoding: EncodingSettings | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Sink:
        """Open a sink for the frames of a source and this model's moods.

        Args:
            output: Kind and target.
            source: Source of the frames.
            force: Replace files that are there.
            faceless_rows: Write a row for frames without faces too.
            encoding: Of a labelled video.
            options: Settings of the run that are stored in records.

        Raises:
            SinkError: The target is there already, is of an unknown form, or cannot be written.
        """
        context = SinkContext(
            self.heads,
            source.info,
            live=source.live,
            force=force,
            faceless_rows=faceless_rows,
            encoding=encoding or EncodingSettings(),
            origin=origin_of_run(self._reader, self._detector_name, self.classifier, source, options or {}),
        )
        return open_sink(output, context)

    @contextmanager
    def frames(
        self, source: Source, every: int = 1, pipeline: Pipeline | None = None
    ) -> Iterator[Iterator[tuple[Frame, tuple[Mood, ...]]]]:
        """Read the frames of an open source with their moods.

        A separate thread reads the frames; for a file it also tracks faces, some frames ahead. A file yields every
        frame; a live source yields the newest, and gaps in ``Frame.index`` are dropped frames.

        Args:
            source: Source of the frames.
            every: Classify every Nth yielded frame; in between, faces are tracked and keep their moods.
            pipeline: A new one of this session, for a caller that needs it too; by default one is made.

        Raises:
            SourceError: The source cannot be read; raised while iterating.
            ValueError: ``every`` is not a whole number of at least 1.
        """
        if not isinstance(every, int | float) or every < 1 or every % 1:
            raise ValueError(f"every is a whole number of at least 1, got {every!r}")
        pipeline = pipeline or self.pipeline()
        if source.live:
            with read_newest(source.frames(), _IDLE_S) as newest:
                taken = enumerate(frame for frame in newest if frame is not None)
                yield ((frame, pipeline.step(frame, count % every == 0)) for count, frame in taken)
            return
        with read_ahead((frame, pipeline.track_faces(frame)) for frame in source.frames()) as tracked:
            yield (
                (frame, pipeline.classify_tracks(frame, tracks, frame.index % every == 0)) for frame, tracks in tracked
            )

    def run(
        self,
        source: Source,
        sinks: Sequence[Sink],
        style: DrawStyle | None = None,
        every: int = 1,
        on_frame: Callable[[Frame], None] = lambda _: None,
    ) -> Tally:
        """Process a source to its end and pass every frame to the sinks.

        Three threads: decoding and tracking; classifying and drawing; writing, as encoding alone takes most of a core.

        Args:
            source: Open source; frames come in order and none is dropped.
            sinks: Open sinks.
            style: How to draw.
            every: Classify every Nth frame; all are drawn and written.
            on_frame: Called after each frame, for a progress display.

        Returns:
            The counts.

        Raises:
            SourceError: The source cannot be read.
            SinkError: A sink could not be written.
            KeyboardInterrupt: The sinks can be closed; what was written so far is valid.
        """
        tally, annotator = Tally(), self.annotator(style)
        drawn = any(sink.needs_image for sink in sinks)

        def write(item: tuple[Frame, tuple[Mood, ...], Image | None]) -> None:
            frame, moods, image = item
            for sink in sinks:
                sink.write(frame, moods, image)

        with WriteBehind(write) as writer, self.frames(source, every) as frames:
            for frame, moods in frames:
                writer.put((frame, moods, annotator.draw(frame, moods) if drawn else None))
                tally.add(frame, moods)
                on_frame(frame)
        return tally

    def close(self) -> None:
        """Free the detector that this session opened."""
        self._open.close()

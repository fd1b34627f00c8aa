"""Composition root: puts source, detector, classifier and sinks together, and closes them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from livemood.core.labels import EMOTIONS
from livemood.core.settings import Settings
from livemood.core.types import Frame, Image, Mood
from livemood.detection.base import Detector
from livemood.detection.combined import DetectorMode, FaceDetector
from livemood.emotion.classifier import Classifier, EmotionClassifier, EngineName
from livemood.overlay.annotator import Annotator, DrawStyle
from livemood.pipeline import Pipeline, StageTimer, WriteBehind, read_ahead, read_newest, untimed
from livemood.runtime.closeable import Closeable
from livemood.sources import Source

_IDLE_S = 0.1


class MoodReader(Closeable):
    """Reads moods from pictures and videos with one detector and one model, opened once.

    Use as a context manager, or call ``close``.

    Args:
        model: Bundle folder; the shipped model by default.
        detector: ``auto`` (faces of every size), ``near`` (close faces), ``far`` (small faces), ``fast`` (both of
            these), or any object with ``detect`` and ``close``.
        engine: ``litert`` or ``keras``.
        emotions: Subset of the model's labels to choose between, such as ``("happy", "sad")``.
        classifier: Any object in place of the model; ``model``, ``engine`` and ``emotions`` are then not used.
        settings: Thresholds and time constants.

    Raises:
        ModelMissing: A model file is not there.
        ModelIncompatible: A model file is broken or altered.
        ValueError: An unknown emotion or detector.
    """

    def __init__(
        self,
        model: Path | None = None,
        *,
        detector: DetectorMode | Detector = "auto",
        engine: EngineName = "litert",
        emotions: Sequence[str] | None = None,
        classifier: Classifier | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._classifier = classifier or EmotionClassifier(model, engine, emotions)
        with ExitStack() as stack:
            if isinstance(detector, str):
                detector = FaceDetector(detector, self._settings.detector)
                stack.callback(detector.close)
            self._detector = detector
            self._open = stack.pop_all()

    @property
    def labels(self) -> tuple[str, ...]:
        """Emotions the model chooses between, in its order."""
        return self._classifier.labels

    @property
    def engine(self) -> str:
        """What runs the model: ``litert`` or ``keras``, or the name of the classifier that was given."""
        classifier = self._classifier
        return classifier.engine if isinstance(classifier, EmotionClassifier) else type(classifier).__name__

    def pipeline(self, meter: StageTimer = untimed) -> Pipeline:
        """Return a fresh pipeline, without memory of earlier frames, on this reader's models.

        Args:
            meter: Gets every stage once, to time its calls.
        """
        return Pipeline(self._detector, self._classifier, self._settings, meter)

    def image(self, image: Image) -> tuple[Mood, ...]:
        """Return the moods in one picture, largest face first.

        Args:
            image: (H, W, 3) uint8 in BGR order, as ``cv2.imread`` gives it.

        Raises:
            ValueError: The array is of another shape or type.
        """
        return self.pipeline().step(Frame(0, 0.0, image))

    def watch(self, source: Source, every: int = 1) -> Iterator[tuple[Frame, tuple[Mood, ...]]]:
        """Yield the frames of an open source with their moods.

        A thread of its own takes the frames. From a file it also finds their faces, some frames ahead.

        Every frame of a file comes; of a live source the newest does, and ``Frame.index`` tells what was left out.

        Args:
            source: Gives the frames.
            every: Classify every so many frames only; in between, faces are followed and keep their moods.
        """
        pipeline = self.pipeline()
        if source.live:
            with read_newest(source.frames(), _IDLE_S) as newest:
                for frame in newest:
                    if frame is not None:
                        yield frame, pipeline.step(frame, frame.index % every == 0)
            return
        with read_ahead((frame, pipeline.track_faces(frame)) for frame in source.frames()) as found:
            for frame, tracks in found:
                yield frame, pipeline.classify_tracks(frame, tracks, frame.index % every == 0)

    def video(self, path: str | Path) -> Iterator[tuple[Frame, tuple[Mood, ...]]]:
        """Yield every frame of a video file with its moods.

        Raises:
            VideoUnreadable: The file is not there or holds no video.
        """
        from livemood.sources.video.file import VideoSource

        with VideoSource(Path(path)) as source:
            yield from self.watch(source)

    def camera(self, source: int | str = 0) -> Iterator[tuple[Frame, tuple[Mood, ...]]]:
        """Yield the newest frame of a camera or stream with its moods, for as long as you take them.

        Args:
            source: Camera index, device path or name, or a stream's URL.

        Raises:
            CameraUnavailable: There is no such camera, or it was lost.
            SourceError: The stream cannot be read.
        """
        from livemood.sources.open import open_live

        with open_live(str(source)) as live:
            yield from self.watch(live)

    def close(self) -> None:
        """Free the detector that this reader opened."""
        self._open.close()


def annotate(frame: Frame, moods: Sequence[Mood], labels: tuple[str, ...] = EMOTIONS) -> Image:
    """Return a copy of the frame, (H, W, 3) uint8 BGR, with boxes and labels drawn."""
    return Annotator(labels).draw(frame, moods)


class FrameSink(Protocol):
    """Takes frames with their annotated pictures: a video file, a window."""

    def write(self, frame: Frame, image: Image) -> None:
        """Take one frame."""
        ...


class MoodSink(Protocol):
    """Takes frames with their moods: records, subtitles."""

    def write(self, frame: Frame, moods: Sequence[Mood]) -> None:
        """Take one frame."""
        ...


@dataclass(slots=True)
class Summary:
    """What a run saw.

    Attributes:
        frames: Frames read.
        faces: Faces seen, counted once in every frame.
        tracks: Different people followed.
        duration_s: Time of the last frame.
        elapsed_s: Wall seconds spent.
        shares: Share of the faces by label, most frequent first; sums to 1.
        notes: One line about everything that was not as it should be.
    """

    frames: int = 0
    faces: int = 0
    tracks: int = 0
    duration_s: float = 0.0
    elapsed_s: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain data."""
        return asdict(self)


class Tally:
    """Counts frames into a ``Summary``."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._summary = Summary()
        self._people: set[int] = set()
        self._labels: Counter[str] = Counter()

    def add(self, frame: Frame, moods: Sequence[Mood]) -> None:
        """Count one frame."""
        self._summary.frames += 1
        self._summary.duration_s = frame.time_s
        self._people.update(mood.track.id for mood in moods)
        self._labels.update(mood.label for mood in moods)

    def summary(self, notes: Sequence[str] = ()) -> Summary:
        """Return the counts so far."""
        summary, faces = self._summary, self._labels.total()
        summary.faces, summary.tracks, summary.notes = faces, len(self._people), list(notes)
        summary.shares = {label: round(count / faces, 4) for label, count in self._labels.most_common()}
        summary.elapsed_s = round(time.monotonic() - self._began, 3)
        return summary


def label_frames(
    reader: MoodReader,
    source: Source,
    pictures: Sequence[FrameSink] = (),
    moods_to: Sequence[MoodSink] = (),
    style: DrawStyle | None = None,
    every: int = 1,
    on_frame: Callable[[Frame], None] = lambda _: None,
) -> Tally:
    """Run a source through to its end and hand every frame to the sinks.

    Decoding with finding faces, reading and drawing them, and writing each have a thread: encoding takes so long that
    whatever else its thread did would hold up the rest.

    Args:
        reader: Models.
        source: Open source; frames come in order and none is dropped.
        pictures: Get the annotated picture of every frame.
        moods_to: Get the moods of every frame.
        style: How to draw.
        every: Classify every so many frames only; all are drawn and written.
        on_frame: Called after each frame, for a progress display.

    Returns:
        The counts.

    Raises:
        KeyboardInterrupt: What was written so far stays good.
    """
    tally = Tally()
    annotator = Annotator(reader.labels, style or DrawStyle())

    def write(item: tuple[Frame, Image | None, tuple[Mood, ...]]) -> None:
        frame, image, moods = item
        if image is not None:
            for sink in pictures:
                sink.write(frame, image)
        for record in moods_to:
            record.write(frame, moods)

    with WriteBehind(write) as writer:
        for frame, moods in reader.watch(source, every):
            writer.put((frame, annotator.draw(frame, moods) if pictures else None, moods))
            tally.add(frame, moods)
            on_frame(frame)
    return tally

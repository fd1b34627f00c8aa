"""Fakes of detector, classifier, sink, source and screen, for tests of livemood and of programs built on it.

Each replaces the real object: ``MoodReader(detector=ScriptedDetector(...), classifier=TableClassifier(...))``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import CROP, CropSpec
from livemood.core.labels import EMOTIONS
from livemood.core.types import Detection, FaceCrop, Frame, Image, Mood, Prediction
from livemood.core.video_info import VideoInfo
from livemood.sinks.base import Sink
from livemood.sources.base import Source

Script = Sequence[Sequence[Detection]] | Callable[[Frame], Sequence[Detection]]


class ScriptedDetector:
    """Returns scripted faces.

    Args:
        script: Faces by ``Frame.index`` (frames beyond the end have those of the last entry, and none if there is no
            entry), or a function of the frame.

    Attributes:
        frames: Indices of the frames passed to ``detect``, in order.
        closed: Whether ``close`` was called.
    """

    def __init__(self, script: Script = ((),)) -> None:
        self._script = script or ((),)
        self.frames: list[int] = []
        self.closed = False

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces scripted for a frame."""
        self.frames.append(frame.index)
        if callable(self._script):
            return tuple(self._script(frame))
        return tuple(self._script[min(frame.index, len(self._script) - 1)])

    def close(self) -> None:
        """Set ``closed``."""
        self.closed = True


class TableClassifier:
    """Takes each track's scores from a table, whatever its pixels.

    Args:
        table: Scores by track id: a sequence in the order of ``labels``, or a mapping from label to score (labels
            left out score 0). Scores are 0 or more, and scaled to sum to 1.
        default: Scores of every track that the table does not name; the first label alone when left out.
        labels: Names of the classes.
        crop_spec: How faces are to be cropped.

    Attributes:
        calls: The track ids of each call, in order.

    Raises:
        ValueError: A label that is none of ``labels``, or scores that are not one for each of them, negative, not
            finite, or all 0.
    """

    def __init__(
        self,
        table: Mapping[int, Sequence[float] | Mapping[str, float]] | None = None,
        default: Sequence[float] | Mapping[str, float] | None = None,
        labels: tuple[str, ...] = EMOTIONS,
        crop_spec: CropSpec = CROP,
    ) -> None:
        self._labels = labels
        self._table = {track: self._probabilities(scores) for track, scores in (table or {}).items()}
        self._default = self._probabilities({labels[0]: 1.0} if default is None else default)
        self._crop_spec = crop_spec
        self.calls: list[tuple[int, ...]] = []

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self._labels

    @property
    def crop_spec(self) -> CropSpec:
        """How faces are to be cropped."""
        return self._crop_spec

    def classify(self, crops: Sequence[FaceCrop]) -> tuple[Prediction, ...]:
        """Return the table's row for every crop's track."""
        self.calls.append(tuple(crop.track.id for crop in crops))
        return tuple(Prediction(self._table.get(crop.track.id, self._default), crop.track) for crop in crops)

    def _probabilities(self, scores: Sequence[float] | Mapping[str, float]) -> npt.NDArray[np.float32]:
        if isinstance(scores, Mapping):
            unknown = [label for label in scores if label not in self._labels]
            if unknown:
                raise ValueError(f"unknown label {unknown[0]!r}; this classifier has {', '.join(self._labels)}")
            scores = [scores.get(label, 0.0) for label in self._labels]
        values = np.asarray(scores, np.float32)
        if values.shape != (len(self._labels),) or not (values.min() >= 0 and 0 < values.sum() < np.inf):
            raise ValueError(f"scores are {len(self._labels)} numbers, 0 or more and not all 0, got {scores}")
        probabilities: npt.NDArray[np.float32] = values / values.sum()
        return probabilities


class RecordingSink(Sink):
    """Stores everything that is written to it.

    Args:
        needs_image: Whether it asks for annotated pictures.

    Attributes:
        frames: The frames, in order.
        images: Annotated pictures, one for each frame that came with one.
        moods: Moods, one tuple for each frame.
        events: Numbers of marked events.
        event_names: Their names, in the same order; empty where one has none.
        closed: Whether it was closed.
    """

    takes_events = True

    def __init__(self, needs_image: bool = False) -> None:
        self.needs_image = needs_image
        self.frames: list[Frame] = []
        self.images: list[Image] = []
        self.moods: list[tuple[Mood, ...]] = []
        self.events: list[int] = []
        self.event_names: list[str] = []
        self.closed = False

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Store one frame with its moods and its picture."""
        self.frames.append(frame)
        self.moods.append(tuple(moods))
        if image is not None:
            self.images.append(image.copy())

    def mark(self, frame: Frame, event: int, name: str = "") -> None:
        """Store an event."""
        self.events.append(event)
        self.event_names.append(name)

    def close(self) -> None:
        """Set ``closed``."""
        self.closed = True


class ScriptedSource(Source):
    """Yields given frames.

    Args:
        frames: One or more, all of one size.
        live: Whether the source counts as live.

    Attributes:
        closed: Whether ``close`` was called.

    Raises:
        ValueError: There is no frame.
    """

    def __init__(self, frames: Sequence[Frame], live: bool = False) -> None:
        if not frames:
            raise ValueError("a scripted source needs a frame at least")
        self._frames = frames
        self.live = live
        self.closed = False

    @property
    def info(self) -> VideoInfo:
        """Size and number of the frames."""
        first = self._frames[0]
        return VideoInfo(first.width, first.height, frame_count=len(self._frames))

    def frames(self) -> Iterator[Frame]:
        """Yield the frames."""
        yield from self._frames

    def close(self) -> None:
        """Set ``closed``."""
        self.closed = True


class ScriptedScreen:
    """A screen with scripted key presses, in place of a window.

    Args:
        keys: Key by the number of pictures shown before it; each is pressed once, in that order.

    Attributes:
        images: Pictures shown, in order.
        full_screen: How often full screen was toggled.
    """

    def __init__(self, keys: Mapping[int, str] | None = None) -> None:
        self._keys = sorted((keys or {}).items())
        self.images: list[Image] = []
        self.full_screen = 0
        self.is_open = True

    def show(self, image: Image) -> None:
        """Store a picture."""
        self.images.append(image)

    def key(self) -> str | None:
        """Return the key that is due."""
        due = bool(self._keys) and self._keys[0][0] <= len(self.images)
        return self._keys.pop(0)[1] if due else None

    def toggle_full_screen(self) -> None:
        """Count the call."""
        self.full_screen += 1

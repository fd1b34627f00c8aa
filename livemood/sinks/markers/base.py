"""What every form of markers is written from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from livemood.core.errors import SinkError
from livemood.core.video_info import VideoInfo
from livemood.sinks.intervals import Interval
from livemood.sinks.markers.timebase import Timebase, timebase

_USUAL_RATE: Final = Fraction(25)


@dataclass(frozen=True, slots=True)
class Clip:
    """The video that markers belong to.

    Attributes:
        name: What programs show.
        base: How it counts its frames.
        first_s: Time of its first frame, s, on the clock of the labels.
        path: The file; None if it is not known.
        size: Width and height, px; None if not known.
    """

    name: str
    base: Timebase
    first_s: float = 0.0
    path: Path | None = None
    size: tuple[int, int] | None = None

    @property
    def url(self) -> str | None:
        """The file's address."""
        return None if self.path is None else self.path.resolve().as_uri()


def make_clip(
    name: str,
    rate: Fraction | None = None,
    timecode: str | None = None,
    first_s: float = 0.0,
    path: Path | None = None,
    size: tuple[int, int] | None = None,
) -> Clip:
    """Return the clip with these properties; 25 frames per second where no rate is known.

    Raises:
        SinkError: A timecode that is none, or that the rate does not have.
    """
    try:
        base = timebase(rate or _USUAL_RATE, timecode)
    except ValueError as error:
        raise SinkError(str(error)) from error
    return Clip(name, base, first_s, path, size)


def clip_of(info: VideoInfo, name: str, rate: Fraction | None = None, timecode: str | None = None) -> Clip:
    """Return what markers need to know of a source.

    Args:
        info: Of a video file, or of a live source.
        name: What programs show where there is no file.
        rate: Frames per second, if not the source's own.
        timecode: Of the first frame, if not the source's own.

    Raises:
        SinkError: A timecode that is none, or that the rate does not have.
    """
    path, size = info.path, (info.width, info.height)
    return make_clip(
        path.stem if path else name, rate or info.average_rate, timecode or info.timecode, info.first_s, path, size
    )


@dataclass(frozen=True, slots=True)
class Event:
    """A moment that was marked: its number from 1, its time, s, and its name, if it has one."""

    number: int
    time_s: float
    name: str = ""

    @property
    def text(self) -> str:
        """What programs show."""
        return self.name or f"event {self.number}"


@dataclass(frozen=True, slots=True)
class Marker:
    """A stretch of frames of a clip, with what to say about it.

    Attributes:
        frame: First frame, from the clip's first on.
        frames: How many, at least 1.
        text: What programs show.
        label: The emotion, ``unsure``, or empty for an event.
    """

    frame: int
    frames: int
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Markers:
    """All that a form of markers tells.

    Attributes:
        clip: What they belong to.
        intervals: Labels of everyone, in the order of their beginnings.
        events: Moments that someone marked, in order.
        end_s: When the last frame ends, s.
    """

    clip: Clip
    intervals: Sequence[Interval]
    events: Sequence[Event] = ()
    end_s: float = 0.0

    @property
    def frames(self) -> int:
        """Frames from the clip's first to the last one that was seen."""
        return max(self._frame(self.end_s), 1)

    @property
    def labels(self) -> list[str]:
        """Labels that occur, in the order in which they first do."""
        return list(dict.fromkeys(interval.label for interval in self.intervals))

    def people(self) -> dict[int, list[Interval]]:
        """Return everyone's intervals, in order and without overlap, by track."""
        found: dict[int, list[Interval]] = {}
        for interval in self.intervals:
            found.setdefault(interval.track, []).append(interval)
        return dict(sorted(found.items()))

    def markers(self) -> list[Marker]:
        """Return intervals and events as stretches of frames, in order."""
        return sorted([*self._of_labels(), *self._of_events()], key=lambda marker: marker.frame)

    def _of_labels(self) -> Iterable[Marker]:
        for interval in self.intervals:
            start = self._frame(interval.start_s)
            frames = max(self._frame(interval.end_s) - start, 1)
            yield Marker(start, frames, f"{person(interval.track)}: {interval.label}", interval.label)

    def _of_events(self) -> Iterable[Marker]:
        for event in self.events:
            yield Marker(self._frame(event.time_s), 1, event.text)

    def _frame(self, time_s: float) -> int:
        return self.clip.base.frame(time_s - self.clip.first_s)


def person(track: int) -> str:
    """Return how programs name whoever has this track."""
    return f"person {track}"

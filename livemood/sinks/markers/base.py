"""The data that every marker format is written from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Final

from livemood.core.errors import SinkError
from livemood.core.text_tables import one_line
from livemood.core.video_info import VideoInfo
from livemood.sinks.intervals import Interval, person
from livemood.sinks.markers.timebase import Timebase, timebase

_USUAL_RATE: Final = Fraction(25)


@dataclass(frozen=True, slots=True)
class Clip:
    """The video that markers belong to.

    Attributes:
        name: Displayed name.
        base: Frame rate and timecode of the first frame.
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
        SinkError: The timecode is invalid, or does not exist at this rate.
    """
    try:
        base = timebase(rate or _USUAL_RATE, timecode)
    except ValueError as error:
        raise SinkError(str(error)) from error
    return Clip(one_line(name), base, first_s, path, size)


def clip_of(info: VideoInfo, name: str, rate: Fraction | None = None, timecode: str | None = None) -> Clip:
    """Return the clip of a source.

    Args:
        info: Of a video file, or of a live source.
        name: Displayed name where there is no file.
        rate: Frames per second, if not the source's own.
        timecode: Of the first frame, if not the source's own.

    Raises:
        SinkError: The timecode is invalid, or does not exist at this rate.
    """
    path, size = info.path, (info.width, info.height)
    shown = path.stem if path else name
    if path and info.name and Path(info.name) != path:  # a scratch file, which will be gone
        path = Path(info.name) if Path(info.name).is_file() else None
    return make_clip(shown, rate or info.average_rate, timecode or info.timecode, info.first_s, path, size)


@dataclass(frozen=True, slots=True)
class Event:
    """A marked event: its number from 1, its time, s, and its name, if it has one."""

    number: int
    time_s: float
    name: str = ""

    @property
    def text(self) -> str:
        """Displayed text."""
        return self.name or f"event {self.number}"


@dataclass(frozen=True, slots=True)
class Marker:
    """A range of frames of a clip, with a text.

    Attributes:
        frame: First frame, counted from the clip's first.
        frames: Number of frames, at least 1.
        text: Displayed text.
        label: The emotion, ``unsure``, or empty for an event.
    """

    frame: int
    frames: int
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Markers:
    """The content of a marker file.

    Attributes:
        clip: The video.
        intervals: Labels of all people, by start time.
        events: Marked events, in order.
        end_s: When the last frame ends, s.
    """

    clip: Clip
    intervals: Sequence[Interval]
    events: Sequence[Event] = ()
    end_s: float = 0.0

    @property
    def frames(self) -> int:
        """Number of frames from the clip's first to the last one processed, or marked."""
        return max([1, self._frame(self.end_s), *(self._frame(event.time_s) + 1 for event in self.events)])

    @property
    def labels(self) -> list[str]:
        """The labels that occur, by first occurrence."""
        return list(dict.fromkeys(interval.label for interval in self.intervals))

    def people(self) -> dict[int, list[Interval]]:
        """Return the intervals of each track, in order and without overlap."""
        found: dict[int, list[Interval]] = {}
        for interval in self.intervals:
            found.setdefault(interval.track, []).append(interval)
        return dict(sorted(found.items()))

    def markers(self) -> list[Marker]:
        """Return intervals and events as ranges of frames, in order."""
        return sorted([*self._of_labels(), *self._of_events()], key=lambda marker: marker.frame)

    def moments(self) -> list[tuple[float, str]]:
        """Return time, s, and text of the frames at which events were marked, in order."""
        in_order = sorted(self.events, key=lambda event: event.time_s)
        frames = (list(group) for _, group in groupby(in_order, key=lambda event: self._frame(event.time_s)))
        return [(found[0].time_s, "; ".join(event.text for event in found)) for found in frames]

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

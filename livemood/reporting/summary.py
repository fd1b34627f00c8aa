"""The summary of a recording, computed in one pass over its records in constant memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from livemood.core.labels import UNSURE
from livemood.records import Record, read_origin
from livemood.records.inputs import read_recording
from livemood.reporting.changes import CHANGES_KEPT, Change, Peaks, strongest

MAX_BINS: Final = 1000
"""A person's curves have at most this many points."""

GAP_S: Final = 1.0
"""A person was away for a longer gap between rows, s."""

GAP_STEPS: Final = 4
"""Where rows or points are far apart, the gap is longer than this many of them."""

CONFIDENCE_STEPS: Final = 10
_FIRST_BIN_S: Final = 1 / 64


@dataclass(slots=True)
class Bin:
    """Sums over the rows of one person in one time bin."""

    count: int
    time_s: float
    scores: list[float]
    labels: Counter[str]

    def add(self, other: "Bin") -> None:
        """Add another bin."""
        self.count += other.count
        self.time_s += other.time_s
        self.scores = [mine + theirs for mine, theirs in zip(self.scores, other.scores, strict=True)]
        self.labels += other.labels


@dataclass(slots=True)
class Person:
    """One track.

    Attributes:
        id: Of the track.
        first_s: Time of the first row.
        last_s: Time of the last row.
        faces: Rows.
        labels: Rows by label.
        doubts: Rows labelled unsure, by the reason.
        smiles: Rows labelled happy, by the kind of smile, where the head ``smile`` gave it.
        confidence_sum: Over all rows.
        confidences: Rows by tenth of confidence.
        bins: By index in time.
        first_box: Left, top, right and bottom in the first row, px.
        last_box: The same in the last row.
    """

    id: int
    first_s: float
    last_s: float
    faces: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    smiles: Counter[str] = field(default_factory=Counter)
    confidence_sum: float = 0.0
    confidences: list[int] = field(default_factory=lambda: [0] * CONFIDENCE_STEPS)
    bins: dict[int, Bin] = field(default_factory=dict)
    first_box: tuple[float, float, float, float] | None = None
    last_box: tuple[float, float, float, float] | None = None

    @property
    def unsure_share(self) -> float:
        """Share of rows labelled unsure, 0..1."""
        return self.labels[UNSURE] / self.faces

    @property
    def confidence(self) -> float:
        """Mean confidence, 0..1."""
        return self.confidence_sum / self.faces


@dataclass(slots=True)
class Summary:
    """A recording in numbers.

    Attributes:
        labels: Emotions, in order.
        people: Longest on screen first.
        changes: Strongest first.
        events: Times of marked events by number, s.
        event_names: Names of events by number, for those that have one.
        bin_s: Width of the bins, s; people's curves are averages over it.
        frame_s: Shortest time from one row's frame to the next one's, s; 0 if there is but one.
        step_s: Length of time of one point of a curve, s.
        gap_s: Neighbouring points of a curve farther apart than this are not joined, s.
        faces: Rows with a face.
        frames: Frames with a face.
        faceless: Frames recorded without a face.
        start_s: Time of frame 0 of the video or cut, s, with or without a face.
        end_s: Time of the last row, s.
        duration_s: Length of what was read as its origin states it, s; 0 where it states none.
    """

    labels: tuple[str, ...] = ()
    people: list[Person] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    events: dict[int, float] = field(default_factory=dict)
    event_names: dict[int, str] = field(default_factory=dict)
    bin_s: float = _FIRST_BIN_S
    frame_s: float = 0.0
    step_s: float = 0.0
    gap_s: float = GAP_S
    faces: int = 0
    frames: int = 0
    faceless: int = 0
    start_s: float = 0.0
    end_s: float = 0.0
    duration_s: float = 0.0

    def event_title(self, number: int) -> str:
        """Return the title of an event on a page."""
        return self.event_names.get(number, f"event {number}")

    @property
    def over_s(self) -> float:
        """End of the last row's frame, s; later than ``start_s`` even with a single row."""
        return self.end_s + (self.frame_s or self.bin_s)

    @property
    def length_s(self) -> float:
        """Length of the recording, s: to the last row, or further if the origin knows of frames without a face."""
        return max(self.over_s - self.start_s, self.duration_s)


def summary_of(path: Path) -> Summary:
    """Return the summary of a record file.

    Raises:
        LivemoodError: As ``read_recording``.
    """
    summary, origin = summarise(read_recording(path)), read_origin(path)
    summary.duration_s = (origin and origin.duration_s) or 0.0
    return summary


def summarise(records: Iterable[Record]) -> Summary:
    """Return the summary of a recording, given its rows in order of time; events may come in any order."""
    collector = _Collector()
    for record in records:
        collector.add(record)
    return collector.finish()


@dataclass(frozen=True, slots=True)
class Span:
    """A time range in which a person has one label."""

    label: str
    start_s: float
    end_s: float


def spans(person: Person, summary: Summary) -> list[Span]:
    """Return the time ranges of the person's most frequent label per bin."""
    found: list[Span] = []
    for point in (person.bins[place] for place in sorted(person.bins)):
        now, label = point.time_s / point.count, point.labels.most_common(1)[0][0]
        last = found[-1] if found else None
        if last and now - last.end_s <= summary.gap_s - summary.step_s:
            found[-1] = Span(last.label, last.start_s, now + summary.step_s if last.label == label else now)
            if last.label == label:
                continue
        found.append(Span(label, now, now + summary.step_s))
    return found


def curves(person: Person, summary: Summary) -> tuple[list[float | None], list[list[float | None]]]:
    """Return times, s, and one list of mean scores per label; a single None marks each absence."""
    times: list[float | None] = []
    values: list[list[float | None]] = [[] for _ in summary.labels]
    last_s: float | None = None
    for point in (person.bins[place] for place in sorted(person.bins)):
        now_s = point.time_s / point.count
        if last_s is not None and now_s - last_s > summary.gap_s:
            times.append(None)
            for curve in values:
                curve.append(None)
        times.append(now_s)
        for curve, score in zip(values, point.scores, strict=True):
            curve.append(round(score / point.count, 4))
        last_s = now_s
    return times, values


class _Collector:
    def __init__(self) -> None:
        self._summary = Summary()
        self._people: dict[int, Person] = {}
        self._peaks: dict[int, Peaks] = {}
        self._changes: list[Change] = []
        self._frame: int | None = None
        self._face_frame: int | None = None
        self._first = (0, 0.0)
        self._time_s = 0.0

    def add(self, record: Record) -> None:
        summary = self._summary
        if record.event is not None:
            summary.events[record.event] = record.time_s
            if record.event_name:
                summary.event_names[record.event] = record.event_name
            return
        if self._frame is None:
            self._first = record.frame, record.time_s
            self._time_s = record.time_s
        step = record.time_s - self._time_s
        if step > 0 and not 0 < summary.frame_s <= step:
            summary.frame_s = step
        self._time_s = record.time_s
        self._frame = record.frame
        if record.track is None:
            summary.faceless += 1
            return
        summary.faces += 1
        summary.frames += record.frame != self._face_frame
        self._face_frame = record.frame
        summary.labels = summary.labels or tuple(record.scores)
        self._count(record, record.track, str(record.label), record.confidence or 0.0)
        self._watch(record, record.track)

    def _count(self, record: Record, track: int, label: str, confidence: float) -> None:
        person = self._people.get(track)
        if person is None:
            person = self._people[track] = Person(track, record.time_s, record.time_s)
        person.last_s = record.time_s
        person.first_box, person.last_box = person.first_box or record.box, record.box
        person.faces += 1
        person.labels[label] += 1
        person.doubts.update([record.reason] if record.reason else [])
        person.smiles.update([record.smile_kind] if record.smile_kind else [])
        person.confidence_sum += confidence
        person.confidences[min(int(confidence * CONFIDENCE_STEPS), CONFIDENCE_STEPS - 1)] += 1
        while (place := int((record.time_s - self._first[1]) / self._summary.bin_s)) >= MAX_BINS:
            self._widen()
        scores = [record.scores.get(name, 0.0) for name in self._summary.labels]
        row = Bin(1, record.time_s, scores, Counter((label,)))
        if place in person.bins:
            person.bins[place].add(row)
        else:
            person.bins[place] = row

    def _widen(self) -> None:
        """Double the width of all bins."""
        self._summary.bin_s *= 2
        for person in self._people.values():
            old, person.bins = person.bins, {}
            for place, content in old.items():
                if place // 2 in person.bins:
                    person.bins[place // 2].add(content)
                else:
                    person.bins[place // 2] = content

    def _watch(self, record: Record, track: int) -> None:
        last_s = record.time_s - _longest_gap(self._summary.frame_s)
        if track not in self._peaks or self._peaks[track].seen_s < last_s:
            for gone in [i for i, peaks in self._peaks.items() if peaks.seen_s < last_s]:
                self._keep(self._peaks.pop(gone).finish())
            self._peaks[track] = Peaks()
        self._keep(self._peaks[track].add(record))

    def _keep(self, change: Change | None) -> None:
        if change:
            self._changes.append(change)
            if len(self._changes) > 10 * CHANGES_KEPT:
                self._changes = strongest(self._changes)

    def finish(self) -> Summary:
        summary = self._summary
        for peaks in self._peaks.values():
            self._keep(peaks.finish())
        summary.people = sorted(self._people.values(), key=lambda person: (-person.faces, person.id))
        summary.changes = strongest(self._changes)
        averaged = any(point.count > 1 for person in summary.people for point in person.bins.values())
        summary.step_s = max(summary.frame_s, summary.bin_s) if averaged else summary.frame_s
        summary.gap_s = _longest_gap(summary.step_s)
        summary.start_s = self._beginning()
        summary.end_s = max([self._time_s, *summary.events.values()])
        return summary

    def _beginning(self) -> float:
        """Return the time of frame 0, s, extrapolated from the first row at the mean frame rate."""
        frame, time_s = self._first
        frames = (self._frame or 0) - frame
        before_s = frame * (self._time_s - time_s) / frames if frames > 0 else 0.0
        return max(round(time_s - before_s, 3), min(time_s, 0.0))


def _longest_gap(step_s: float) -> float:
    """Return the longest time between two points of one stretch, s; a person was away for a longer one."""
    return max(GAP_S, GAP_STEPS * step_s)

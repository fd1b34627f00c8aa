"""The summary of a recording, computed in one pass over its records in constant memory."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from livemood.core.labels import UNSURE
from livemood.records import Record

MAX_BINS: Final = 1000
"""A person's curves have at most this many points."""

CONFIDENCE_STEPS: Final = 10
CHANGE_WINDOW_S: Final = 1.0
"""A change compares the scores at a moment with those this long before it, s."""
LEAST_CHANGE: Final = 0.3
"""The difference of the scores rises to a change, and falls after it, by at least this, 0..1."""
CHANGES_KEPT: Final = 12
"""Number of strongest changes that a summary keeps."""

_FIRST_BIN_S: Final = 1 / 64
_FORGOTTEN_S: Final = 5.0
_LONGEST_GAP_S: Final = 1.0


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
        smiles: Rows labelled happy, by the kind of smile, where the model told it.
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


@dataclass(frozen=True, slots=True)
class Change:
    """A moment of large change of a person's smoothed scores.

    Attributes:
        size: Half the summed difference of the scores before and after, 0..1 (total variation).
        before: The row ``CHANGE_WINDOW_S`` earlier.
        after: The row at the moment.
    """

    size: float
    before: Record
    after: Record


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
        step_s: Length of time of one point of a curve, s.
        gap_s: Neighbouring points of a curve farther apart than this are not joined, s.
        faces: Rows with a face.
        frames: Frames with a face.
        faceless: Frames recorded without a face.
        start_s: Time of frame 0 of the video or cut, s, with or without a face.
        end_s: Time of the last row, s.
    """

    labels: tuple[str, ...] = ()
    people: list[Person] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    events: dict[int, float] = field(default_factory=dict)
    event_names: dict[int, str] = field(default_factory=dict)
    bin_s: float = _FIRST_BIN_S
    step_s: float = 0.0
    gap_s: float = _LONGEST_GAP_S
    faces: int = 0
    frames: int = 0
    faceless: int = 0
    start_s: float = 0.0
    end_s: float = 0.0

    def event_title(self, number: int) -> str:
        """Return the title of an event on a page."""
        return self.event_names.get(number, f"event {number}")

    @property
    def over_s(self) -> float:
        """End of the last row's frame, s; later than ``start_s`` even with a single row."""
        return self.end_s + (self.step_s or self.bin_s)


def summarise(records: Iterable[Record]) -> Summary:
    """Return the summary of a recording, given its rows in order of time."""
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


class _Peaks:
    """Finds local maxima of change of one person's scores."""

    def __init__(self) -> None:
        self._recent: deque[Record] = deque()
        self._best: Change | None = None
        self._valley = 0.0

    @property
    def seen_s(self) -> float:
        """Time of the latest row."""
        return self._recent[-1].time_s

    def add(self, record: Record) -> Change | None:
        """Add a row; return a peak that has ended, if any."""
        recent = self._recent
        recent.append(record)
        while len(recent) > 1 and recent[1].time_s <= record.time_s - CHANGE_WINDOW_S:
            recent.popleft()
        before = recent[0].scores
        size = sum(abs(score - before.get(label, 0.0)) for label, score in record.scores.items()) / 2
        if self._best and size <= self._best.size - LEAST_CHANGE:
            self._valley = size
            return self.finish()
        if size > self._best.size if self._best else size >= self._valley + LEAST_CHANGE:
            self._best = Change(size, recent[0], record)
        self._valley = min(self._valley, size)
        return None

    def finish(self) -> Change | None:
        """Return the current peak, if any, and reset."""
        done, self._best = self._best, None
        return done


# Seen frames are stored as bits of integers, this many to each.
_CHUNK = 1 << 12


class _Collector:
    def __init__(self) -> None:
        self._summary = Summary()
        self._people: dict[int, Person] = {}
        self._peaks: dict[int, _Peaks] = {}
        self._changes: list[Change] = []
        self._frame: int | None = None
        self._seen: dict[int, int] = {}
        self._first = (0, 0.0)
        self._time_s = self._step_s = 0.0

    def add(self, record: Record) -> None:
        summary = self._summary
        if self._frame is None:
            self._first = record.frame, record.time_s
            self._time_s = record.time_s
        step = record.time_s - self._time_s
        if step > 0 and not 0 < self._step_s <= step:
            self._step_s = step
        self._time_s = record.time_s
        self._frame = record.frame
        summary.end_s = max(record.time_s, summary.end_s)
        if record.event is not None:
            summary.events[record.event] = record.time_s
            if record.event_name:
                summary.event_names[record.event] = record.event_name
            return
        if record.track is None:
            summary.faceless += 1
            return
        summary.faces += 1
        summary.frames += self._is_new(record.frame)
        summary.labels = summary.labels or tuple(record.scores)
        self._count(record, record.track, str(record.label), record.confidence or 0.0)
        self._watch(record, record.track)

    def _is_new(self, frame: int) -> bool:
        """Record a frame with a face; return whether it was not recorded before. Rows may be in any order."""
        chunk, bit = divmod(frame, _CHUNK)
        seen = self._seen.get(chunk, 0)
        self._seen[chunk] = seen | 1 << bit
        return not seen >> bit & 1

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
        if track not in self._peaks:
            for gone in [i for i, peaks in self._peaks.items() if record.time_s - peaks.seen_s > _FORGOTTEN_S]:
                self._keep(self._peaks.pop(gone).finish())
            self._peaks[track] = _Peaks()
        self._keep(self._peaks[track].add(record))

    def _keep(self, change: Change | None) -> None:
        if change:
            self._changes.append(change)
            if len(self._changes) > 10 * CHANGES_KEPT:
                self._changes = _strongest(self._changes)

    def finish(self) -> Summary:
        summary = self._summary
        for peaks in self._peaks.values():
            self._keep(peaks.finish())
        summary.people = sorted(self._people.values(), key=lambda person: (-person.faces, person.id))
        summary.changes = _strongest(self._changes)
        averaged = any(point.count > 1 for person in summary.people for point in person.bins.values())
        summary.step_s = max(self._step_s, summary.bin_s) if averaged else self._step_s
        summary.gap_s = max(_LONGEST_GAP_S, 4 * summary.step_s)
        summary.start_s = self._beginning()
        return summary

    def _beginning(self) -> float:
        """Return the time of frame 0, s, extrapolated from the first row at the mean frame rate."""
        frame, time_s = self._first
        frames = (self._frame or 0) - frame
        before_s = frame * (self._time_s - time_s) / frames if frames > 0 else 0.0
        return max(round(time_s - before_s, 3), 0.0)


def _strongest(changes: list[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: -change.size)[:CHANGES_KEPT]

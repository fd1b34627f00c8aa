"""Many recordings of the same stimulus: aligned, averaged, with the spread between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from livemood.core.errors import LivemoodError
from livemood.core.text_tables import utf8
from livemood.records.reading import reread
from livemood.reporting.changes import CHANGE_WINDOW_S
from livemood.reporting.summary import Person, Summary, summary_of

MAX_STEPS: Final = 600
"""Group curves have at most this many points."""

_LEAST_STEP_S: Final = 0.1
_LEAST_CHANGE: Final = 0.15
_CHANGES_KEPT: Final = 8

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of a group.

    Attributes:
        file: Its records.
        name: Unique in the group.
        summary: Its summary.
        origin_s: Time on its own clock that is 0 on the group's, s.
    """

    file: Path
    name: str
    summary: Summary
    origin_s: float = 0.0

    @property
    def person(self) -> Person | None:
        """The person with the most frames, who stands for the recording; None without faces."""
        return self.summary.people[0] if self.summary.people else None


@dataclass(frozen=True, slots=True)
class GroupChange:
    """A moment of large change of the mean scores, with the leading emotions before and after."""

    time_s: float
    size: float
    before: str
    after: str


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Recordings on one clock.

    Attributes:
        recordings: In the order given.
        labels: Emotions that all of them were read with.
        start_s: When the first of them begins, s on the group's clock.
        end_s: When the last of them ends.
        step_s: Length of a step, s.
        times_s: (T,) middle of each step, s.
        count: (T,) number of recordings that show their person in the step.
        mean: (K, T) mean score by label over these recordings; NaN where there are none.
        spread: (K, T) standard deviation between them (n - 1); NaN where there are fewer than two.
    """

    recordings: tuple[Recording, ...]
    labels: tuple[str, ...]
    start_s: float
    end_s: float
    step_s: float
    times_s: Numbers
    count: npt.NDArray[np.int64]
    mean: Numbers
    spread: Numbers

    @property
    def change_steps(self) -> int:
        """Number of steps over which a change is measured: about a second, but at least one."""
        return max(round(CHANGE_WINDOW_S / self.step_s), 1)

    def changes(self) -> list[GroupChange]:
        """Return the moments at which the mean scores differ most from ``change_steps`` before, strongest first."""
        back = self.change_steps
        if self.mean.shape[1] <= back or not self.labels:
            return []
        sizes = np.nan_to_num(np.abs(self.mean[:, back:] - self.mean[:, :-back]).sum(0) / 2)
        found: list[GroupChange] = []
        while len(found) < _CHANGES_KEPT and (place := int(sizes.argmax())) >= 0 and sizes[place] >= _LEAST_CHANGE:
            before, after = (self.labels[int(self.mean[:, column].argmax())] for column in (place, place + back))
            found.append(GroupChange(float(self.times_s[place + back]), float(sizes[place]), before, after))
            sizes[max(place - 2 * back, 0) : place + 2 * back + 1] = 0
        return found


def read_group(files: Sequence[Path], align: str | None = None) -> Group:
    """Read recordings and put them on one clock.

    Args:
        files: Record files written by livemood, two or more.
        align: Number or name of the event that is 0 on the group's clock; by default each recording's own
            0 is.

    Raises:
        LivemoodError: A file cannot be read, lacks the event, or was read with other emotions than the first.
    """
    recordings = []
    for file, name in zip(files, _names(files), strict=True):
        summary = summary_of(file)
        recordings.append(Recording(file, name, summary, _origin(file, summary, align)))
    seen = [(file, one.summary.labels) for file, one in zip(files, recordings, strict=True) if one.summary.labels]
    for file, labels in seen:
        if set(labels) != set(seen[0][1]):
            raise LivemoodError(
                f"{file} was read with other emotions ({', '.join(labels)}) than {seen[0][0]} "
                f"({', '.join(seen[0][1])})",
                "report recordings of the same emotions together",
            )
    return _averaged(tuple(recordings), seen[0][1] if seen else ())


def _origin(file: Path, summary: Summary, align: str | None) -> float:
    if align is None:
        return 0.0
    for number, time_s in summary.events.items():
        if align in (str(number), summary.event_names.get(number)):
            return time_s
    events = ", ".join(summary.event_names.get(number, str(number)) for number in summary.events) or "none"
    raise LivemoodError(f"{file} has no event {align} to align at (it has {events})", "choose another {align}")


def _names(files: Sequence[Path]) -> list[str]:
    """Return names without the endings; with folders, or those too, or numbers, where they would be the same."""
    for short in (lambda file: file.stem, lambda file: str(file.with_suffix("")), str):
        names = [utf8(short(file)) for file in files]
        if len(set(names)) == len(names):
            return names
    return [f"{number}: {utf8(file.stem)}" for number, file in enumerate(files, 1)]


def _averaged(recordings: tuple[Recording, ...], labels: tuple[str, ...]) -> Group:
    shown = [one for one in recordings if one.person]
    start_s = min((one.summary.start_s - one.origin_s for one in shown), default=0.0)
    end_s = max((one.summary.over_s - one.origin_s for one in shown), default=1.0)
    longest_s = max((one.summary.frame_s for one in shown), default=0.0)
    step_s = max(_LEAST_STEP_S, longest_s, (end_s - start_s) / MAX_STEPS)
    steps = max(int(np.ceil((end_s - start_s) / step_s - 1e-9)), 1)
    each = np.full((len(shown), len(labels), steps), np.nan)
    for place, one in enumerate(shown):
        each[place] = _resampled(one, labels, start_s, step_s, steps)
    known = ~np.isnan(each[:, 0]) if labels else np.zeros((0, steps), bool)
    count = known.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Numbers = np.nansum(each, 0) / count
        squares: Numbers = np.nansum((each - mean) ** 2, 0)
        spread: Numbers = np.sqrt(squares / np.where(count > 1, count - 1, np.nan))
    times: Numbers = start_s + (np.arange(steps, dtype=np.float64) + 0.5) * step_s
    return Group(recordings, labels, start_s, end_s, step_s, times, count, mean, spread)


def _resampled(recording: Recording, labels: tuple[str, ...], start_s: float, step_s: float, steps: int) -> Numbers:
    """Return (K, T) mean scores of a recording's person in each step; NaN where it is not seen."""
    assert recording.person
    sums, counts = np.zeros((len(labels), steps)), np.zeros(steps)
    for row in reread(recording.file):
        if row.track == recording.person.id:
            now_s = row.time_s - recording.origin_s
            place = min(max(int((now_s - start_s) / step_s + 1e-6), 0), steps - 1)
            sums[:, place] += [row.scores[label] for label in labels]
            counts[place] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / counts)

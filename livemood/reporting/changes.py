"""Moments of large change of one person's scores."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from livemood.records import Record

CHANGE_WINDOW_S: Final = 1.0
"""A change compares the scores at a moment with those about this long before it, s."""

CHANGES_KEPT: Final = 12
"""A recording has at most this many."""

LEAST_CHANGE: Final = 0.3
"""The difference of the scores rises to a change, and falls after it, by at least this, 0..1."""


@dataclass(frozen=True, slots=True)
class Change:
    """A moment of large change of a person's smoothed scores.

    Attributes:
        size: Half the summed difference of the scores before and after, 0..1 (total variation).
        before: The row about ``CHANGE_WINDOW_S`` earlier; the first one, of a person who has just appeared.
        after: The row at the moment.
    """

    size: float
    before: Record
    after: Record


def strongest(changes: Iterable[Change]) -> list[Change]:
    """Return the ``CHANGES_KEPT`` largest changes, largest first."""
    return sorted(changes, key=lambda change: -change.size)[:CHANGES_KEPT]


class Peaks:
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

"""Tracks that may be the same person: one begins where another was last seen, some time later."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import nan
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from livemood.reporting.summary import Person
from livemood.reporting.tables import Table, clock

# A track that begins later, farther away or at another size is more likely another person.
_LONGEST_S: Final = 60.0
_FARTHEST: Final = 1.0
# An absence of this length, s, counts as much as a distance of one face width.
_FACE_S: Final = 10.0
_GROWTH: Final = 1.5
_MOST: Final = 20

Box = tuple[float, float, float, float]
Place = tuple[float, float, float]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MergeCommand:
    """The command that merges tracks, as written by a front end.

    Attributes:
        command: With ``{records}``, ``{same}`` and ``{out}``.
        each: What ``{same}`` has for each person, with ``{ids}``.
    """

    command: str
    each: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Two tracks that may be one person.

    Attributes:
        before: The one seen first.
        after: The one seen later.
        gap_s: From the last time of one to the first time of the other, s.
        distance: Between their positions, in face widths.
    """

    before: Person
    after: Person
    gap_s: float
    distance: float

    @property
    def cost(self) -> float:
        """Lower is more likely the same person."""
        return self.gap_s / _FACE_S + self.distance


def likely_merges(people: Sequence[Person]) -> list[Merge]:
    """Return pairs of tracks that may be one person, in order of time; each track has at most one successor.

    Only time, position and size are compared: one ends before the other begins, and both have about the same size at
    about the same position.
    """
    by_start = sorted(people, key=lambda person: person.first_s)
    starts = np.array([person.first_s for person in by_start])
    places = np.array([_place(person.first_box) for person in by_start]).reshape(-1, 3)
    found: list[Merge] = []
    for before in by_start:
        begin, end = np.searchsorted(starts, (before.last_s, before.last_s + _LONGEST_S), side="right")
        gaps_s = starts[begin:end] - before.last_s
        distances, growths = _apart(_place(before.last_box), places[begin:end])
        (near,) = np.nonzero((distances <= _FARTHEST) & (growths <= _GROWTH))
        costs = gaps_s[near] / _FACE_S + distances[near]
        # At most so many are kept, so that at most so many of a track's successors can be taken by others.
        for place in near[costs.argsort(kind="stable")[:_MOST]]:
            found.append(Merge(before, by_start[begin + place], float(gaps_s[place]), float(distances[place])))
    led: set[int] = set()
    followed: set[int] = set()
    kept = []
    for merge in sorted(found, key=lambda merge: merge.cost):
        if merge.before.id not in led and merge.after.id not in followed:
            led.add(merge.before.id)
            followed.add(merge.after.id)
            kept.append(merge)
    return sorted(kept[:_MOST], key=lambda merge: merge.after.first_s)


def chained(merges: Sequence[Merge]) -> list[list[int]]:
    """Return the ids of each person whose tracks are merged, in order of time."""
    following = {merge.before.id: merge.after.id for merge in merges}
    chains = []
    for first in following:
        if first not in following.values():
            chain = [first]
            while (after := following.get(chain[-1])) is not None:
                chain.append(after)
            chains.append(chain)
    return chains


def merges_section(people: Sequence[Person], records: Path | None, merge_command: MergeCommand | None) -> str:
    """Return a table of likely merges as HTML; empty if there are none.

    Args:
        people: Of the recording.
        records: The record file; None if it is temporary.
        merge_command: The command to show; None for none.
    """
    merges = likely_merges(people)
    if not merges:
        return ""
    rows = tuple(
        (
            f"person {merge.before.id}",
            clock(merge.before.last_s),
            f"person {merge.after.id}",
            clock(merge.after.first_s),
            f"{merge.gap_s:.1f} s",
            f"{merge.distance:.1f} face widths",
        )
        for merge in merges
    )
    head = ("person", "last seen", "possibly the same as", "first seen", "between", "apart")
    text = (
        "<h2>Perhaps the same person again</h2>\n<p>After a cut or an absence a face gets a new number. These began "
        "within a minute where another one was last seen, at about the same size. Faces were not compared, so check "
        "before you merge them.</p>\n"
    )
    return (
        text
        + Table("Tracks that may be one person", head, rows, texts=(0, 2)).html()
        + _command(merges, records, merge_command)
    )


def _command(merges: Sequence[Merge], records: Path | None, merge_command: MergeCommand | None) -> str:
    if merge_command is None:
        return ""
    same = "".join(merge_command.each.format(ids=",".join(map(str, chain))) for chain in chained(merges))
    read = records or Path("RECORDS")
    made = read.with_stem(f"{read.stem}-merged") if records else Path("FILE")
    typed = merge_command.command.format(records=_typed(read), same=same, out=_typed(made))
    kept = "" if records else " if there are records"
    return f"\n<p>To merge them{kept}: <code>{escape(typed)}</code></p>"


def _typed(path: Path) -> str:
    """Return a path as a shell takes it, and no program takes it for an option."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


def _apart(one: Place, others: Numbers) -> tuple[Numbers, Numbers]:
    """Return the distance of a face from (N, 3) others, in widths of the larger one, and the ratio of their widths."""
    width, x, y = one
    widths = others[:, 0]
    larger, smaller = np.maximum(widths, width), np.maximum(np.minimum(widths, width), 1.0)
    return np.hypot(others[:, 1] - x, others[:, 2] - y) / np.maximum(larger, 1.0), larger / smaller


def _place(box: Box | None) -> Place:
    """Return the width and the middle of a box, px; NaN, which is near nothing, of a person without one."""
    left, top, right, bottom = box or (nan,) * 4
    return right - left, (left + right) / 2, (top + bottom) / 2

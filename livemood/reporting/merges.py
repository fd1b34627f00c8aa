"""Tracks that may be the same person: one begins where another was last seen, some time later."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import hypot
from pathlib import Path
from typing import Final

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
    def doubt(self) -> float:
        """Lower is more likely the same person."""
        return self.gap_s / _FACE_S + self.distance


def likely_merges(people: Sequence[Person]) -> list[Merge]:
    """Return pairs of tracks that may be one person, in order of time; each track has at most one successor.

    Only time, position and size are compared: one ends before the other begins, and both have about the same size at
    about the same position.
    """
    by_start = sorted(people, key=lambda person: person.first_s)
    found: list[Merge] = []
    for before in by_start:
        for after in by_start:
            gap_s = after.first_s - before.last_s
            if not 0 < gap_s <= _LONGEST_S or before.last_box is None or after.first_box is None:
                continue
            distance, growth = _apart(before.last_box, after.first_box)
            if distance <= _FARTHEST and growth <= _GROWTH:
                found.append(Merge(before, after, gap_s, distance))
    led: set[int] = set()
    followed: set[int] = set()
    kept = []
    for merge in sorted(found, key=lambda merge: merge.doubt):
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
    head = ("person", "last seen", "perhaps again as", "first seen", "between", "apart")
    text = (
        "<h2>Perhaps the same person again</h2>\n<p>After a cut or an absence a face gets a new number. These appeared "
        "where another was last seen, about as large, within a minute. Faces were not compared: look before you "
        "merge them.</p>\n"
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
    typed = merge_command.command.format(records=shlex.quote(str(read)), same=same, out=shlex.quote(str(made)))
    kept = "" if records else ", where the records were kept"
    return f"\n<p>To merge them{kept}: <code>{escape(typed)}</code></p>"


def _apart(one: Box, other: Box) -> tuple[float, float]:
    """Return the distance of two boxes in widths of the larger one, and the ratio of their widths."""
    (width, x, y), (other_width, other_x, other_y) = _middle(one), _middle(other)
    larger, smaller = max(width, other_width), max(min(width, other_width), 1.0)
    return hypot(x - other_x, y - other_y) / max(larger, 1.0), larger / smaller


def _middle(box: Box) -> tuple[float, float, float]:
    left, top, right, bottom = box
    return right - left, (left + right) / 2, (top + bottom) / 2

"""Merge the tracks of one person in a copy of the records."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from livemood.core.errors import LivemoodError
from livemood.records import Record, read_origin
from livemood.records.inputs import read_recording
from livemood.records.reading import heads_in, reread
from livemood.runtime.atomic_io import refuse_inputs, refuse_to_overwrite
from livemood.sinks.records import open_records

_NAMED: Final = 20


class MergeConflict(LivemoodError, ValueError):
    """Tracks that cannot be one person."""


def merge_people(
    records: str | Path, same: Sequence[Sequence[int]], out: str | Path, *, force: bool = False
) -> dict[int, int]:
    """Write records in which tracks of one person have the first one's number.

    Args:
        records: A .jsonl, .csv or .parquet file written by livemood.
        same: Numbers of tracks, for each person.
        out: The file to write, in any of these forms.
        force: Replace a file that is there.

    Returns:
        Number of rows that were renumbered, by their old number.

    Raises:
        MergeConflict: A track does not exist or is named twice, or two tracks of a person are in one frame.
        LivemoodError: The records cannot be read, or are of many photos.
        SinkError: The file is there already or cannot be written.
    """
    records, out = Path(records), Path(out)
    refuse_inputs(out, "out", [records])
    refuse_to_overwrite(out, "out", force)
    first = _firsts(same)
    rows = read_recording(records)
    _check(records, rows, first)
    origin = read_origin(records)
    if origin:
        made_from = {"records": records.name, "same": [list(ids) for ids in same], **_earlier(origin.made_from)}
        origin = replace(origin, made_from=made_from)
    labels, others = heads_in(records)
    renumbered = dict.fromkeys((track for track, to in first.items() if track != to), 0)
    with open_records(out, labels, others=others, force=force, origin=origin, setting="out") as sink:
        try:
            for row in reread(records):
                if row.track in renumbered:
                    renumbered[row.track] += 1
                    row = replace(row, track=first[row.track])
                sink.copy([row])
        except BaseException:  # half of the records, under their name, would be taken for all
            sink.abandon()
            raise
    return renumbered


def _earlier(made_from: object) -> dict[str, object]:
    return {"made_from": made_from} if made_from else {}


def _firsts(same: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return the new number of each named track."""
    first: dict[int, int] = {}
    for ids in same:
        if len(ids) < 2:
            raise MergeConflict(
                f"give two tracks or more for one person, such as 4,14, got {', '.join(map(str, ids)) or 'none'}"
            )
        for track in ids:
            if track in first:
                raise MergeConflict(f"person {track} is named twice; name all tracks of one person together")
            first[track] = ids[0]
    return first


def _check(records: Path, rows: Iterable[Record], first: dict[int, int]) -> None:
    """Raise if a track does not exist, or two tracks of one person are in one frame."""
    known: set[int] = set()
    seen: dict[int, dict[int, int]] = {person: {} for person in first.values()}
    for row in rows:
        if row.track is None:
            continue
        known.add(row.track)
        if row.track in first:
            other = seen[first[row.track]].setdefault(row.frame, row.track)
            if other != row.track:
                raise MergeConflict(
                    f"tracks {other} and {row.track} cannot be one person: both are in frame {row.frame} "
                    f"({row.time_s:.3f} s) of {records}"
                )
    missing = [track for track in first if track not in known]
    if missing:
        there = ", ".join(map(str, sorted(known)[:_NAMED])) + (", ..." if len(known) > _NAMED else "")
        raise MergeConflict(f"{records} has no person {missing[0]}; it has {there or 'nobody'}")

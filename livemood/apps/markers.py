"""Records to markers: label changes in the formats of editing programs and annotation tools."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, groupby, islice
from math import inf
from pathlib import Path

from livemood.records import Record, read_origin
from livemood.records.inputs import read_recording
from livemood.records.reading import reread
from livemood.runtime.atomic_io import refuse_inputs
from livemood.sinks.markers.base import Clip, clip_of, make_clip
from livemood.sinks.markers.sink import MarkerSink
from livemood.sources.open import open_video


def write_markers(
    records: str | Path,
    out: str | Path,
    *,
    video: str | Path | None = None,
    rate: Fraction | None = None,
    timecode: str | None = None,
    start_s: float = 0.0,
    force: bool = False,
) -> None:
    """Write the label changes and events of a recording as markers.

    Args:
        records: A .jsonl, .csv or .parquet file written by livemood.
        out: The file to write; its suffix selects the format.
        video: The video that the markers belong to; its rate, timecode, name and path are used.
        rate: Frames per second, if not the video's; by default the one that the records state, or measured from
            their times.
        timecode: Of the video's first frame, such as 01:00:00:00; by default the video's own, or 0.
        start_s: Time in the records at which the video begins, s, where it is a cut; what the records hold before it,
            and after the end of ``video``, is left out.
        force: Replace a file that is there.

    Raises:
        LivemoodError: The records cannot be read.
        VideoUnreadable: The video cannot be read.
        SinkError: Another suffix, an invalid timecode, or the file is there already or cannot be written.
    """
    records, out = Path(records), Path(out)
    refuse_inputs(out, "out", [records])
    rows = read_recording(records)
    end_s: float | None = None
    if video is None:
        origin = read_origin(records)
        known = rate or (origin and origin.rate)
        clip = make_clip(records.stem, known or _measured_rate(reread(records)), timecode)
    else:
        with open_video(video) as source:
            clip = clip_of(source.info, records.stem, rate, timecode)
            end_s = source.info.picture_end_s
    with MarkerSink(out, clip, end_s=end_s or 0.0, force=force, setting="out") as sink:
        shown = _within(rows, clip, start_s, end_s or inf)
        first = list(islice(shown, 1))
        _fill(sink, chain(first, shown))
    empty = [] if first else [f"{out} contains no markers, because {records} has no row within the clip"]
    for note in (*sink.warnings, *empty):
        warnings.warn(note, stacklevel=2)


def _fill(sink: MarkerSink, rows: Iterable[Record]) -> None:
    last: tuple[int, float] | None = None
    for frame, group in groupby(_noted(sink, rows), key=lambda row: row.frame):
        faces = list(group)
        time_s = faces[0].time_s
        if last is not None and frame > last[0] + 1:
            # Frames without a face have no row; the first of them ends all intervals.
            sink.show({}, last[1] + (time_s - last[1]) / (frame - last[0]))
        sink.show({row.track: str(row.label) for row in faces if row.track is not None}, time_s)
        last = frame, time_s


def _noted(sink: MarkerSink, rows: Iterable[Record]) -> Iterator[Record]:
    """Pass events to a sink, yield all other rows."""
    for row in rows:
        if row.event is None:
            yield row
        else:
            sink.note(row.event, row.time_s, row.event_name or "")


def _within(rows: Iterable[Record], clip: Clip, start_s: float, end_s: float) -> Iterator[Record]:
    """Yield the rows of the frames that a clip shows, at their times on its clock.

    Args:
        rows: Of the records.
        clip: The clip.
        start_s: Time in the records at which it begins, s.
        end_s: When its last frame ends, s on its own clock.
    """
    half_s = float(1 / (2 * clip.base.rate))
    for row in rows:
        time_s = row.time_s - start_s
        if clip.first_s - half_s <= time_s < end_s - half_s:
            yield replace(row, time_s=max(time_s, clip.first_s))


def _measured_rate(rows: Iterable[Record]) -> Fraction | None:
    """Return the mean rate of the frames that have rows; None for fewer than two."""
    first = last = None
    for row in rows:
        first, last = first or row, row
    if first is None or last is None or last.time_s <= first.time_s or last.frame <= first.frame:
        return None
    return Fraction((last.frame - first.frame) / (last.time_s - first.time_s))

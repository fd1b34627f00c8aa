"""Records to markers: label changes in the formats of editing programs and annotation tools."""

import warnings
from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import inf
from pathlib import Path

from livemood.records import Record, read_origin
from livemood.records.inputs import read_recording
from livemood.records.reading import reread
from livemood.runtime.atomic_io import refuse_inputs
from livemood.sinks.markers.base import Clip, clip_of, make_clip
from livemood.sinks.markers.sink import MarkerSink
from livemood.sources.open import open_video

_Frame = tuple[int, float, dict[int, str], list[Record]]
"""Number, time (s), labels by track and events of a frame."""


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
        rate: Frames per second, if not the video's; by default what the records say of theirs, or measured from
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
    end_s = inf
    if video is None:
        origin = read_origin(records)
        known = rate or (origin and origin.rate)
        clip = make_clip(records.stem, known or _measured_rate(reread(records)), timecode)
    else:
        with open_video(video) as source:
            clip = clip_of(source.info, records.stem, rate, timecode)
            end_s = source.info.picture_end_s or inf
    with MarkerSink(out, clip, force=force, setting="out") as sink:
        found = _fill(sink, _within(_frames(rows), clip, start_s, end_s))
    empty = [] if found else [f"{out} holds no markers, because {records} has no row within the clip"]
    for note in (*sink.warnings, *empty):
        warnings.warn(note, stacklevel=2)


def _fill(sink: MarkerSink, frames: Iterable[_Frame]) -> bool:
    """Pass frames to a sink; return whether there was one."""
    last: tuple[int, float] | None = None
    for frame, time_s, labels, events in frames:
        if last is not None and frame > last[0] + 1:
            # Frames without a face have no row; the first of them ends all intervals.
            sink.show({}, last[1] + (time_s - last[1]) / (frame - last[0]))
        sink.show(labels, time_s)
        for event in events:
            sink.note(event.event or 0, time_s, event.event_name or "")
        last = frame, time_s
    return last is not None


def _within(frames: Iterable[_Frame], clip: Clip, start_s: float, end_s: float) -> Iterator[_Frame]:
    """Yield the frames that a clip shows, at their times on its clock, s.

    Args:
        frames: Of the records.
        clip: The clip.
        start_s: Time in the records at which it begins, s.
        end_s: When its last frame ends, s on its own clock.
    """
    half_s = float(1 / (2 * clip.base.rate))
    for frame, time_s, labels, events in frames:
        if clip.first_s - half_s <= time_s - start_s < end_s - half_s:
            yield frame, max(time_s - start_s, clip.first_s), labels, events


def _frames(rows: Iterable[Record]) -> Iterator[_Frame]:
    """Yield each frame that has a row."""
    frame: int | None = None
    time_s, labels, events = 0.0, dict[int, str](), list[Record]()
    for row in rows:
        if row.frame != frame:
            if frame is not None:
                yield frame, time_s, labels, events
            frame, time_s, labels, events = row.frame, row.time_s, {}, []
        if row.event is not None:
            events.append(row)
        elif row.track is not None:
            labels[row.track] = str(row.label)
    if frame is not None:
        yield frame, time_s, labels, events


def _measured_rate(rows: Iterable[Record]) -> Fraction | None:
    """Return the mean rate of the frames that have rows; None for fewer than two."""
    first = last = None
    for row in rows:
        first, last = first or row, row
    if first is None or last is None or last.time_s <= first.time_s or last.frame <= first.frame:
        return None
    return Fraction((last.frame - first.frame) / (last.time_s - first.time_s))

"""Praat TextGrid (long text form): an interval tier for each person, a point tier for events."""

from collections.abc import Iterator, Sequence

from livemood.sinks.intervals import Interval, person
from livemood.sinks.markers.base import Markers


def to_textgrid(markers: Markers) -> str:
    """Return the file's text; a tier has an empty interval while its person is not visible."""
    people = {person(track): intervals for track, intervals in markers.people().items()}
    if not people and not markers.events:
        people = {"nobody": []}  # Praat requires at least one tier
    end_s = max([markers.end_s, *(one.end_s for one in markers.intervals), *(one.time_s for one in markers.events)])
    tiers = len(people) + bool(markers.events)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0 ",
        f"xmax = {_number(end_s)} ",
        "tiers? <exists> ",
        f"size = {tiers} ",
        "item []: ",
    ]
    for place, (name, intervals) in enumerate(people.items(), 1):
        filled = list(_filled(intervals, end_s))
        lines += _tier(place, "IntervalTier", name, end_s, f"intervals: size = {len(filled)} ")
        for number, (start, end, text) in enumerate(filled, 1):
            lines += [
                f"        intervals [{number}]:",
                f"            xmin = {_number(start)} ",
                f"            xmax = {_number(end)} ",
                f"            text = {_quoted(text)} ",
            ]
    if markers.events:
        moments = markers.moments()
        lines += _tier(tiers, "TextTier", "events", end_s, f"points: size = {len(moments)} ")
        for number, (time_s, text) in enumerate(moments, 1):
            lines += [
                f"        points [{number}]:",
                f"            number = {_number(time_s)} ",
                f"            mark = {_quoted(text)} ",
            ]
    return "\n".join(lines) + "\n"


def _tier(place: int, kind: str, name: str, end_s: float, size: str) -> list[str]:
    return [
        f"    item [{place}]:",
        f'        class = "{kind}" ',
        f"        name = {_quoted(name)} ",
        "        xmin = 0 ",
        f"        xmax = {_number(end_s)} ",
        f"        {size}",
    ]


def _filled(intervals: Sequence[Interval], end_s: float) -> Iterator[tuple[float, float, str]]:
    """Yield start, end and text of intervals that cover the time from 0 to the end without gaps."""
    now_s = 0.0
    for interval in intervals:
        if interval.start_s > now_s:
            yield now_s, interval.start_s, ""
        if interval.end_s > interval.start_s:
            yield interval.start_s, interval.end_s, interval.label
        now_s = interval.end_s
    if now_s < end_s:
        yield now_s, end_s, ""


def _number(time_s: float) -> str:
    return f"{time_s:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'

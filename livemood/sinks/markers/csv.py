"""CSV with the columns of Premiere Pro's own marker list."""

from dataclasses import replace

from livemood.core.text_tables import table_line
from livemood.sinks.markers.base import Markers

_HEAD = ("Marker Name", "Description", "In", "Out", "Duration", "Marker Type")


def to_csv(markers: Markers) -> str:
    """Return the file's text; ``Out`` is the first frame after the marker."""
    base = markers.clip.base
    length = replace(base, first_frame=0)
    lines = [table_line(_HEAD)]
    for marker in markers.markers():
        start, end = base.timecode(marker.frame), base.timecode(marker.frame + marker.frames)
        cells = (marker.text, marker.label, start, end, length.timecode(marker.frames), "Comment")
        lines.append(table_line(cells))
    return "".join(lines)

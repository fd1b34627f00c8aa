"""CSV with the columns of Premiere Pro's own marker list."""

import csv
from io import StringIO

from livemood.sinks.markers.base import Markers

_HEAD = ("Marker Name", "Description", "In", "Out", "Duration", "Marker Type")


def to_csv(markers: Markers) -> str:
    """Return the file's text; ``Out`` is the first frame after the marker."""
    base = markers.clip.base
    length = type(base)(base.rate, drop=base.drop)
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEAD)
    for marker in markers.markers():
        start, end = base.timecode(marker.frame), base.timecode(marker.frame + marker.frames)
        writer.writerow((marker.text, marker.label, start, end, length.timecode(marker.frames), "Comment"))
    return text.getvalue()

"""EDL as DaVinci Resolve imports timeline markers: one-frame events, with length and colour in a comment."""

from itertools import groupby

from livemood.sinks.markers.base import Markers
from livemood.sinks.markers.colours import resolve_colour

# The number of an event has three digits.
_MAX_EVENTS = 999


def to_edl(markers: Markers) -> str:
    """Return the file's text.

    A timeline holds one marker per frame: if several people change at once, one marker names them all and lasts until
    the first of them changes again.
    """
    base = markers.clip.base
    lines = [f"TITLE: {markers.clip.name}", f"FCM: {'DROP' if base.drop else 'NON-DROP'} FRAME", ""]
    at_frames = groupby(markers.markers(), key=lambda marker: marker.frame)
    for count, (frame, group) in enumerate(at_frames):
        here = list(group)
        number = count % _MAX_EVENTS + 1
        start, end = base.timecode(frame), base.timecode(frame + 1)
        text = "; ".join(marker.text for marker in here).replace("|", "/")
        length = min(marker.frames for marker in here)
        lines += [
            f"{number:03}  001      V     C        {start} {end} {start} {end}  ",
            f" |C:{resolve_colour(here[0].label)} |M:{text} |D:{length}",
            "",
        ]
    return "\n".join(lines) + "\n"

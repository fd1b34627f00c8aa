"""Final Cut Pro XML 1.8, which later versions read too: a project of the whole clip, with markers.

Where the video is not known, the markers are on a gap of its length.
"""

from fractions import Fraction
from xml.etree import ElementTree

from livemood.sinks.markers.base import Markers


def to_fcpxml(markers: Markers) -> str:
    """Return the file's text."""
    clip = markers.clip
    base = clip.base
    start, length = _time(base.seconds(base.first_frame)), _time(base.seconds(markers.frames))
    counting = "DF" if base.drop else "NDF"

    root = ElementTree.Element("fcpxml", version="1.8")
    resources = ElementTree.SubElement(root, "resources")
    picture = ElementTree.SubElement(resources, "format", id="r1", frameDuration=_time(1 / base.rate))
    if clip.size is not None:
        picture.attrib |= {"width": str(clip.size[0]), "height": str(clip.size[1])}
    event = ElementTree.SubElement(ElementTree.SubElement(root, "library"), "event", name="livemood")
    project = ElementTree.SubElement(event, "project", name=clip.name)
    sequence = ElementTree.SubElement(
        project, "sequence", format="r1", duration=length, tcStart=start, tcFormat=counting
    )
    spine = ElementTree.SubElement(sequence, "spine")
    place = {"name": clip.name, "offset": start, "start": start, "duration": length}
    if clip.url:
        asset = {"id": "r2", "format": "r1", "name": clip.name, "src": clip.url, "hasVideo": "1"}
        ElementTree.SubElement(resources, "asset", {**asset, "start": start, "duration": length})
        item = ElementTree.SubElement(spine, "asset-clip", {**place, "ref": "r2", "format": "r1", "tcFormat": counting})
    else:
        item = ElementTree.SubElement(spine, "gap", place)
    for marker in markers.markers():
        ElementTree.SubElement(
            item,
            "marker",
            start=_time(base.seconds(base.first_frame + marker.frame)),
            duration=_time(base.seconds(marker.frames)),
            value=marker.text,
        )
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{body}\n'


def _time(seconds: Fraction) -> str:
    """Return a time as Final Cut writes it: whole seconds or a fraction of them."""
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"

"""ELAN annotations (EAF 3.0): a tier for each person, one for events."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from mimetypes import guess_type
from xml.etree import ElementTree

from livemood.core.text_tables import one_line
from livemood.sinks.intervals import person
from livemood.sinks.markers.base import Markers

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
# Tolerance for rounding of float times, ms.
_ROUNDING_MS = 0.001


def to_eaf(markers: Markers) -> str:
    """Return the file's text.

    ELAN's times are whole ms, so each interval begins in the first ms in which its first frame is shown.
    """
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
            "AUTHOR": "livemood",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
        },
    )
    header = ElementTree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    clip = markers.clip
    if clip.path is not None and clip.url:
        kind = guess_type(clip.path.name)[0] or "video/mp4"
        ElementTree.SubElement(
            header,
            "MEDIA_DESCRIPTOR",
            MEDIA_URL=clip.url,
            MIME_TYPE=kind,
            RELATIVE_MEDIA_URL=f"./{one_line(clip.path.name)}",
        )
    order = ElementTree.SubElement(root, "TIME_ORDER")
    slots = annotations = 0

    def slot(ms: int) -> str:
        nonlocal slots
        slots += 1
        ElementTree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{slots}", TIME_VALUE=str(ms))
        return f"ts{slots}"

    def tier(name: str, stretches: Iterable[tuple[int, int, str]]) -> None:
        nonlocal annotations
        element = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="label", TIER_ID=name)
        for start, end, text in stretches:
            annotations += 1
            around = ElementTree.SubElement(element, "ANNOTATION")
            annotation = ElementTree.SubElement(
                around,
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{annotations}",
                TIME_SLOT_REF1=slot(start),
                TIME_SLOT_REF2=slot(max(end, start + 1)),
            )
            ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = text

    for track, intervals in markers.people().items():
        tier(person(track), ((_ms(one.start_s), _ms(one.end_s), one.label) for one in intervals))
    if moments := markers.moments():
        frame_s = float(1 / clip.base.rate)
        following = [time_s for time_s, _ in moments[1:]] + [math.inf]
        ends = map(min, (time_s + frame_s for time_s, _ in moments), following)
        tier("events", ((_ms(time_s), _ms(end_s), text) for (time_s, text), end_s in zip(moments, ends, strict=True)))
    ElementTree.SubElement(
        root, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID="label", TIME_ALIGNABLE="true"
    )
    order[:] = sorted(order, key=lambda element: int(element.get("TIME_VALUE", "0")))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _ms(time_s: float) -> int:
    return max(math.ceil(time_s * 1000 - _ROUNDING_MS), 0)

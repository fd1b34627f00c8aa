"""OpenTimelineIO: a timeline of the whole clip, with markers on it."""

import json
from typing import Any

from livemood.sinks.markers.base import Marker, Markers
from livemood.sinks.markers.colours import otio_colour


def to_otio(markers: Markers) -> str:
    """Return the file's text."""
    clip = markers.clip
    first, rate = clip.base.first_frame, float(clip.base.rate)

    def time(frames: int) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(frames)}

    def stretch(start: int, frames: int) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start), "duration": time(frames)}

    def marker(one: Marker) -> dict[str, Any]:
        return {
            "OTIO_SCHEMA": "Marker.2",
            "name": one.text,
            "color": otio_colour(one.label),
            "marked_range": stretch(first + one.frame, one.frames),
            "metadata": {},
        }

    media: dict[str, Any] = {"OTIO_SCHEMA": "MissingReference.1", "name": clip.name, "metadata": {}}
    if clip.url:
        media = {
            "OTIO_SCHEMA": "ExternalReference.1",
            "name": clip.name,
            "target_url": clip.url,
            "available_range": stretch(first, markers.frames),
            "metadata": {},
        }
    item = {
        "OTIO_SCHEMA": "Clip.2",
        "name": clip.name,
        "source_range": stretch(first, markers.frames),
        "markers": [marker(one) for one in markers.markers()],
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
        "effects": [],
        "metadata": {},
    }
    track: dict[str, Any] = {
        "OTIO_SCHEMA": "Track.1",
        "name": "V1",
        "kind": "Video",
        "children": [item],
        "effects": [],
        "markers": [],
        "metadata": {},
        "source_range": None,
    }
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": clip.name,
        "global_start_time": time(first),
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "name": "tracks",
            "children": [track],
            "effects": [],
            "markers": [],
            "metadata": {},
            "source_range": None,
        },
        "metadata": {},
    }
    return json.dumps(timeline, ensure_ascii=False, indent=1) + "\n"

"""BORIS project: one observation, in which each label is a state event and each marked event a point event."""

import json
from datetime import UTC, datetime
from typing import Any

from livemood.core.text_tables import utf8
from livemood.sinks.intervals import person
from livemood.sinks.markers.base import Markers

_STATE, _POINT = "State event", "Point event"
_MARKED = "event"


def to_boris(markers: Markers) -> str:
    """Return the file's text."""
    clip, now = markers.clip, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    media = "" if clip.path is None else utf8(str(clip.path.resolve()))
    behaviours = [(label, _STATE) for label in markers.labels] + ([(_MARKED, _POINT)] if markers.events else [])
    observation: dict[str, Any] = {
        "file": {str(player): [media] if media and player == 1 else [] for player in range(1, 9)},
        "type": "MEDIA",
        "date": now,
        "description": "Labels read by livemood: what expressions look like, not what someone feels",
        "time offset": 0.0,
        "events": _events(markers),
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "close_behaviors_between_videos": False,
        "media_info": {
            "length": {media: round(markers.end_s, 6)} if media else {},
            "fps": {media: float(clip.base.rate)} if media else {},
            "hasVideo": {media: True} if media else {},
            "hasAudio": {media: False} if media else {},
            "offset": {"1": 0.0},
        },
    }
    project = {
        "time_format": "hh:mm:ss",
        "project_date": now,
        "project_name": clip.name,
        "project_description": "",
        "project_format_version": "7.0",
        "subjects_conf": {
            str(place): {"key": "", "name": person(track), "description": ""}
            for place, track in enumerate(markers.people())
        },
        "behaviors_conf": {
            str(place): {
                "type": kind,
                "key": "",
                "code": code,
                "description": "",
                "color": "",
                "category": "",
                "modifiers": "",
                "excluded": "",
                "coding map": "",
            }
            for place, (code, kind) in enumerate(behaviours)
        },
        "observations": {clip.name: observation},
        "behavioral_categories": [],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    return json.dumps(project, ensure_ascii=False, indent=1) + "\n"


def _events(markers: Markers) -> list[list[Any]]:
    """Return time (s), subject, code, modifier, comment and frame of each start and stop; stops come first.

    The comment of a marked event is its name.
    """
    base, first_s = markers.clip.base, markers.clip.first_s
    found: list[tuple[float, int, str, str, str]] = []
    for one in markers.intervals:
        if one.end_s > one.start_s:
            subject = person(one.track)
            found += [(one.start_s, 1, subject, one.label, ""), (one.end_s, 0, subject, one.label, "")]
    found += [(event.time_s, 2, "", _MARKED, event.name) for event in markers.events]
    return [
        [round(time_s, 6), subject, code, "", comment, base.frame(time_s - first_s)]
        for time_s, _, subject, code, comment in sorted(found)
    ]

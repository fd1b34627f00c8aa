"""One grammar for lengths of time: ``90``, ``4.5``, ``.5``, ``1:30``, ``1:02:03``, ``45s``, ``30m``, ``1h30m``."""

import re

LONGEST_S = 3e9
"""A hundred years; much longer times do not fit a container's clock."""

_SECONDS = r"(?:\d+\.?\d*|\.\d+)"
_CLOCK = re.compile(rf"(?:\d+:){{0,2}}{_SECONDS}")
_UNITS = re.compile(rf"(?:(\d+)h)?(?:(\d+)m)?(?:({_SECONDS})s)?")


def parse_duration(text: str) -> float:
    """Return a length of time in seconds.

    Raises:
        ValueError: The text has another form, or the time is longer than any recording.
    """
    text = text.strip()
    units = _UNITS.fullmatch(text)
    if _CLOCK.fullmatch(text):
        total = 0.0
        for part in text.split(":"):
            total = total * 60 + float(part)
    elif text and units:
        hours, minutes, seconds = (float(part or 0) for part in units.groups())
        total = hours * 3600 + minutes * 60 + seconds
    else:
        raise ValueError(f"{text!r} is not a time; write seconds, 1:05, 1:02:03 or 1m30s")
    if total > LONGEST_S:
        raise ValueError(f"{text!r} is longer than any recording")
    return total

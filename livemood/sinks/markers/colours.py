"""Colours of markers: editing programs have a few fixed, named ones."""

from typing import Final

# Label, DaVinci Resolve's name, OpenTimelineIO's name.
_NAMES: Final[dict[str, tuple[str, str]]] = {
    "neutral": ("Cream", "WHITE"),
    "happy": ("Yellow", "YELLOW"),
    "surprise": ("Sand", "ORANGE"),
    "sad": ("Sky", "CYAN"),
    "angry": ("Red", "RED"),
    "disgust": ("Green", "GREEN"),
    "fear": ("Pink", "PINK"),
    "contempt": ("Blue", "BLUE"),
    "unsure": ("Cocoa", "BLACK"),
}
_OTHER: Final = ("Purple", "PURPLE")


def resolve_colour(label: str) -> str:
    """Return DaVinci Resolve's name of a label's colour."""
    return f"ResolveColor{_NAMES.get(label, _OTHER)[0]}"


def otio_colour(label: str) -> str:
    """Return OpenTimelineIO's name of a label's colour."""
    return _NAMES.get(label, _OTHER)[1]

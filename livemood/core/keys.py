"""Keys of the live window, and what they switch."""

from dataclasses import dataclass
from typing import Final

KEYS: Final = (
    ("f", "full screen"),
    ("m", "mirror"),
    ("space", "pause"),
    ("p", "score panel"),
    ("i", "ids"),
    ("b", "blur faces"),
    ("s", "snapshot"),
    ("r", "start or stop recording"),
    ("e", "mark an event in the records"),
    ("c", "calibrate to resting faces; again: off"),
    ("t", "last 30 seconds of every face"),
    ("h", "help"),
    ("q", "quit (Esc too)"),
)
"""Every key with what it does, in the order in which the window lists them."""

_SWITCHES: Final = {
    "m": "mirror",
    "space": "paused",
    "p": "panel",
    "i": "ids",
    "b": "blur",
    "t": "sparklines",
    "h": "help",
}


@dataclass(slots=True)
class View:
    """What the window shows.

    Attributes:
        mirror: Swap left and right, as in a mirror.
        paused: Freeze the picture.
        panel: Bars for all scores.
        ids: Track ids beside the labels.
        blur: Make faces unrecognisable.
        smile_kind: The kind of smile on labels.
        sparklines: The last seconds of every face.
        help: The list of keys.
    """

    mirror: bool = False
    paused: bool = False
    panel: bool = False
    ids: bool = True
    blur: bool = False
    smile_kind: bool = True
    sparklines: bool = False
    help: bool = False

    def switch(self, key: str) -> bool:
        """Toggle the option of a key; return False if the key has none."""
        name = _SWITCHES.get(key)
        if name is not None:
            setattr(self, name, not getattr(self, name))
        return name is not None

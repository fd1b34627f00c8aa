"""Untrusted text on a terminal."""

import unicodedata

# Control characters, bidirectional controls, and Unicode line separators.
_COMMANDS = ("Cc", "Cf", "Zl", "Zp")


def plain(text: object) -> str:
    """Return text, such as a file's name, with control characters shown as escapes."""
    return "".join(_shown(letter) if unicodedata.category(letter) in _COMMANDS else letter for letter in str(text))


def _shown(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")

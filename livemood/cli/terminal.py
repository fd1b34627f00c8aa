"""Any text on any terminal, and exit codes."""

import codecs
import io
import json
import sys
import unicodedata
from typing import Final

from livemood.core.text_tables import NOT_UTF8

INTERRUPTED: Final = 130
"""Exit code of a command that was interrupted."""

# Control characters, bidirectional controls, and Unicode line separators.
_COMMANDS = ("Cc", "Cf", "Zl", "Zp")
# Name of the error handler, and the characters by which Python stands for bytes that are not UTF-8.
_ANY_TEXT = "livemood"
_FIRST_BYTE, _LAST_BYTE = "\udc80", "\udcff"


def plain(text: object) -> str:
    """Return text, such as a file's name, with control characters shown as escapes."""
    return "".join(_shown(letter) if unicodedata.category(letter) in _COMMANDS else letter for letter in str(text))


def tell(text: object) -> None:
    """Print one line on stderr, with control characters shown as escapes."""
    print(f"livemood: {plain(text)}", file=sys.stderr)


def print_any_text() -> None:
    r"""Make stdout and stderr take any text, whatever their encoding.

    Bytes of file names that are not UTF-8 are written as they are. Other characters that the encoding lacks, such as
    an arrow in ASCII or on an old Windows console, are written as in JSON: ``\u2192``.
    """
    codecs.register_error(_ANY_TEXT, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ANY_TEXT)


def _escaped(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return b"".join(map(_bytes_of, error.object[error.start : error.end])), error.end


def _bytes_of(letter: str) -> bytes:
    if _FIRST_BYTE <= letter <= _LAST_BYTE:
        return letter.encode("ascii", errors=NOT_UTF8)
    return json.dumps(letter)[1:-1].encode("ascii")


def _shown(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")

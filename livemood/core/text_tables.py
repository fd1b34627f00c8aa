"""How text and tables are encoded and separated, as programs of many systems and countries write them."""

import codecs
import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Final

NOT_UTF8: Final = "surrogateescape"
"""How bytes that are not UTF-8, such as those of some file names, are kept in text."""

# Those that stand for no byte; a JSON file may hold them.
_SURROGATES: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text that begins with these bytes: UTF-16 if they are its mark, or else UTF-8.

    Spreadsheets write UTF-16 as "Unicode text", and Windows PowerShell writes it into redirected output.
    """
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def decode_text(data: bytes) -> str:
    """Return bytes as text; those that are not UTF-8 are kept, those that are not UTF-16 are replaced."""
    encoding = encoding_of(data)
    return data.decode(encoding, errors="replace" if encoding == "utf-16" else NOT_UTF8)


def utf8(text: str) -> str:
    r"""Return text as UTF-8 can hold it: bytes that are not UTF-8 become escapes, ``\xff``, other surrogates U+FFFD."""
    return _SURROGATES.sub("\ufffd", text).encode(errors=NOT_UTF8).decode(errors="backslashreplace")


def one_line(text: str) -> str:
    """Return text as one line that UTF-8 and XML can hold; line breaks and control characters become spaces."""
    return _CONTROLS.sub(" ", utf8(text))


def printable(text: str) -> str:
    """Return text with ``?`` in place of each character that cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def composed(text: str) -> str:
    """Return text with each accent composed with its letter (NFC), as keyboards type it; macOS stores names apart."""
    return unicodedata.normalize("NFC", text)


def separator_of(header: str) -> str:
    """Return what separates the cells of a table, comma, semicolon or tab: what its first line has most of.

    Spreadsheets write semicolons where the decimal mark is a comma, and tabs as "Unicode text".
    """
    return max(",;\t", key=header.count)


def table_rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a table.

    Raises:
        csv.Error: It is not a table.
    """
    return iter(csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text.partition("\n")[0])))


def json_line(value: Any) -> str:
    """Return a value as a line of JSON Lines that ends in a line feed; letters beyond ASCII stay as they are."""
    return json.dumps(value, ensure_ascii=False) + "\n"


def table_line(cells: Iterable[Any]) -> str:
    """Return a row of CSV that ends in a line feed.

    A carriage return in a cell is quoted, without which ``csv.reader`` refuses the row. Before Python 3.13,
    ``csv.writer`` does so only if rows end in one.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"

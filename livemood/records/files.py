"""Which files are record files."""

from pathlib import Path
from typing import Final

from livemood.core.errors import LivemoodError

SUFFIXES: Final = (".jsonl", ".csv", ".parquet")
"""Of record files, in small letters."""


def record_file(path: str | Path) -> Path:
    """Return the path of a record file.

    Raises:
        LivemoodError: It is not there, or its suffix is another.
    """
    if not str(path):
        raise LivemoodError("the path of the records is empty", "give a record file")
    path = Path(path)
    if not path.is_file():
        raise LivemoodError(f"{path} {'is a folder' if path.is_dir() else 'is not there'}", "give a record file")
    if path.suffix.lower() not in SUFFIXES:
        raise LivemoodError(f"{path} is not a record file: its suffix is none of {', '.join(SUFFIXES)}")
    return path

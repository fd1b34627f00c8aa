"""Marks of files that an interrupt left incomplete: a hidden ``.NAME.interrupted`` beside each, which holds its size.

No format has a place for such a mark that every program leaves alone. A file of another size than the mark says was
made again, or changed by someone, and counts as complete.
"""

from contextlib import suppress
from pathlib import Path

from livemood.runtime.atomic_io import hidden_beside

_ENDING = "interrupted"


def mark_interrupted(path: Path) -> None:
    """Mark a file as incomplete, if it is there; where no mark can be written, the file counts as complete."""
    with suppress(OSError):
        size = path.stat().st_size
        hidden_beside(path, _ENDING).write_text(f"{size}\n", encoding="ascii")


def is_interrupted(path: Path) -> bool:
    """Return whether a file is there and marked as incomplete."""
    with suppress(OSError, ValueError):
        return path.stat().st_size == int(hidden_beside(path, _ENDING).read_text(encoding="ascii"))
    return False


def unmark(path: Path) -> None:
    """Remove the mark of a file, if it has one."""
    with suppress(OSError):
        hidden_beside(path, _ENDING).unlink(missing_ok=True)

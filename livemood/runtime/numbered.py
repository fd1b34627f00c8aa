"""Paths with a number added where a name is taken."""

from collections.abc import Callable
from itertools import count
from pathlib import Path


class NumberedPaths:
    """Chooses free paths, in linear time for any number of equal names.

    Args:
        is_taken: Whether a path may not be used.
    """

    def __init__(self, is_taken: Callable[[Path], bool]) -> None:
        self._is_taken = is_taken
        self._last: dict[Path, int] = {}

    def free(self, wanted: Path) -> Path:
        """Return the path as it is, or else the first of ``NAME-2.jpg``, ``NAME-3.jpg`` and so on that is not taken."""
        numbers = count(self._last.get(wanted, 1))
        self._last[wanted] = next(number for number in numbers if not self._is_taken(_numbered(wanted, number)))
        return _numbered(wanted, self._last[wanted])


def _numbered(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")

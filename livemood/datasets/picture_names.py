"""Find the pictures that the rows of a table name: by path in the data set, or by a name or end that only one has."""

from collections import defaultdict
from collections.abc import Container, Sequence
from pathlib import PurePosixPath

from livemood.core.errors import DatasetError
from livemood.core.text_tables import composed


class PictureNames:
    """The pictures of a data set by path and by name.

    Args:
        files: Paths of all pictures in the data set.
        folder: A folder in it; paths relative to it are found too.
    """

    def __init__(self, files: Sequence[str], folder: str = "") -> None:
        whole = {_plain(file): file for file in files}
        below = f"{_plain(folder)}/"
        inside = {path.removeprefix(below): file for path, file in whole.items() if path.startswith(below)}
        self._by_path = {**inside, **whole}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path, file in whole.items():
            self._by_name[PurePosixPath(path).name].append(file)

    def by_path(self, cell: str) -> str | None:
        """Return the picture of a path; None if there is none."""
        return self._by_path.get(_plain(cell))

    def by_name(self, cell: str, table: str, but: Container[str] = ()) -> str | None:
        """Return the only picture of a name, whatever the folders; None if there is none.

        Args:
            cell: A name or a path.
            table: What names it, for the error.
            but: Pictures that are left out.

        Raises:
            DatasetError: Several pictures have the name.
        """
        found = [file for file in self.called(cell) if file not in but]
        return _only(found, PurePosixPath(_plain(cell)).name, table)

    def called(self, cell: str) -> Sequence[str]:
        """Return all pictures that have the name of a cell, whatever the folders."""
        return self._by_name.get(PurePosixPath(_plain(cell)).name, ())

    def find(self, cell: str, table: str) -> str | None:
        """Return the picture of a path, of the end of a path, or of a name without folders; None if there is none.

        Raises:
            DatasetError: Several pictures have the name, or paths that end so.
        """
        path = _plain(cell)
        ends = [file for file in self.called(cell) if f"/{_plain(file)}".endswith(f"/{path}")]
        return self.by_path(cell) or _only(ends, path, table)


def _only(found: Sequence[str], name: str, table: str) -> str | None:
    if len(found) > 1:
        raise DatasetError(
            f"{table}: {len(found)} pictures are called {name}, such as {found[0]} and {found[1]}",
            "give their paths in the data",
        )
    return found[0] if found else None


def _plain(cell: str) -> str:
    return composed(PurePosixPath(cell.strip().replace("\\", "/")).as_posix())

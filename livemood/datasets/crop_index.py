"""``index.csv`` in a folder of crops; with its columns ``file`` and ``source``, crops of one clip stay in one split."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Self

from livemood.core.errors import DatasetError, SinkError
from livemood.core.text_tables import NOT_UTF8
from livemood.datasets.files import Files
from livemood.runtime.atomic_io import atomic_write

INDEX = "index.csv"


def read_index(files: Files, folder: str = "", needed: Sequence[str] = ("file", "source")) -> list[dict[str, str]]:
    """Return the rows of the index that ``livemood crop`` wrote; none where there is no index.

    Args:
        files: A data set.
        folder: The folder in it that holds the index, such as ``faces/``.
        needed: Columns that it must have.

    Raises:
        DatasetError: It has other columns.
    """
    name = f"{folder}{INDEX}"
    if name not in files.names:
        return []
    rows = files.rows(name)
    columns = next(rows, [])
    if lacking := [column for column in needed if column not in columns]:
        raise DatasetError(
            f"{name} in {files.path} has no column {' and '.join(lacking)}, which keep crops of one clip in one split; "
            "give the index.csv that livemood crop wrote, or take this one away"
        )
    return [dict(zip(columns, row, strict=True)) for row in rows if len(row) == len(columns)]


class CropIndex:
    """Names new crops, and lists them after those of earlier runs that are still in the folder or below.

    It is written line by line, so that after an interrupt it lists the crops written so far.

    Args:
        folder: Folder of the crops; made if it is missing.
        columns: Of new rows, ``file`` and ``source`` among them.
        force: Add to an index that is there, and replace files that it does not list.

    Attributes:
        added: Number of new crops in the list.

    Raises:
        SinkError: An index is there already, or cannot be written.
        DatasetError: The index there has other columns.
    """

    def __init__(self, folder: Path, columns: Sequence[str], force: bool) -> None:
        self._folder, self._file, self._force = folder, folder / INDEX, force
        if self._file.exists() and not force:
            raise SinkError(f"{self._file} is there already", "use {force} to add to it, or another {out}")
        self._rows = _still_there(folder) if self._file.exists() else {}
        self._columns = list(dict.fromkeys([*(column for row in self._rows.values() for column in row), *columns]))
        self._numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
        self._replaced = False
        self._open = ExitStack()
        self.added = 0

    def holds(self, path: Path) -> bool:
        """Return whether a file is one of the crops of earlier runs, in this folder or below."""
        return path.name in self._rows and self._folder.resolve() in path.resolve().parents

    def __enter__(self) -> Self:
        self._write()
        lines = self._file.open("a", newline="", encoding="utf-8", errors=NOT_UTF8, buffering=1)
        self._open.enter_context(lines)
        self._lines = csv.DictWriter(lines, self._columns)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        if self._replaced:
            self._write()

    def name(self, source: Path, folder: str = "") -> str:
        """Return the path of the next crop of a source, such as ``happy/clip-00001.png``.

        Crops of earlier runs of the same source are replaced, crops of other sources never; files that the index does
        not list are replaced only with ``force``.
        """
        names = (f"{source.stem}-{number:05}.png" for number in self._numbers[source.stem])
        return folder + next(name for name in names if self._is_free(name, source, folder))

    def add(self, row: Mapping[str, str]) -> None:
        """List a crop that was written."""
        name = PurePosixPath(row["file"]).name
        self._replaced |= name in self._rows
        self._rows[name] = row
        self._lines.writerow(row)
        self.added += 1

    def _is_free(self, name: str, source: Path, folder: str) -> bool:
        if name in self._rows:
            return self._rows[name]["source"] == str(source)
        return self._force or not (self._folder / folder / name).exists()

    def _write(self) -> None:
        with (
            atomic_write(self._file, "out", force=True) as part,
            part.open("w", newline="", encoding="utf-8", errors=NOT_UTF8) as stream,
        ):
            rows = csv.DictWriter(stream, self._columns)
            rows.writeheader()
            rows.writerows(self._rows.values())


def _still_there(folder: Path) -> dict[str, Mapping[str, str]]:
    """Return the rows of crops that still exist, by file name, because they may have been moved into class folders."""
    files = Files(folder)
    present = {PurePosixPath(name).name for name in files.names}
    rows = {PurePosixPath(row["file"]).name: row for row in read_index(files)}
    return {name: row for name, row in rows.items() if name in present}

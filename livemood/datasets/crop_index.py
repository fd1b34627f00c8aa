"""``index.csv`` in a folder of crops; with its columns ``file`` and ``source``, crops of one clip stay in one split."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Final

from livemood.core.errors import DatasetError, SinkError
from livemood.core.geometry import Box
from livemood.core.text_tables import NOT_UTF8
from livemood.datasets.files import Files
from livemood.runtime.atomic_io import atomic_write, unwritable
from livemood.runtime.closeable import Closeable
from livemood.runtime.paths import is_there, real_path

INDEX = "index.csv"
COLUMNS: Final = ("file", "source", "time_s", "left", "top", "right", "bottom", "score")
"""Columns of every index: the crop, what it was cut from, the frame's time in s, box in px and score of the face.

The source is its real path; indexes of livemood 0.1.0 have the path as it was given.
"""

# A face and an earlier one of the same frame are the same if their boxes overlap by this intersection over union.
_SAME_FACE: Final = 0.5
_SAME_TIME_S: Final = 0.001

Row = Mapping[str, str]


def read_index(files: Files, folder: str = "", needed: Sequence[str] = ("file", "source")) -> list[dict[str, str]]:
    """Return the rows of the index that ``livemood crop`` wrote; none where there is no index.

    Args:
        files: A data set.
        folder: The folder in it that holds the index, such as ``faces/``.
        needed: Columns that it must have.

    Raises:
        DatasetError: It has other columns, or a row with more or fewer cells.
    """
    name = f"{folder}{INDEX}"
    if name not in files.names:
        return []
    rows = files.rows(name)
    columns = next(rows, [])
    if lacking := [column for column in needed if column not in columns]:
        raise DatasetError(
            f"{name} in {files.path} has no column {' and '.join(lacking)}, which keep crops of one clip in one split",
            "give the index.csv that livemood crop wrote, or take this one away",
        )
    found = []
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) != len(columns):
            raise DatasetError(
                f"{name} in {files.path} line {number}: expected {len(columns)} cells, {', '.join(columns)}, got "
                f"{','.join(row)[:80]!r}",
                "correct that line",
            )
        found.append(dict(zip(columns, row, strict=True)))
    return found


class CropIndex(Closeable):
    """Names new crops, and lists them after those of earlier runs that are still in the folder or below.

    Crops of an earlier run are replaced by those of the same source. One that lies in another folder than it was put
    into was labelled by hand: it stays, and its face is not cropped again.

    It is written line by line once ``open`` was called, so that after an interrupt it lists the crops written so far. A
    context manager.

    Args:
        folder: Folder of the crops; made if it is missing.
        columns: Of new rows, ``COLUMNS`` among them.
        force: Add to an index that is there, and replace files that it does not list.

    Attributes:
        file: Path of the index.
        added: Number of new crops in the list.

    Raises:
        SinkError: An index is there already, or cannot be written.
        DatasetError: The index there has other columns.
    """

    def __init__(self, folder: Path, columns: Sequence[str], force: bool) -> None:
        self._folder, self.file, self._force = folder, folder / INDEX, force
        if is_there(self.file) and not force:
            raise SinkError(f"{self.file} is there already", "use {force} to add to it, or another {out}")
        self._rows, moved = _still_there(folder) if is_there(self.file) else ({}, set())
        self._earlier = _by_source({name: row for name, row in self._rows.items() if name not in moved})
        self._moved = _by_source({name: self._rows[name] for name in moved})
        self._columns = list(dict.fromkeys([*(column for row in self._rows.values() for column in row), *columns]))
        self._numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
        self._lines: csv.DictWriter[str] | None = None
        self._dropped = False
        self._opened = ExitStack()
        self.added = 0

    def holds(self, path: Path) -> bool:
        """Return whether a file is one of the crops of earlier runs, in this folder or below."""
        return path.name in self._rows and real_path(self._folder) in real_path(path).parents

    @property
    def is_written(self) -> bool:
        """Whether the list was written, or is written at the end."""
        return self._lines is not None or self._dropped

    def open(self) -> None:
        """Write the list of crops of earlier runs, to which new ones are added; a second call does nothing."""
        if self._lines is None:
            self._write()
            lines = self.file.open("a", newline="", encoding="utf-8", errors=NOT_UTF8, buffering=1)
            self._lines = csv.DictWriter(self._opened.enter_context(lines), self._columns)

    def close(self) -> None:
        """Finish the list.

        Raises:
            SinkError: The disk is full or gone.
        """
        try:
            self._opened.close()
        except OSError as error:
            raise unwritable(self.file, "out", error) from error
        if self._dropped:
            self._write()

    def begin(self, source: Path) -> None:
        """Remove the crops that an earlier run made of a source, files and rows, but for those that were moved.

        Raises:
            SinkError: One cannot be removed.
        """
        for row in self._earlier.pop(real_path(source), ()):
            crop = self._folder / row["file"]
            try:
                crop.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(crop, "out", error) from error
            del self._rows[crop.name]
            self._dropped = True

    def was_moved(self, source: Path, time_s: float, box: Box) -> bool:
        """Return whether a crop of this face of a source was moved into another folder after an earlier run."""
        return any(_is_of(row, time_s, box) for row in self._moved.get(real_path(source), ()))

    def name(self, source: Path, folder: str = "") -> str:
        """Return the path of the next crop of a source, such as ``happy/clip-00001.png``.

        It is that of no crop in the index, and of another file only with ``force``. It is not hidden, even if the
        source is: a data set leaves out hidden files.
        """
        stem = source.stem.lstrip(".")
        names = (f"{stem}-{number:05}.png" for number in self._numbers[stem])
        return folder + next(name for name in names if self._is_free(name, folder))

    def add(self, row: Row) -> None:
        """List a crop that was written; the list must be open.

        Raises:
            SinkError: The disk is full or gone.
        """
        assert self._lines
        self._rows[PurePosixPath(row["file"]).name] = row
        try:
            self._lines.writerow(row)
        except OSError as error:
            raise unwritable(self.file, "out", error) from error
        self.added += 1

    def _is_free(self, name: str, folder: str) -> bool:
        return name not in self._rows and (self._force or not is_there(self._folder / folder / name))

    def _write(self) -> None:
        with (
            atomic_write(self.file, "out", force=True) as part,
            part.open("w", newline="", encoding="utf-8", errors=NOT_UTF8) as stream,
        ):
            rows = csv.DictWriter(stream, self._columns)
            rows.writeheader()
            rows.writerows(self._rows.values())


def _still_there(folder: Path) -> tuple[dict[str, Row], set[str]]:
    """Return the rows of crops that still exist, by file name, and the names of those that were moved."""
    files = Files(folder)
    places: dict[str, list[str]] = defaultdict(list)
    for place in files.names:
        places[PurePosixPath(place).name].append(place)
    rows = {PurePosixPath(row["file"]).name: row for row in read_index(files)}
    there: dict[str, Row] = {name: row for name, row in rows.items() if name in places}
    return there, {name for name, row in there.items() if places[name] != [row["file"]]}


def _by_source(rows: Mapping[str, Row]) -> dict[Path, list[Row]]:
    """Return rows by the real path of their source, which may be spelled in several ways."""
    spelled: dict[str, list[Row]] = defaultdict(list)
    for row in rows.values():
        spelled[row["source"]].append(row)
    found: dict[Path, list[Row]] = defaultdict(list)
    for source, some in spelled.items():
        found[real_path(source)] += some
    return dict(found)


def _is_of(row: Row, time_s: float, box: Box) -> bool:
    """Return whether the crop of a row shows a face, by the time of its frame and its box."""
    try:
        seen_s, *sides = (float(row[column]) for column in COLUMNS[2:7])
        return abs(seen_s - time_s) <= _SAME_TIME_S and Box(*sides).iou(box) >= _SAME_FACE
    except (KeyError, ValueError):  # written by hand
        return False

"""Tables beside the pictures, with a column of files and one of labels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from livemood.core.errors import DatasetError
from livemood.datasets.class_names import usual
from livemood.datasets.crop_index import INDEX
from livemood.datasets.files import Files, rows_of
from livemood.datasets.head_labels import HEADS
from livemood.datasets.picture_names import PictureNames
from livemood.datasets.samples import SPLIT_WORDS, SplitName, split_in

LABEL_COLUMNS = ("emotion", "label", "expression", "class", "category")
"""What tables call the column of labels."""
PIXELS = "pixels"
"""What tables that hold the pictures themselves, such as ``fer2013.csv``, call the column of these."""

_FILE_COLUMNS = (
    *("file", "filename", "image", "path", "name", "picture", "img", "imagename", "pic", "filepath"),
    *("imagepath", "imgpath", "imagefile", "pth", "subdirectoryfilepath"),
)
_SPLIT_COLUMNS = ("split", "usage", "set", "subset", "partition")
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table of files and labels.

    Attributes:
        name: Its path in the data set.
        labels: Label by picture; empty if it names none of the pictures.
        splits: Split by picture, for those to which a column of the table gives one.
        first: The first file that has a label; empty if there is none.
        problem: What makes its labels ambiguous, or None.
    """

    name: str
    labels: dict[str, str]
    splits: dict[str, SplitName]
    first: str
    problem: DatasetError | None

    @property
    def split(self) -> SplitName | None:
        """The split that the table's own name says, such as train for ``train_labels.csv``; None if it says none."""
        return split_in(PurePosixPath(self.name).stem)

    def checked(self) -> dict[str, str]:
        """Return label by picture.

        Raises:
            DatasetError: A row names several pictures, or two rows give one picture different labels or splits.
        """
        if self.problem:
            raise self.problem
        return self.labels

    def why_not(self, pictures: list[str], read: Sequence[str]) -> str:
        """Return why its labels were not taken; ``read`` are the tables whose labels were."""
        if self.labels and read:
            return f"labels were read from {', '.join(read)}"
        if self.labels or not pictures:
            return f"it names {len(self.labels)} of {len(pictures)} pictures, and half of them are needed"
        told = (
            f"its first file is {self.first[:80]!r}, a picture here {pictures[0]!r}"
            if self.first
            else "no row has both"
        )
        return f"it names none of the pictures ({told})"


def tables_of(files: Files, pictures: list[str]) -> list[LabelTable]:
    """Return the tables with a column of files and one of labels."""
    return [table for name in table_names(files) if (table := _read(files, name, pictures))]


def table_names(files: Files) -> list[str]:
    """Return the names of the tables that may hold labels of emotions."""
    names = [name for name in files.names if name.lower().endswith((".csv", ".tsv"))]
    return [name for name in names if PurePosixPath(name).name not in (INDEX, HEADS)]


def read_together(tables: Sequence[LabelTable], pictures: Sequence[str]) -> list[LabelTable]:
    """Return the tables whose labels are read; none if all together name less than half of the pictures.

    These are the first that names half of the pictures by itself, or else the first, and all that name other pictures
    only, as ``train.csv`` and ``test.csv`` do.
    """
    found, named = list[LabelTable](), set[str]()
    for table in sorted(tables, key=lambda table: 2 * len(table.labels) < len(pictures)):
        if table.labels and not named & table.labels.keys():
            found.append(table)
            named |= table.labels.keys()
    return found if 2 * len(named) >= len(pictures) > 0 else []


def holds_pixels(files: Files, table: str) -> bool:
    """Return whether a table holds the pictures themselves, as ``fer2013.csv`` does."""
    try:
        return PIXELS in map(_plain, next(rows_of(files.first_line(table), table), []))
    except DatasetError:
        return False


def _read(files: Files, table: str, pictures: list[str]) -> LabelTable | None:
    if holds_pixels(files, table):
        return None
    try:
        header, *rows = [*files.rows(table)] or [[]]
    except DatasetError:  # it may hold something else
        return None
    columns = [_plain(cell) for cell in header]
    file_at, label_at, split_at = (
        next((columns.index(name) for name in names if name in columns), None)
        for names in (_FILE_COLUMNS, LABEL_COLUMNS, _SPLIT_COLUMNS)
    )
    if file_at is None or label_at is None:
        return None
    by_name = PictureNames(pictures, PurePosixPath(table).parent.as_posix())
    labels, splits = dict[str, str](), dict[str, SplitName]()
    first, problem = "", None
    for number, row in enumerate(rows, 2):
        if len(row) <= max(file_at, label_at):
            continue
        cell, label = row[file_at].strip(), row[label_at].strip()
        if not 0 < len(label) < _LONGEST_LABEL:
            continue
        first = first or cell
        where = f"{table} line {number}"
        try:
            file = by_name.find(cell, where)
        except DatasetError as error:
            problem = problem or error
            labels |= dict.fromkeys(by_name.called(cell), label)
            continue
        if file is None:
            continue
        before = labels.setdefault(file, label)
        if (usual(before) or before) != (usual(label) or label):
            problem = problem or DatasetError(f"{where}: {cell} has the label {before} above, here {label}", "keep one")
        split = SPLIT_WORDS.get(_plain(row[split_at])) if split_at is not None and len(row) > split_at else None
        if split and splits.setdefault(file, split) != split:
            problem = problem or DatasetError(
                f"{where}: {cell} is in {splits[file]} above, here in {split}", "keep one"
            )
    return LabelTable(table, labels, splits, first, problem)


def _plain(cell: str) -> str:
    return re.sub(r"[\s._-]+", "", cell).lower()

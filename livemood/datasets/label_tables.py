"""Tables beside the pictures, with a column of files and one of labels."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from livemood.core.errors import DatasetError
from livemood.datasets.class_names import usual
from livemood.datasets.crop_index import INDEX
from livemood.datasets.files import Files
from livemood.datasets.head_labels import HEADS
from livemood.datasets.picture_names import PictureNames

_FILE_COLUMNS = ("file", "filename", "image", "path", "name", "picture", "img", "imagename", "pic", "filepath")
_LABEL_COLUMNS = ("emotion", "label", "expression", "class", "category")
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table of files and labels.

    Attributes:
        name: Its path in the data set.
        labels: Label by picture; empty if it names none of the pictures.
        first: The first file that has a label; empty if there is none.
        problem: What makes its labels ambiguous, or None.
    """

    name: str
    labels: dict[str, str]
    first: str
    problem: DatasetError | None

    def checked(self) -> dict[str, str]:
        """Return label by picture.

        Raises:
            DatasetError: A row names several pictures, or two rows give one picture different labels.
        """
        if self.problem:
            raise self.problem
        return self.labels

    def why_not(self, pictures: list[str], read: str | None) -> str:
        """Return why its labels were not taken; ``read`` is the table whose labels were."""
        if self.labels and read:
            return f"labels were read from {read}"
        if 2 * len(self.labels) >= len(pictures) > 0:
            return "the class folders say what the pictures show"
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


def _read(files: Files, table: str, pictures: list[str]) -> LabelTable | None:
    try:
        rows = iter(list(files.rows(table)))
    except DatasetError:  # it may hold something else
        return None
    columns = [re.sub(r"[\s._-]+", "", cell).lower() for cell in next(rows, [])]
    file_at = next((columns.index(name) for name in _FILE_COLUMNS if name in columns), None)
    label_at = next((columns.index(name) for name in _LABEL_COLUMNS if name in columns), None)
    if file_at is None or label_at is None:
        return None
    by_name = PictureNames(pictures, PurePosixPath(table).parent.as_posix())
    labels: dict[str, str] = {}
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
    return LabelTable(table, labels, first, problem)

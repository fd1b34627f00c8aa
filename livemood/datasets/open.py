"""Open a data set of any known kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livemood.core.errors import DatasetError
from livemood.datasets import ferplus
from livemood.datasets.class_names import FEWEST, ClassNames
from livemood.datasets.files import Files
from livemood.datasets.folders import folder_above, from_folders
from livemood.datasets.groups import with_groups
from livemood.datasets.head_labels import with_head_labels
from livemood.datasets.pixel_csv import from_csv
from livemood.datasets.samples import Collection
from livemood.runtime.paths import name_of

_USUAL_NAMES = ClassNames()


@dataclass(frozen=True, slots=True)
class DataSource:
    """Labelled pictures, and how they are read.

    Attributes:
        path: Anything that ``open_collection`` takes.
        votes: FER+'s ``fer2013new.csv``.
        heads: A table of labels of further heads.
        find_faces: The pictures are whole photos: the largest face is cut out.
        group_by: What stays in one split, see ``livemood.datasets.groups.with_groups``.
        classes: Label by class name, for classes to rename.
    """

    path: Path
    votes: Path | None = None
    heads: Path | None = None
    find_faces: bool = False
    group_by: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)

    def collection(self, known: tuple[str, ...], fewest: int = FEWEST) -> Collection:
        """Open the pictures; see ``open_collection``, which raises.

        Args:
            known: Labels that class names are mapped to, where they mean the same.
            fewest: Pictures that each class needs.
        """
        names = ClassNames(known, self.classes)
        return open_collection(self.path, self.votes, names, self.group_by, self.heads, fewest)

    def record(self) -> dict[str, Any]:
        """Return it as plain data, with names of files but without their folders."""
        return {
            "data": name_of(self.path),
            "votes": self.votes.name if self.votes else None,
            "heads": self.heads.name if self.heads else None,
            "find_faces": self.find_faces,
            "group_by": self.group_by,
            "class": dict(self.classes),
        }


def open_collection(
    path: Path,
    votes: Path | None = None,
    names: ClassNames = _USUAL_NAMES,
    group_by: str | None = None,
    heads: Path | None = None,
    fewest: int = FEWEST,
) -> Collection:
    """Open a data set of any known kind.

    Args:
        path: A FER+ folder or zip; a CSV of pixels, such as ``fer2013.csv``; or a folder or zip of pictures with one
            folder per class, with a table of files and labels, or with labels in the files' names. A ``heads.csv`` in
            a folder or zip adds labels of further heads.
        votes: FER+'s ``fer2013new.csv``, for ``fer2013.csv`` only.
        names: How class names are mapped to labels.
        group_by: Which pictures stay in one split, see ``with_groups``.
        heads: A table of labels of further heads, in place of a ``heads.csv``.
        fewest: Pictures that each class needs unless the data's classes are fixed; 0 for pictures that are only
            measured, see ``check_counts``.

    Raises:
        DatasetError: It is none of these, or damaged.
    """
    if path.suffix.lower() == ".csv" and path.is_file():
        return with_head_labels(with_groups(from_csv(path, votes, names, fewest), None, "", group_by), None, "", heads)
    if votes:
        raise DatasetError(f"{votes} belongs to a fer2013.csv, and {path} is none", "leave {votes} out")
    files = Files(path)
    if ferplus.tables(files):
        names.check_fixed("FER+")
        return with_head_labels(with_groups(ferplus.from_folders(files), None, "", group_by), files, "", heads)
    above = folder_above(files)
    collection = with_groups(from_folders(files, names, fewest), files, above, group_by)
    return with_head_labels(collection, files, above, heads)

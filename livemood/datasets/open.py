"""Open a data set of any known kind."""

from pathlib import Path

from livemood.core.errors import DatasetError
from livemood.datasets import ferplus, folders
from livemood.datasets.files import Files
from livemood.datasets.head_labels import with_head_labels
from livemood.datasets.samples import Collection


def open_collection(path: Path, votes: Path | None = None) -> Collection:
    """Open a data set of any known kind.

    Args:
        path: A FER+ folder or zip, ``fer2013.csv``, or a folder or zip with one folder per class. A ``heads.csv`` in
            a folder or zip adds labels of further heads.
        votes: FER+'s ``fer2013new.csv``, for ``fer2013.csv`` only.

    Raises:
        DatasetError: It is none of these, or broken.
    """
    if path.suffix.lower() == ".csv" and path.is_file():
        return ferplus.from_csv(path, votes)
    if votes:
        raise DatasetError(f"{votes} belongs to a fer2013.csv, and {path} is none", "leave {votes} out")
    files = Files(path)
    collection = ferplus.from_folders(files) if ferplus.tables(files) else folders.from_folders(files)
    return with_head_labels(collection, files)

"""Labelled pictures, wherever they lie: what they are called, what they show, and a way to read each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livemood.core.types import Image

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
FER2013_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's seven classes, in the order of its numbers."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled picture.

    Attributes:
        file: Path inside the collection, or another name that is found there once.
        split: Which part it belongs to; None where the collection does not say.
        votes: Votes per label, then (FER+ only) unknown and not-a-face.
        fer2013: Index in ``FER2013_LABELS``, or -1.
        group: Pictures of one group (a clip, a person) stay in one split; "" is a group by itself.
    """

    file: str
    split: SplitName | None
    votes: tuple[int, ...]
    fer2013: int = -1
    group: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    """Attributes:
    labels: The K class names.
    samples: All labelled pictures.
    read: Reads the picture of a sample as (H, W, 3) uint8 BGR; None where it cannot be read.
    skipped: What was passed over, with the reason.
    """

    labels: tuple[str, ...]
    samples: tuple[Sample, ...]
    read: Callable[[Sample], Image | None]
    skipped: tuple[str, ...] = ()


def open_collection(path: Path, votes: Path | None = None) -> Collection:
    """Open a data set of any known kind.

    Args:
        path: A FER+ folder or zip, ``fer2013.csv``, or a folder or zip with one folder per class.
        votes: FER+'s ``fer2013new.csv``, for ``fer2013.csv`` only.

    Raises:
        DatasetError: It is none of these, or broken.
    """
    from livemood.core.errors import DatasetError
    from livemood.datasets import ferplus, folders
    from livemood.datasets.files import Files

    if path.suffix.lower() == ".csv" and path.is_file():
        return ferplus.from_csv(path, votes)
    if votes:
        raise DatasetError(f"{votes} belongs to a fer2013.csv, and {path} is none", "leave {votes} out")
    files = Files(path)
    return ferplus.from_folders(files) if ferplus.tables(files) else folders.from_folders(files)

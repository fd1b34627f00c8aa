"""A data set as crops and splits, stored in a folder; the crops stay on disk.

Crops are mapped into memory, so a data set may be larger than RAM.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.datasets.files import stored_arrays
from livemood.datasets.samples import SPLITS, SplitName
from livemood.datasets.split import Split
from livemood.runtime.atomic_io import replacing, unwritable

CROPS = "crops.npy"
"""File of the crops in a data set's folder."""

_TABLE, _PART = "data.npz", "data.npz.part"
_DAMAGED = (OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """The splits, and statistics about how they were made.

    Attributes:
        heads: Class names by head, ``EMOTION`` first.
        splits: By name.
        copies_removed: Training pictures dropped because valid or test holds the same pixels.
        copied: Pictures of valid or test that were in train too, pixel for pixel (before the removal).
        near_copies: Pairs of almost equal pictures across splits that the data gives; these stay. The file of the
            earlier of train, valid and test comes first. Empty if splits were drawn.
        skipped: Skipped files, with the reason.
        faces_found: Share of the cropped pictures in which the detector found the face.
        face_share: Median side of a found face, as a share of its picture's shorter side; 0 if none was found.
        notes: Notes for the user on how labels and groups were read.
        grouped: Number of pictures that are in one split with all others of their group: near-copies, crops of one
            clip, pictures of one person. 0 if no split was drawn.
    """

    heads: Mapping[str, tuple[str, ...]]
    splits: dict[SplitName, Split]
    copies_removed: int
    copied: tuple[str, ...]
    near_copies: tuple[tuple[str, str], ...]
    skipped: tuple[str, ...]
    faces_found: float
    face_share: float = 0.0
    notes: tuple[str, ...] = ()
    grouped: int = 0

    @property
    def lacking(self) -> dict[SplitName, tuple[str, ...]]:
        """Emotions without a picture, by split; empty splits are left out."""
        found = {}
        for name, split in self.splits.items():
            present = set(split.top_vote.tolist())
            absent = tuple(label for place, label in enumerate(self.labels) if place not in present)
            if absent and len(split):
                found[name] = absent
        return found

    @property
    def labels(self) -> tuple[str, ...]:
        """The K emotions."""
        return self.heads[EMOTION]


def is_there(folder: Path) -> bool:
    """Return whether ``restore`` will find a data set."""
    return (folder / _TABLE).is_file()


def discard(folder: Path) -> None:
    """Remove a data set, or what there is of it.

    Raises:
        OSError: A file of it cannot be removed.
    """
    # The table first: without it, ``is_there`` is false.
    for name in (_TABLE, _PART, CROPS):
        (folder / name).unlink(missing_ok=True)


def save(dataset: Dataset, folder: Path) -> None:
    """Write everything except the crops. This file is written last, so if it exists, the data set is complete.

    Raises:
        SinkError: The folder cannot be written.
    """
    arrays: dict[str, Any] = {}
    for name, split in dataset.splits.items():
        arrays |= {f"{name}_rows": split.rows, f"{name}_files": split.files}
        arrays |= {f"{name}_votes_{head}": votes for head, votes in split.votes.items()}
    facts = {name: getattr(dataset, name) for name in Dataset.__slots__ if name != "splits"}
    try:
        with replacing(folder / _TABLE) as part, part.open("wb") as stream:
            np.savez(stream, facts=json.dumps(facts), **arrays)
    except OSError as error:
        raise unwritable(folder / _TABLE, "out", error) from error


def restore(folder: Path) -> Dataset:
    """Read what ``save`` wrote; the crops stay on disk.

    Raises:
        DatasetError: It is damaged.
    """
    try:
        pixels = np.load(folder / CROPS, mmap_mode="r", allow_pickle=False)
        with stored_arrays(folder / _TABLE) as data:
            facts = json.loads(str(data["facts"]))
            heads = {str(head): tuple(map(str, labels)) for head, labels in facts["heads"].items()}
            splits = {
                name: Split(
                    pixels,
                    data[f"{name}_rows"],
                    data[f"{name}_files"],
                    {head: data[f"{name}_votes_{head}"] for head in heads},
                    heads,
                )
                for name in SPLITS
            }
        return Dataset(
            heads,
            splits,
            facts["copies_removed"],
            tuple(facts["copied"]),
            tuple((a, b) for a, b in facts["near_copies"]),
            tuple(facts["skipped"]),
            facts["faces_found"],
            facts["face_share"],
            tuple(facts["notes"]),
            facts["grouped"],
        )
    except _DAMAGED as error:
        raise DatasetError(
            f"{folder} does not contain a whole data set ({error})", "remove it and start again"
        ) from error

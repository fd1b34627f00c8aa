"""Labelled pictures of any data set: their names, labels, and a function to read each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from livemood.core.labels import EMOTION
from livemood.core.types import Image

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
SPLIT_WORDS: Mapping[str, SplitName] = {
    **{"train": "train", "training": "train"},
    **{"valid": "valid", "validation": "valid", "val": "valid", "publictest": "valid"},
    **{"test": "test", "testing": "test", "privatetest": "test"},
}
"""What folders and tables call the splits, in lower case; FER2013 has PublicTest and PrivateTest."""

# What is in a split's folder: AffectNet has train_set, SFEW Train_Aligned_Faces.
_OF_SPLITS = frozenset({"set", "data", "dataset", "split", "images", "faces", "aligned", "cropped", "new"})

FER2013_HEAD = "fer2013"
FER2013_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's seven classes, in the order of its numbers."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled picture.

    Attributes:
        file: Path inside the collection, or another name that is unique in it.
        split: Its split; None if the collection does not give one.
        votes: Emotion votes per label, then (FER+ only) unknown and not-a-face.
        group: Pictures of one group (a clip, a person) stay in one split; "" is a group by itself.
        others: Label by further head; a head may be missing.
    """

    file: str
    split: SplitName | None
    votes: tuple[int, ...]
    group: str = ""
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collection:
    """The labelled pictures of a data set, not yet read.

    Attributes:
        heads: Class names by head, ``EMOTION`` first.
        samples: All labelled pictures.
        read: Reads the picture of a sample as (H, W, 3) uint8 BGR; returns None if it cannot be read.
        skipped: Skipped files, with the reason.
        notes: Notes for the user on how labels were read.
        fewest: Usable pictures that each class needs; 0 if some may have none.
    """

    heads: Mapping[str, tuple[str, ...]]
    samples: tuple[Sample, ...]
    read: Callable[[Sample], Image | None]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fewest: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The K emotions."""
        return self.heads[EMOTION]


def split_in(name: str) -> SplitName | None:
    """Return the only split that the words of a name say, such as train for ``train_labels``; None for none or two."""
    named = {SPLIT_WORDS[word] for word in _words(name) & SPLIT_WORDS.keys()}
    return named.pop() if len(named) == 1 else None


def split_of_folder(name: str) -> SplitName | None:
    """Return the split whose folder a name is, such as ``Test`` or ``val_set``; None for others, as ``test_smile``."""
    return split_in(name) if _words(name) <= SPLIT_WORDS.keys() | _OF_SPLITS else None


def _words(name: str) -> set[str]:
    return set(re.split(r"[\W\d_]+", name.lower())) - {""}

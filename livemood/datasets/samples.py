"""Labelled pictures of any data set: their names, labels, and a function to read each."""

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

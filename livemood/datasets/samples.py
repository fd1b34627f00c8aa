"""Labelled pictures, wherever they lie: what they are called, what they show, and a way to read each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from livemood.core.labels import EMOTION
from livemood.core.types import Image

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")

FER2013_HEAD = "fer2013"
FER2013_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's seven classes, in the order of its numbers."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled picture.

    Attributes:
        file: Path inside the collection, or another name that is found there once.
        split: Which part it belongs to; None where the collection does not say.
        votes: Emotion votes per label, then (FER+ only) unknown and not-a-face.
        group: Pictures of one group (a clip, a person) are dealt into one split; "" is a group by itself.
        others: Label by further head; a head may be missing.
    """

    file: str
    split: SplitName | None
    votes: tuple[int, ...]
    group: str = ""
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collection:
    """Attributes:
    heads: Class names by head, ``EMOTION`` first.
    samples: All labelled pictures.
    read: Reads the picture of a sample as (H, W, 3) uint8 BGR; None where it cannot be read.
    skipped: What was passed over, with the reason.
    notes: What is worth telling of how labels were read.
    """

    heads: Mapping[str, tuple[str, ...]]
    samples: tuple[Sample, ...]
    read: Callable[[Sample], Image | None]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The K emotions."""
        return self.heads[EMOTION]

"""Labelled pictures -> crops, soft labels and splits. Every picture goes through ``livemood.emotion.crop``."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import CropSpec
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.core.types import Frame, Image
from livemood.datasets import dedup
from livemood.datasets.dataset import CROPS, Dataset, save
from livemood.datasets.samples import SPLITS, Collection, Sample, SplitName
from livemood.datasets.split import Split
from livemood.datasets.splits import draw
from livemood.detection.base import Detector
from livemood.emotion import crop
from livemood.runtime.atomic_io import unwritable

# A tight crop is enlarged and given a border before faces are looked for: 97 % are found then (docs/crop.md).
_ENLARGED_PX, _BORDER_PX = 192, 32


def load(
    collection: Collection,
    spec: CropSpec,
    detector: Detector,
    folder: Path,
    *,
    find_faces: bool = False,
    cut: Sequence[SplitName] = SPLITS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Dataset:
    """Read a data set, cut every picture both ways, and keep it in ``folder`` for ``restore``.

    Args:
        collection: Labelled pictures.
        spec: The crop wanted.
        detector: Finds the face for the aligned framing.
        folder: Where the crops go.
        find_faces: The pictures are whole photos: the largest face counts, and one without a face is skipped.
        cut: Splits wanted; of the others pictures are only compared, to find copies.
        on_progress: Called with (pictures done, pictures in all).

    Raises:
        DatasetError: Nothing usable is there.
        SinkError: The folder cannot be written, or has no room for the crops.
    """
    samples = draw(collection.samples)
    wanted = sum(sample.split in cut for sample in samples)
    pixels = _room_for((max(wanted, 1), 2, *spec.shape), folder)
    cutter = _Cutter(spec, detector, find_faces)
    kept: list[Sample] = []
    digests, prints, rows, skipped, row = [], [], [], list(collection.skipped), 0
    for done, sample in enumerate(samples, 1):
        image = collection.read(sample)
        reason = "cannot be read as a picture" if image is None else ""
        if image is not None and sample.split in cut:
            both = cutter.cut(image)
            if both is None:
                reason = "no face found"
            else:
                pixels[row] = both
        if reason or image is None:
            skipped.append(f"{sample.file}: {reason}")
        else:
            kept.append(sample)
            digests.append(dedup.digest(image))
            prints.append(dedup.fingerprint(image))
            rows.append(row if sample.split in cut else -1)
            row += sample.split in cut
        on_progress(done, len(samples))
    pixels.flush()
    if not kept:
        raise DatasetError(f"none of the {len(samples)} pictures can be used ({skipped[0] if skipped else 'empty'})")
    places = [sample.split for sample in kept]
    doubled = dedup.without_copies(digests, places)
    in_train = {d for d, split in zip(digests, places, strict=True) if split == "train"}
    dataset = Dataset(
        heads=collection.heads,
        splits=_splits(kept, pixels, np.array(rows), ~doubled, collection.heads, cut),
        copies_removed=int(doubled.sum()),
        copied=tuple(s.file for s, d in zip(kept, digests, strict=True) if s.split != "train" and d in in_train),
        near_copies=_near_copies([s for s, d in zip(kept, doubled, strict=True) if not d], np.array(prints)[~doubled]),
        skipped=tuple(skipped),
        faces_found=cutter.found / max(cutter.seen, 1),
    )
    for name in cut:
        if name != "test" and not len(dataset.splits[name]):
            why = _why_empty(name, samples, kept, len(skipped))
            raise DatasetError(f"no usable picture is left for the {name} split; {why}")
    save(dataset, folder)
    return dataset


def _room_for(shape: tuple[int, ...], folder: Path) -> np.memmap[Any, np.dtype[np.uint8]]:
    """Return a new array on disk; its room is taken now, as a page that finds none later would end the process."""
    file = folder / CROPS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
        if hasattr(os, "posix_fallocate"):
            with file.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    except OSError as error:
        raise unwritable(file, "out", error) from error
    return pixels


def _splits(
    samples: Sequence[Sample],
    pixels: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
    good: npt.NDArray[np.bool_],
    heads: Mapping[str, tuple[str, ...]],
    cut: Sequence[SplitName],
) -> dict[SplitName, Split]:
    everything = Split(
        pixels,
        rows,
        np.array([sample.file for sample in samples]),
        {head: _votes(samples, head, labels) for head, labels in heads.items()},
        heads,
    )
    names = np.array([sample.split for sample in samples])
    return {name: everything.only((names == name) & good & (name in cut)) for name in SPLITS}


def _votes(samples: Sequence[Sample], head: str, labels: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Return (N, V) votes; one for its label is what a picture has of any head but the first, or none."""
    if head == EMOTION:
        return np.array([sample.votes for sample in samples], np.int64)
    return np.array([[sample.others.get(head) == label for label in labels] for sample in samples], np.int64)


def _why_empty(name: SplitName, samples: Sequence[Sample], kept: Sequence[Sample], skipped: int) -> str:
    """Say what became of a split's pictures, or why it was dealt none, and what to try."""
    if any(sample.split == name for sample in kept):
        return "each stands in valid or test too, pixel for pixel; leave it in one of them"
    clips = {sample.group for sample in samples} - {""}
    if clips and all(sample.split != name for sample in samples):
        return f"crops of one clip stay in one split, and {len(clips)} clip(s) are too few; cut faces out of more"
    return f"{skipped} were skipped"


def _near_copies(samples: Sequence[Sample], prints: dedup.Fingerprints) -> tuple[tuple[str, str], ...]:
    names = np.array([sample.split for sample in samples])
    files = [sample.file for sample in samples]
    found = []
    for held_out, other in (("valid", "train"), ("test", "train"), ("test", "valid")):
        some, rest = np.flatnonzero(names == held_out), np.flatnonzero(names == other)
        pairs = dedup.near_pairs(prints[some], prints[rest])
        found += [(files[rest[theirs]], files[some[ours]]) for ours, theirs in pairs]
    return tuple(found)


class _Cutter:
    """Cuts pictures both ways, and counts in how many a face was found."""

    def __init__(self, spec: CropSpec, detector: Detector, find_faces: bool) -> None:
        self._spec, self._detector, self._find_faces = spec, detector, find_faces
        self.seen = self.found = 0

    def cut(self, image: Image) -> npt.NDArray[np.uint8] | None:
        """Return (2, S, S, C), or None for a whole photo without a face."""
        self.seen += 1
        aligned = self._aligned(image if self._find_faces else _bordered(image))
        self.found += aligned is not None
        if self._find_faces:
            return None if aligned is None else np.stack([aligned, aligned])
        raw = crop.resize_crop(image, self._spec)
        return np.stack([raw, raw if aligned is None else aligned])

    def _aligned(self, image: Image) -> npt.NDArray[np.uint8] | None:
        faces = self._detector.detect(Frame(0, 0.0, image))
        return crop.crop_face(image, faces[0].keypoints, self._spec) if faces else None


def _bordered(image: Image) -> Image:
    """Give a tight crop the room around the face that the detector wants."""
    border = _BORDER_PX
    if max(image.shape[:2]) < _ENLARGED_PX:
        image = np.asarray(cv2.resize(image, (_ENLARGED_PX, _ENLARGED_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    return np.asarray(cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)

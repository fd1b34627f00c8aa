"""Labelled pictures -> crops, soft labels and splits. Every picture goes through ``livemood.emotion.crop``."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.counts import counted
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.core.types import Image
from livemood.datasets import dedup
from livemood.datasets.class_names import ENOUGH, too_few
from livemood.datasets.dataset import CROPS, Dataset, discard, save
from livemood.datasets.groups import joined, kept_together, scattered
from livemood.datasets.largest_face import largest_face
from livemood.datasets.samples import SPLITS, Collection, Sample, SplitName
from livemood.datasets.split import Split
from livemood.datasets.splits import draw, is_open
from livemood.detection.base import Detector
from livemood.emotion.crop import resize_crop
from livemood.runtime.atomic_io import unwritable

# A tight crop is enlarged and given a border before detection: 97 % of the faces are found then (docs/crop.md).
_ENLARGED_PX, _BORDER_PX = 192, 32
# Smaller pictures are skipped: they show no expression. FER2013's have 48 px.
_SMALLEST_PX = 16


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
    """Read a data set, crop every picture in both framings, and store it in ``folder`` for ``restore``.

    Args:
        collection: Labelled pictures.
        spec: How faces are cropped.
        detector: Finds the face for the aligned framing.
        folder: Folder for the crops.
        find_faces: The pictures are whole photos: the largest face counts, and photos without a face are skipped.
        cut: Splits to crop; pictures of the others are only compared, to find copies.
        on_progress: Called with the number of pictures done and the total.

    Raises:
        DatasetError: There is no usable picture, or too few of a class.
        SinkError: The folder cannot be written, or has no room for the crops.
    """
    usable, skipped = _read_all(collection, on_progress)
    if not usable:
        raise DatasetError(
            f"none of the {len(collection.samples)} pictures can be used ({skipped[0] if skipped else 'empty'})"
        )
    _check_classes(collection, usable, skipped)
    samples = [one.sample for one in usable]
    groups = [sample.group for sample in samples]
    drawn = is_open(samples)
    if drawn:
        samples = list(draw(joined(samples, np.stack([one.fingerprint for one in usable]))))
    usable = [replace(one, sample=sample) for one, sample in zip(usable, samples, strict=True)]
    count = sum(sample.split in cut for sample in samples)
    pixels = _room_for((max(count, 1), 2, *spec.shape), folder)
    cutter = _Cutter(spec, detector, find_faces)
    many = len(collection.samples)
    kept, rows, faceless = _cut_all(
        collection, usable, cut, cutter, pixels, lambda done: on_progress(many + done, many + len(usable))
    )
    skipped += faceless
    if not kept:
        raise DatasetError(f"none of the {len(usable)} pictures can be used ({skipped[-1]})")
    _check_classes(collection, kept, skipped)
    places, digests = [one.sample.split for one in kept], [one.digest for one in kept]
    doubled = dedup.without_copies(digests, places)
    in_train = {d for d, split in zip(digests, places, strict=True) if split == "train"}
    without_copies = [one for one, copy in zip(kept, doubled, strict=True) if not copy]
    dataset = Dataset(
        heads=collection.heads,
        splits=_splits([one.sample for one in kept], pixels, np.array(rows), ~doubled, collection.heads, cut),
        copies_removed=int(doubled.sum()),
        copied=tuple(one.sample.file for one in kept if one.sample.split != "train" and one.digest in in_train),
        near_copies=_near_copies(without_copies),
        skipped=tuple(skipped),
        faces_found=cutter.found / max(cutter.pictures, 1),
        face_share=float(np.median(cutter.shares)) if cutter.shares else 0.0,
        notes=(*collection.notes, *_note_on_groups(samples, groups, drawn)),
        grouped=kept_together(samples) if drawn else 0,
    )
    for name in (name for name in cut if name != "test" and not len(dataset.splits[name])):
        given = [split for split in SPLITS if any(sample.split == split for sample in collection.samples)]
        if not drawn and name not in given:
            raise DatasetError(
                f"the data has no pictures for {name}: it gives all of them to {' and '.join(given)}",
                "give some to {0}, or give the data without its splits",
                name,
            )
        why, remedy = _why_empty(name, samples, [one.sample for one in kept], len(skipped))
        raise DatasetError(f"no usable picture is left for the {name} split: {why}", remedy)
    save(dataset, folder)
    return dataset


@dataclass(frozen=True, slots=True)
class _Usable:
    """A usable picture, with hashes to find its copies and near-copies."""

    sample: Sample
    digest: bytes
    fingerprint: dedup.Fingerprints


def _read_all(collection: Collection, on_progress: Callable[[int, int], None]) -> tuple[list[_Usable], list[str]]:
    """Read every picture once, so that usable pictures and copies are known before splits are drawn."""
    usable, skipped, many = list[_Usable](), list(collection.skipped), len(collection.samples)
    for done, sample in enumerate(collection.samples, 1):
        image = collection.read(sample)
        if image is None:
            skipped.append(f"{sample.file}: cannot be read as a picture")
        elif min(image.shape[:2]) < _SMALLEST_PX:
            skipped.append(f"{sample.file}: {image.shape[1]}x{image.shape[0]} px, too small to show a face")
        else:
            usable.append(_Usable(sample, dedup.digest(image), dedup.fingerprint(image)))
        on_progress(done, 2 * many)
    return usable, skipped


def _cut_all(
    collection: Collection,
    usable: Sequence[_Usable],
    cut: Sequence[SplitName],
    cutter: "_Cutter",
    pixels: np.memmap[Any, np.dtype[np.uint8]],
    on_progress: Callable[[int], None],
) -> tuple[list[_Usable], list[int], list[str]]:
    """Write the crops of the pictures of some splits to (R, 2, S, S, C) pixels on disk.

    Returns:
        The pictures that stay, the row of each in ``pixels`` (-1 where it was not cut), and notes on the others.
    """
    kept, rows, faceless, row = list[_Usable](), list[int](), list[str](), 0
    for done, one in enumerate(usable, 1):
        is_cut = one.sample.split in cut
        if is_cut:
            image = collection.read(one.sample)
            both = None if image is None else cutter.cut(image)
            if both is None:
                faceless.append(f"{one.sample.file}: no face found")
                continue
            pixels[row] = both
        kept.append(one)
        rows.append(row if is_cut else -1)
        row += is_cut
        on_progress(done)
    pixels.flush()
    return kept, rows, faceless


def _check_classes(collection: Collection, usable: Sequence[_Usable], skipped: Sequence[str]) -> None:
    """Raise if a class lost so many pictures that too few are left."""
    counts = Counter(int(np.argmax(one.sample.votes)) for one in usable)
    small = {label: counts[place] for place, label in enumerate(collection.labels) if counts[place] < collection.fewest}
    if small:
        raise DatasetError(
            f"{too_few(small, 'usable picture')}, too few to learn and to check; "
            f"{counted(len(skipped), 'file')} skipped, such as {skipped[-1]}",
            ENOUGH,
            collection.fewest,
        )


def _note_on_groups(samples: Sequence[Sample], groups: Sequence[str], drawn: bool) -> tuple[str, ...]:
    """Return a note on groups that the data itself puts into splits.

    Args:
        samples: With their splits.
        groups: Of each as the data or the user named it, without near-copies and sequences.
        drawn: Splits were drawn, at least for some of the pictures.
    """
    apart, several = scattered([replace(one, group=group) for one, group in zip(samples, groups, strict=True)])
    if not apart and (drawn or not several or len({one.split for one in samples}) < 2):
        return ()
    return (
        f"the data gives splits, which stay as they are: {apart} of {counted(several, 'group')} of pictures that "
        "belong together lie in more than one of them",
    )


def _room_for(shape: tuple[int, ...], folder: Path) -> np.memmap[Any, np.dtype[np.uint8]]:
    """Return a new array on disk, allocated at once: a full disk would otherwise end the process later (SIGBUS).

    A data set that lay there is removed first, so that none is ever read with the crops of another.
    """
    file = folder / CROPS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        discard(folder)
        pixels = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
        if hasattr(os, "posix_fallocate"):
            with file.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    except OSError as error:
        file.unlink(missing_ok=True)
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
    """Return (N, V) votes of a head; of any head but the first, a picture has one vote for its label, or none."""
    if head == EMOTION:
        return np.array([sample.votes for sample in samples], np.int64)
    return np.array([[sample.others.get(head) == label for label in labels] for sample in samples], np.int64)


def _why_empty(name: SplitName, samples: Sequence[Sample], kept: Sequence[Sample], skipped: int) -> tuple[str, str]:
    """Return why a split has no usable picture, and what to try."""
    if any(sample.split == name for sample in kept):
        return "all that can be read are in another split too, pixel for pixel", "leave each in one split"
    groups = {sample.group for sample in samples} - {""}
    if groups and all(sample.split != name for sample in samples):
        why = "pictures that belong together (of one clip, person or sequence, or near-copies) stay in one split"
        return f"{why}, and they form only {counted(len(groups), 'group')}", "add pictures of others"
    return f"{counted(skipped, 'file')} of the data skipped", ""


def _near_copies(usable: Sequence[_Usable]) -> tuple[tuple[str, str], ...]:
    names = np.array([one.sample.split for one in usable])
    files = [one.sample.file for one in usable]
    prints = np.array([one.fingerprint for one in usable]).reshape(-1, dedup.WORDS)
    found = []
    for held_out, other in (("valid", "train"), ("test", "train"), ("test", "valid")):
        some, rest = np.flatnonzero(names == held_out), np.flatnonzero(names == other)
        pairs = dedup.near_pairs(prints[some], prints[rest])
        found += [(files[rest[theirs]], files[some[ours]]) for ours, theirs in pairs]
    return tuple(found)


class _Cutter:
    """Crops pictures in both framings, and counts in how many a face was found."""

    def __init__(self, spec: CropSpec, detector: Detector, find_faces: bool) -> None:
        self._spec, self._detector, self._find_faces = spec, detector, find_faces
        self.pictures = self.found = 0
        self.shares: list[float] = []

    def cut(self, image: Image) -> npt.NDArray[np.uint8] | None:
        """Return (2, S, S, C), or None for a whole photo without a face."""
        self.pictures += 1
        aligned = self._aligned(image) if self._find_faces else self._in_crop(image)
        self.found += aligned is not None
        if self._find_faces:
            return None if aligned is None else np.stack([aligned, aligned])
        raw = resize_crop(image, self._spec)
        return np.stack([raw, raw if aligned is None else aligned])

    def _in_crop(self, image: Image) -> npt.NDArray[np.uint8] | None:
        """Align a face crop by the face in it, and record the face's share of the picture."""
        bordered = _bordered(image)
        face = largest_face(bordered, self._detector, self._spec)
        if face is None:
            return None
        box = face.track.detection.box
        self.shares.append(box.height / (min(bordered.shape[:2]) - 2 * _BORDER_PX))
        return face.image

    def _aligned(self, image: Image) -> npt.NDArray[np.uint8] | None:
        face = largest_face(image, self._detector, self._spec)
        return None if face is None else face.image


def _bordered(image: Image) -> Image:
    """Enlarge a tight crop and add a border, so that the detector finds the face."""
    border = _BORDER_PX
    if max(image.shape[:2]) < _ENLARGED_PX:
        image = np.asarray(cv2.resize(image, (_ENLARGED_PX, _ENLARGED_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    return np.asarray(cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)

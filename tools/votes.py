"""FER+'s votes for the faces of ``tools.faces``, as ``livemood.datasets.split.Split``."""

import functools
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTION, EMOTIONS
from livemood.datasets.split import Split
from tools import faces

_RAW = "ferplus.raw.npy"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One split of FER+: rows of the cached crops, and the votes."""

    rows: npt.NDArray[np.int64]
    split: Split


@functools.cache
def parts(data: Path, work: Path) -> dict[str, Part]:
    """Return train (without pictures that are in valid or test too), valid and test."""
    table = faces.rows(data, "ferplus")
    votes = np.array([[int(value) for value in row[-10:]] for row in table], np.int64)
    names = np.array([row[0].split("/")[1].removeprefix("FER2013").lower() for row in table])
    files = np.array([row[0] for row in table])
    digests = _digests(data, work, files.tolist())
    held_out = set(digests[names != "train"])
    good = np.array([name != "train" or digest not in held_out for name, digest in zip(names, digests, strict=True)])
    found = {}
    for name in ("train", "valid", "test"):
        at = np.flatnonzero((names == name) & good)
        at = at[np.sort(np.unique(files[at], return_index=True)[1])]
        nothing = np.empty((0, 2, 48, 48, 1), np.uint8)
        found[name] = Part(at, Split(nothing, at, files[at], {EMOTION: votes[at]}, {EMOTION: EMOTIONS}))
    return found


def raw(data: Path, work: Path) -> npt.NDArray[np.uint8]:
    """Return FER+'s pictures unaligned, (N, 48, 48, 1) uint8."""
    import cv2

    kept = work / _RAW
    if not kept.exists():
        with zipfile.ZipFile(data / "ferplus.zip") as archive:
            found = [
                cv2.cvtColor(faces.read(archive, row[0]), cv2.COLOR_BGR2GRAY) for row in faces.rows(data, "ferplus")
            ]
        np.save(kept, np.stack(found)[..., None])
    return np.asarray(np.load(kept, mmap_mode="r"))


def _digests(data: Path, work: Path, files: list[str]) -> npt.NDArray[np.str_]:
    return np.array([hashlib.sha1(picture.tobytes()).hexdigest() for picture in raw(data, work)])

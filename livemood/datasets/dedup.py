"""Find duplicate pictures in a data set: exact copies and near-copies."""

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.types import Image

Fingerprints = npt.NDArray[np.uint64]

WORDS = 4
"""Number of uint64 words in a fingerprint."""

_SIDE = 16
_NEAR_BITS = 20
_CHUNK = 256


def digest(image: Image) -> bytes:
    """Return 16 bytes, a hash of the pixels."""
    return hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).digest()


def fingerprint(image: Image) -> Fingerprints:
    """Return a difference hash, (4,) uint64: 16x16 comparisons of neighbouring pixels; ignores size and brightness."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).view(np.uint64)


def near_pairs(some: Fingerprints, others: Fingerprints) -> npt.NDArray[np.int64]:
    """Return (P, 2) indices into ``some`` and ``others`` of pairs whose fingerprints differ in few bits.

    Args:
        some: (N, 4) uint64.
        others: (M, 4) uint64; compared with each of ``some``, in bounded memory.
    """
    found: list[npt.NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    for start in range(0, len(some), _CHUNK):
        apart = sum(
            np.bitwise_count(some[start : start + _CHUNK, None, word] ^ others[None, :, word]).astype(np.uint16)
            for word in range(some.shape[1])
        )
        pairs = np.argwhere(np.asarray(apart) <= _NEAR_BITS)
        pairs[:, 0] += start
        found.append(pairs)
    return np.concatenate(found)


def without_copies(digests: Sequence[bytes], splits: Sequence[str | None]) -> npt.NDArray[np.bool_]:
    """Return the (N,) mask of training pictures that are in valid or test too, pixel for pixel."""
    held_out = {d for d, split in zip(digests, splits, strict=True) if split != "train"}
    return np.array([split == "train" and d in held_out for d, split in zip(digests, splits, strict=True)], bool)

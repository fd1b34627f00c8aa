"""Find duplicate pictures in a data set: exact copies and near-copies."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

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


def clusters(count: int, together: Iterable[Sequence[int]]) -> list[list[int]]:
    """Return the numbers below ``count`` in clusters, ascending; those of one sequence are in one cluster.

    Args:
        count: N.
        together: Numbers that belong together, such as the pairs of ``near_pairs``.
    """
    parent = list(range(count))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for places in together:
        for place in places[1:]:
            lower, upper = sorted((root(places[0]), root(place)))
            parent[upper] = lower
    members: dict[int, list[int]] = defaultdict(list)
    for place in range(count):
        members[root(place)].append(place)
    return list(members.values())


def without_copies(digests: Sequence[bytes], splits: Sequence[str | None]) -> npt.NDArray[np.bool_]:
    """Return the (N,) mask of training pictures that are in valid or test too, pixel for pixel."""
    held_out = {d for d, split in zip(digests, splits, strict=True) if split != "train"}
    return np.array([split == "train" and d in held_out for d, split in zip(digests, splits, strict=True)], bool)

"""Pictures of one split: their crops on disk, and their labels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTION

RAW, ALIGNED = 0, 1
"""The two framings of every picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Pictures of one split.

    Attributes:
        pixels: (M, 2, S, S, C) uint8, possibly on disk and shared with other splits: each picture unaligned (``RAW``),
            and aligned as in serving (``ALIGNED``; the unaligned one again if no face was found).
        rows: (N,) int: indices into ``pixels`` of this split's pictures.
        files: (N,) str: names of the pictures.
        votes: By head, (N, V) int: votes per label, then unknown and not-a-face if the data has them; all 0 if a
            picture has no label of that head.
        heads: Class names by head, ``EMOTION`` first.
    """

    pixels: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int64]
    files: npt.NDArray[np.str_]
    votes: Mapping[str, npt.NDArray[np.int64]]
    heads: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def crops(self, framing: int, start: int = 0, stop: int | None = None) -> npt.NDArray[np.uint8]:
        """Return (n, S, S, C) uint8: the pictures ``start`` to ``stop`` in framing ``RAW`` or ``ALIGNED``."""
        return np.asarray(self.pixels[self.rows[start:stop], framing])

    @property
    def labels(self) -> tuple[str, ...]:
        """The K emotions."""
        return self.heads[EMOTION]

    @property
    def targets(self) -> dict[str, npt.NDArray[np.float32]]:
        """By head, (N, K) float32 soft labels that sum to 1, or to 0 where a picture has no label of that head.

        Labels with a single vote are dropped, unless a picture has no others.
        """
        return {head: _soft(self.votes[head][:, : len(labels)]) for head, labels in self.heads.items()}

    @property
    def top_vote(self) -> npt.NDArray[np.int64]:
        """(N,) int: the emotion with most votes, or -1 where unknown or not-a-face has most."""
        return self.top(EMOTION)

    def top(self, head: str) -> npt.NDArray[np.int64]:
        """Return (N,) int: a head's class with most votes, or -1 where there is none."""
        votes = self.votes[head]
        best = votes.argmax(1)
        return np.where((best < len(self.heads[head])) & votes.any(1), best, -1)

    @property
    def majority(self) -> npt.NDArray[np.int64]:
        """(N,) int: the emotion with over half of the votes once single ones are dropped, else -1 (FER+ protocol)."""
        votes = self.votes[EMOTION]
        firm = np.where(votes > 1, votes, 0) if votes.max(initial=0) > 1 else votes
        best = firm.argmax(1)
        has_majority = (firm.max(1) * 2 > firm.sum(1)) & (best < len(self.labels))
        return np.where(has_majority, best, -1)

    def only(self, mask: npt.NDArray[np.bool_]) -> "Split":
        """Return the pictures where ``mask`` (N,) holds."""
        votes = {head: of[mask] for head, of in self.votes.items()}
        return replace(self, rows=self.rows[mask], files=self.files[mask], votes=votes)


def _soft(votes: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    counts = votes.astype(np.float32)
    firm = np.where(counts > 1, counts, 0)
    kept = np.where(firm.sum(1, keepdims=True) > 0, firm, counts)
    return np.asarray(kept / np.maximum(kept.sum(1, keepdims=True), 1), np.float32)

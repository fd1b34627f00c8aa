"""Blends of two pictures (mixup: Zhang et al. 2018) as further training pictures.

A teacher has memorised the training pictures, but not their blends: its output for blends is like that for unseen
faces, and there are many more of them (Beyer et al., "Knowledge distillation: a good teacher is patient and
consistent", 2022).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livemood.datasets.split import Split


@dataclass(frozen=True, slots=True, eq=False)
class Blends:
    """N pictures in V variants each. Variant 0 is the picture alone.

    Attributes:
        split: The pictures.
        partner: (N, V) int, index of the picture that each is blended with.
        share: (N, V) float32, weight of the picture itself, 0.5 to 1.
    """

    split: Split
    partner: npt.NDArray[np.int64]
    share: npt.NDArray[np.float32]

    @property
    def variants(self) -> int:
        """V."""
        return int(self.partner.shape[1])

    def crops(
        self, pictures: npt.NDArray[np.int64], variant: npt.NDArray[np.int64], framing: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint8]:
        """Return (n, S, S, C) uint8.

        Args:
            pictures: (n,) which of the N.
            variant: (n,) which of the V of each.
            framing: (n,) ``RAW`` or ``ALIGNED``, of both pictures.
        """
        rows, pixels = self.split.rows, self.split.pixels
        own = pixels[rows[pictures], framing].astype(np.float32)
        other = pixels[rows[self.partner[pictures, variant]], framing]
        share = self.share[pictures, variant][:, None, None, None]
        return np.asarray((other + share * (own - other)).round(), np.uint8)

    def mixed(
        self, values: npt.NDArray[np.float32], pictures: npt.NDArray[np.int64], variant: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Return (n, K): what (N, K) values of the pictures become in those variants; see ``crops``."""
        share = self.share[pictures, variant][:, None]
        return np.asarray(share * values[pictures] + (1 - share) * values[self.partner[pictures, variant]], np.float32)


def blended(split: Split, others: int, seed: int) -> Blends:
    """Draw the blends of a split's pictures, once for the whole run.

    Args:
        split: N pictures.
        others: Blends of each picture; 0 for none.
        seed: The same seed gives the same blends.
    """
    rng = np.random.default_rng(seed)
    itself = np.arange(len(split))
    partner = np.stack([itself, *(rng.permutation(len(split)) for _ in range(others))], axis=1)
    share = np.asarray(rng.uniform(0.5, 1, partner.shape), np.float32)
    share[:, 0] = 1
    return Blends(split, partner, share)

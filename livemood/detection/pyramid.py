"""A picture and smaller copies of it, from which parts of a large photo are scaled down in less time."""

import cv2
import numpy as np

from livemood.core.types import Image

# A copy that is scaled down is at least this many times as large as the result: with less, small faces are lost.
_SPARE = 1.5
ALIKE = 0.1
"""A copy that differs from a wanted size by no more than this share is searched as it is: scaling takes longer."""


class Pyramid:
    """A picture and copies at a half, a quarter and so on of its size, each made when it is first needed.

    Args:
        image: (H, W, 3) uint8 BGR.
        least_px: Longer side that every copy keeps; None makes no copies.

    Attributes:
        image: The picture itself.
    """

    def __init__(self, image: Image, least_px: int | None = None) -> None:
        self.image = image
        self._copies = [image]
        shortest, longest = sorted(image.shape[:2])
        self._levels = 1 if least_px is None else min(max(longest // least_px, 1), shortest).bit_length()

    def sized(self, longest_px: int) -> tuple[Image, int, int]:
        """Return a copy to be searched at about a size.

        Args:
            longest_px: Longer side, px.

        Returns:
            The copy, the factor by which it is smaller, and the longer side to scale it to: its own if that is about
            ``longest_px``, else ``longest_px``.
        """
        longest = max(self.image.shape[:2])
        for level in range(self._levels if self._levels > 1 else 0):
            own_px = longest >> level
            if abs(own_px - longest_px) <= ALIKE * longest_px:
                return self._copy(level), 2**level, own_px
        image, factor = self.at(longest_px / longest)
        return image, factor, longest_px

    def at(self, scale: float) -> tuple[Image, int]:
        """Return a copy that is large enough to be scaled down further, and the factor by which it is smaller.

        Args:
            scale: Size of what is to be made of it, relative to the picture's; above 0.
        """
        level = 0
        while level + 1 < self._levels and _SPARE * scale * 2 ** (level + 1) <= 1:
            level += 1
        return self._copy(level), 2**level

    def _copy(self, level: int) -> Image:
        while len(self._copies) <= level:
            height, width = (side // 2 for side in self._copies[-1].shape[:2])
            # An odd row or column is left out: halving whole pairs is exact, and many times as fast.
            even = self._copies[-1][: 2 * height, : 2 * width]
            self._copies.append(np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
        return self._copies[level]

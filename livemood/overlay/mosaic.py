"""Hide faces under a coarse mosaic."""

from typing import Final

import cv2

from livemood.core.geometry import Box
from livemood.core.types import Image
from livemood.overlay.label_layout import grown, visible_part

CELLS: Final = 7
"""Number of cells along the longer side of a face."""
MARGIN: Final = 0.15
"""Width of the margin that is hidden around a face, in its longer side."""


def pixelate(image: Image, box: Box) -> None:
    """Replace a face, with a margin, by a mosaic.

    Args:
        image: (H, W, 3) uint8 BGR; written to.
        box: Of the face, px; may extend beyond the image.
    """
    height, width = image.shape[:2]
    side = min(box.longer_side, max(width, height))
    part = visible_part(grown(box, MARGIN * side), (width, height))
    if part:
        cell = max(4.0, side / CELLS)
        face = image[int(part.top) : int(part.bottom), int(part.left) : int(part.right)]
        cells = max(1, round(part.width / cell)), max(1, round(part.height / cell))
        coarse = cv2.resize(face, cells, interpolation=cv2.INTER_AREA)
        face[:] = cv2.resize(coarse, face.shape[1::-1], interpolation=cv2.INTER_NEAREST)

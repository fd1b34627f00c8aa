"""A square part of a frame, brought to a small size."""

import cv2
import numpy as np

from livemood.values import Box, Image


def corner_and_side(window: Box) -> tuple[int, int, int]:
    """Return left, top and side of a window in whole px of its frame."""
    return round(window.left), round(window.top), max(round(window.width), 1)


def cut_out(image: Image, window: Box, side_px: int) -> Image:
    """Return a window as a picture of (side_px, side_px, 3), black beyond the frame.

    Args:
        image: (H, W, 3) uint8 BGR.
        window: Square, px of the image; may poke outside.
        side_px: Side of the result, px.
    """
    left, top, side = corner_and_side(window)
    part = image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    if not part.size:
        return np.zeros((side_px, side_px, 3), np.uint8)
    rows, columns = side - part.shape[0], side - part.shape[1]
    if rows or columns:
        above, before = min(max(-top, 0), rows), min(max(-left, 0), columns)
        borders = above, rows - above, before, columns - before
        part = np.asarray(cv2.copyMakeBorder(part, *borders, cv2.BORDER_CONSTANT), np.uint8)
    how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (side_px, side_px), interpolation=how), np.uint8)

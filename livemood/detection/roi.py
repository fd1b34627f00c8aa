"""Scale a square window of a frame, or the whole frame, to a small square picture."""

import cv2
import numpy as np

from livemood.core.geometry import Box
from livemood.core.types import Image


def corner_and_side(window: Box) -> tuple[int, int, int]:
    """Return left, top and side of a square window, rounded to whole px of its frame."""
    return round(window.left), round(window.top), max(round(window.width), 1)


def crop_roi(image: Image, window: Box, side_px: int, *, grey: bool = False) -> Image:
    """Return a window as a picture of (side_px, side_px, 3), black beyond the frame.

    Args:
        image: (H, W, 3) uint8 BGR.
        window: Square, px of the image; may extend beyond it.
        side_px: Side of the result, px.
        grey: Return (side_px, side_px) grey; converted before scaling, in half the time.
    """
    left, top, side = corner_and_side(window)
    part = image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    if not part.size:
        return np.zeros((side_px, side_px) if grey else (side_px, side_px, 3), np.uint8)
    if grey:
        part = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8)
    rows, columns = side - part.shape[0], side - part.shape[1]
    if rows or columns:
        above, before = max(-top, 0), max(-left, 0)
        borders = above, rows - above, before, columns - before
        part = np.asarray(cv2.copyMakeBorder(part, *borders, cv2.BORDER_CONSTANT), np.uint8)
    interpolation = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (side_px, side_px), interpolation=interpolation), np.uint8)


def letterbox(image: Image, side_px: int) -> tuple[Image, float, float, float]:
    """Return a whole picture letterboxed into a square, with black bars.

    It is sampled as in MediaPipe's face detector (always bilinear, aligned at pixel corners), so that a network gets
    the same input as there.

    Args:
        image: (H, W, 3) uint8 BGR.
        side_px: Side of the square, px.

    Returns:
        (side_px, side_px, 3) uint8 BGR, the left and top of its corner in px of the image, and px of the image per px.
    """
    height, width = image.shape[:2]
    side = max(height, width)
    left, top, scale = (width - side) / 2, (height - side) / 2, side / side_px
    places = np.array([[scale, 0, left], [0, scale, top]])
    small = cv2.warpAffine(image, places, (side_px, side_px), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(small, np.uint8), left, top, scale

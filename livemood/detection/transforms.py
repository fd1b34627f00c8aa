"""Where a face lies in another picture: moved, scaled or turned; and which of several boxes are one face's."""

import math
from collections.abc import Sequence

import numpy as np

from livemood.core.geometry import Box
from livemood.core.types import Detection, Image, Keypoint


def moved(face: Detection, left: float, top: float, scale: float) -> Detection:
    """Return a face of a small picture in the pixels of the larger one that it is a part of.

    Args:
        face: In pixels of the small picture.
        left: Where the small picture's corner lies in the larger one, px.
        top: The same, downwards.
        scale: How many pixels of the larger picture one of the small one's is.
    """
    box = face.box
    placed = Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale).shifted(left, top)
    return Detection(placed, face.keypoints * scale + np.array([left, top], np.float32), face.score)


def turned(image: Image, turns: int) -> Image:
    """Return (H, W, 3) turned clockwise by so many quarter turns."""
    return np.ascontiguousarray(np.rot90(image, -turns)) if turns % 4 else image


def turned_back(face: Detection, turns: int, width: float, height: float) -> Detection:
    """Return a face of a turned picture in the pixels of the picture before it was turned.

    Args:
        face: In pixels of the turned picture.
        turns: By how many quarter turns clockwise it was turned.
        width: Of the picture before it was turned, px.
        height: Of the same.
    """
    if not turns % 4:
        return face
    corners = np.array([(face.box.left, face.box.top), (face.box.right, face.box.bottom)], np.float64)
    points = np.concatenate([corners, face.keypoints])
    x, y = points[:, 0], points[:, 1]
    back = {1: (y, height - x), 2: (width - x, height - y), 3: (width - y, x)}[turns % 4]
    places = np.stack(back, 1)
    (left, top), (right, bottom) = places[:2].min(0).tolist(), places[:2].max(0).tolist()
    return Detection(Box(left, top, right, bottom), places[2:].astype(np.float32), face.score)


def turns_to_upright(face: Detection) -> int:
    """Return by how many quarter turns clockwise its picture is to be turned for a face to stand upright, 0..3."""
    eyes = (face.keypoints[Keypoint.RIGHT_EYE] + face.keypoints[Keypoint.LEFT_EYE]) / 2
    x, y = (face.keypoints[Keypoint.MOUTH] - eyes).tolist()
    return round(math.atan2(x, y) / (math.pi / 2)) % 4


def square(box: Box, scale: float) -> Box:
    """Return the square around a box's centre, ``scale`` times as wide as the longer of its sides."""
    x, y = box.centre
    half = max(box.width, box.height) * scale / 2
    return Box(x - half, y - half, x + half, y + half)


def same_face(one: Box, other: Box, max_overlap: float) -> bool:
    """Tell whether two boxes share more than so much of the smaller one; networks frame faces differently."""
    return one.intersection(other) > max_overlap * min(one.area, other.area)


def without_doubles(faces: Sequence[Detection], max_overlap: float) -> tuple[Detection, ...]:
    """Return each face once, largest first: of any that overlap, the first in ``faces``."""
    kept: list[Detection] = []
    for face in faces:
        if not any(same_face(face.box, other.box, max_overlap) for other in kept):
            kept.append(face)
    return tuple(sorted(kept, key=lambda face: -face.box.area))

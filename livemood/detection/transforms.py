"""Map detections between pictures (crop, scale, quarter turns), and remove duplicate detections."""

import math
from collections.abc import Sequence

import numpy as np

from livemood.core.geometry import Box
from livemood.core.types import Detection, Image, Keypoint


def moved(face: Detection, left: float, top: float, scale: float) -> Detection:
    """Map a face from a cropped and scaled picture to the picture that it was cropped from.

    Args:
        face: In px of the crop.
        left: Left edge of the crop, px of the original.
        top: Top edge of the crop, px of the original.
        scale: Px of the original per px of the crop.
    """
    placed = face.box.scaled(scale).shifted(left, top)
    return Detection(placed, face.keypoints * scale + np.array([left, top], np.float32), face.score)


def turned(image: Image, turns: int) -> Image:
    """Return (H, W, 3) uint8 rotated clockwise by ``turns`` quarter turns."""
    return np.ascontiguousarray(np.rot90(image, -turns)) if turns % 4 else image


def turned_back(face: Detection, turns: int, width: float, height: float) -> Detection:
    """Map a face from a rotated picture to the original one.

    Args:
        face: In px of the rotated picture.
        turns: Number of clockwise quarter turns by which it was rotated.
        width: Of the original, px.
        height: Of the original, px.
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
    """Return the number of clockwise quarter turns, 0..3, that bring a face upright."""
    eyes = (face.keypoints[Keypoint.RIGHT_EYE] + face.keypoints[Keypoint.LEFT_EYE]) / 2
    x, y = (face.keypoints[Keypoint.MOUTH] - eyes).tolist()
    return round(math.atan2(x, y) / (math.pi / 2)) % 4


def square(box: Box, scale: float) -> Box:
    """Return the square around a box's centre whose side is ``scale`` times the longer side of the box."""
    x, y = box.centre
    half = box.longer_side * scale / 2
    return Box(x - half, y - half, x + half, y + half)


def best_match(faces: Sequence[Detection], box: Box, min_iou: float) -> Detection | None:
    """Return the face whose box has the highest IoU with ``box``; None if all are below ``min_iou``."""
    best = max(faces, key=lambda face: face.box.iou(box), default=None)
    return best if best and best.box.iou(box) >= min_iou else None


def same_face(one: Box, other: Box, max_overlap: float) -> bool:
    """Return whether the intersection is more than ``max_overlap`` of the smaller box.

    Not IoU, because the networks frame faces differently.
    """
    return one.intersection(other) > max_overlap * min(one.area, other.area)


def without_doubles(faces: Sequence[Detection], max_overlap: float) -> tuple[Detection, ...]:
    """Return the faces without duplicates, largest first; of overlapping ones, the first in ``faces`` stays."""
    return tuple(sorted(first_of_each(faces, max_overlap), key=lambda face: -face.box.area))


def first_of_each(faces: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """Return the faces that are not the ``same_face`` as an earlier one, in their order."""
    # Arrays, because an uncounted crowd has thousands of candidates.
    corners = [(face.box.left, face.box.top, face.box.right, face.box.bottom) for face in faces]
    boxes = np.array(corners, np.float64).reshape(-1, 4)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    kept: list[int] = []
    for place, box in enumerate(boxes):
        others = boxes[kept]
        sides = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
        shared = np.maximum(sides, 0).prod(1)
        if not (shared > max_overlap * np.minimum(areas[kept], areas[place])).any():
            kept.append(place)
    return [faces[place] for place in kept]

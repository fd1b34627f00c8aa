"""Layout of labels and panels on an annotated frame: geometry only."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from livemood.core.geometry import Box
from livemood.core.types import Keypoint, Mood

Size = tuple[int, int]
"""Width and height in px."""

# Text of a label in face widths, and its least size, px.
_TEXT_SHARE, _LEAST_TEXT = 0.14, 10
FOREHEAD: Final = 0.5
"""Height of the forehead above a face's box, as a share of the way from mouth to eyes."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes in px that grow with the frame: text of labels, text of the rest, box lines, their outline, gaps."""

    text: int
    small: int
    line: int
    outline: int
    gap: int

    @classmethod
    def of(cls, frame: Size) -> Self:
        """Return what suits a frame."""
        side = min(frame)
        line = max(1, round(side / 240))
        text, small = max(11, round(side / 36)), max(9, round(side / 45))
        return cls(text, small, line, outline=max(1, round(line / 2)), gap=max(2, round(side / 180)))

    def text_of(self, face: Box) -> int:
        """Return the size of the text that suits a face's label: smaller than usual on small faces."""
        return min(self.text, max(_LEAST_TEXT, round(_TEXT_SHARE * face.width)))

    @property
    def reach(self) -> int:
        """Distance by which a face's lines and their outline extend beyond its box."""
        return self.line + 2 * self.outline


def visible_part(box: Box, frame: Size) -> Box | None:
    """Return the part of a box inside the frame, in whole px; None if there is none."""
    left, right = math.floor(max(box.left, 0)), math.ceil(min(box.right, frame[0]))
    top, bottom = math.floor(max(box.top, 0)), math.ceil(min(box.bottom, frame[1]))
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def with_forehead(mood: Mood, box: Box) -> Box:
    """Return a face's box extended over the forehead, which detectors leave out, for any tilt of the head."""
    points = mood.track.detection.keypoints.astype(float)
    eyes = (points[Keypoint.RIGHT_EYE] + points[Keypoint.LEFT_EYE]) / 2
    most = min(box.width, box.height) / 2
    dx, dy = (min(max(step, -most), most) for step in (FOREHEAD * (eyes - points[Keypoint.MOUTH])).tolist())
    return Box(box.left + min(dx, 0), box.top + min(dy, 0), box.right + max(dx, 0), box.bottom + max(dy, 0))


def spots_around(face: Box, size: Size, frame: Size, gap: int, beside: bool = False) -> Iterator[Box]:
    """Yield boxes for a card near a face, in order of preference, all inside the frame.

    Args:
        face: In frame px.
        size: Of the card, no larger than the frame.
        frame: Size of the frame.
        gap: Space between face and card in px.
        beside: Prefer the sides to above and below.
    """
    w, h = size
    middle_x, middle_y = face.centre
    xs = (face.left, face.right - w, middle_x - w / 2, middle_x, middle_x - w)
    ys = (face.top, face.bottom - h, middle_y - h / 2)
    above, below = face.top - gap - h, face.bottom + gap
    upright = [(x, y) for y in (above, below) for x in xs]
    sideways = [(x, y) for x in (face.right + gap, face.left - gap - w) for y in ys]
    farther = [(x, y) for y in (above - gap - h, below + gap + h) for x in xs]
    spots = [*sideways, *upright] if beside else [*upright, *sideways, *farther]
    return (inside(x, y, size, frame) for x, y in spots)


def clear_spot(spots: Iterable[Box], obstacles: Sequence[Box]) -> Box | None:
    """Return the first spot that covers none of the obstacles."""
    return next((spot for spot in spots if not any(map(spot.intersection, obstacles))), None)


def place_label(
    face: Box, size: Size, others: Sequence[Box], taken: Sequence[Box], frame: Size, gap: int
) -> Box | None:
    """Return a box for a face's label that covers nothing else and is nearer to the face than to any other.

    It covers its own face only where there is no room beside it. None if there is no such box.

    Args:
        face: The labelled face, frame px.
        size: Of the label, px.
        others: The other faces.
        taken: Boxes of other labels.
        frame: Size of the frame.
        gap: Space between face and label, px.
    """
    spots = [(spot, distance(spot, face)) for spot in spots_around(face, size, frame, gap)]
    # No spot touches a face farther away than this, or is as near to it as to its own.
    reach = 2 * max(away for _, away in spots) + math.hypot(*size)
    near = [other for other in others if distance(face, other) <= reach]
    for own in ((face,), ()):
        for spot, away in spots:
            if any(map(spot.intersection, (*near, *taken, *own))):
                continue
            if all(away < distance(spot, other) for other in near):
                return spot
    return None


def distance(one: Box, other: Box) -> float:
    """Return the distance between two boxes, px; 0 if they touch or overlap."""
    across = max(one.left - other.right, other.left - one.right, 0.0)
    down = max(one.top - other.bottom, other.top - one.bottom, 0.0)
    return math.hypot(across, down)


def emptiest_corner(size: Size, obstacles: Sequence[Box], frame: Size, gap: int) -> Box:
    """Return the corner of the frame in which a card covers least of the obstacles."""
    right, bottom = frame[0] - gap - size[0], frame[1] - gap - size[1]
    corners = [inside(x, y, size, frame) for x, y in ((gap, gap), (right, gap), (right, bottom), (gap, bottom))]
    return min(corners, key=lambda corner: sum(map(corner.intersection, obstacles)))


def inside(x: float, y: float, size: Size, frame: Size) -> Box:
    """Return a box of ``size`` at (x, y), moved into the frame and onto whole px."""
    left, top = round(max(0, min(x, frame[0] - size[0]))), round(max(0, min(y, frame[1] - size[1])))
    return Box(left, top, left + size[0], top + size[1])


def grown(box: Box, margin: float) -> Box:
    """Return the box enlarged by ``margin`` px on every side."""
    return Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)

"""Where things go on an annotated frame: pure geometry, without a pixel."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from livemood.core.geometry import Box
from livemood.core.types import Keypoint, Mood

Size = tuple[int, int]
"""Width and height in px."""

_FOREHEAD = 0.5  # its height above the box, as a share of the way from mouth to eyes


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

    @property
    def reach(self) -> int:
        """How far a face's lines and their outline stand out from its box."""
        return self.line + 2 * self.outline


def visible_part(box: Box, frame: Size) -> Box | None:
    """Return the part of a box inside the frame, in whole px; None if there is none."""
    left, right = math.floor(max(box.left, 0)), math.ceil(min(box.right, frame[0]))
    top, bottom = math.floor(max(box.top, 0)), math.ceil(min(box.bottom, frame[1]))
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def head(mood: Mood, box: Box) -> Box:
    """Return a face's box grown over the forehead, which detectors leave out, whichever way the head tilts."""
    points = mood.track.detection.keypoints.astype(float)
    eyes = (points[Keypoint.RIGHT_EYE] + points[Keypoint.LEFT_EYE]) / 2
    most = min(box.width, box.height) / 2
    dx, dy = (min(max(step, -most), most) for step in (_FOREHEAD * (eyes - points[Keypoint.MOUTH])).tolist())
    return Box(box.left + min(dx, 0), box.top + min(dy, 0), box.right + max(dx, 0), box.bottom + max(dy, 0))


def spots_around(face: Box, size: Size, frame: Size, gap: int, beside: bool = False) -> Iterator[Box]:
    """Yield the places for a card near a face, the best first, all inside the frame.

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


def place_labels(
    faces: Sequence[Box],
    labels: Sequence[tuple[Box, Size]],
    frame: Size,
    gap: int,
    kept: Sequence[Box] = (),
) -> list[Box]:
    """Return a place for each label (its own face, its size) that covers neither faces nor labels placed before it.

    Where there is none, it is the one that covers least of other labels and, among equals, least of faces. What is
    ``kept`` free counts as a label.
    """
    taken = list(kept)
    for face, size in labels:

        def covered(spot: Box) -> tuple[float, float]:
            return sum(map(spot.intersection, taken)), sum(map(spot.intersection, faces))

        spots = partial(spots_around, face, size, frame, gap)
        taken.append(clear_spot(spots(), [*taken, *faces]) or min(spots(), key=covered))
    return taken[len(kept) :]


def inside(x: float, y: float, size: Size, frame: Size) -> Box:
    """Return a box of ``size`` at (x, y), moved into the frame and onto whole px."""
    left, top = round(max(0, min(x, frame[0] - size[0]))), round(max(0, min(y, frame[1] - size[1])))
    return Box(left, top, left + size[0], top + size[1])


def grown(box: Box, margin: float) -> Box:
    """Return the box with a margin of so many px on every side."""
    return Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)

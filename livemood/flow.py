"""How a face moved between two frames, by optical flow: a tenth of the time of a face network.

Points all over the face are followed (Lucas and Kanade 1981, in the pyramids of Bouguet 2000), and the shift, turn and
growth that most of them agree on (least median of squares, Rousseeuw 1984) is the face's. What a mouth or a hand does
on its own has no say in it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livemood.values import Box, Detection, Image
from livemood.window import corner_and_side, cut_out

_SIDE = 96
# Across and down, over the inner part of the face's box.
_POINTS, _INNER = 4, 0.8
# A point counts where the picture around it changed by less than this on average, 0..255.
_MOST_CHANGE = 12.0
_FEWEST_AGREEING = 0.6
_MOST_GROWTH = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """A window of one frame, small and grey: (96, 96) uint8."""

    grey: npt.NDArray[np.uint8]
    window: Box

    @classmethod
    def of(cls, image: Image, window: Box) -> "Glimpse":
        """Take one of (H, W, 3) uint8 BGR."""
        return cls(np.asarray(cv2.cvtColor(cut_out(image, window, _SIDE), cv2.COLOR_BGR2GRAY), np.uint8), window)


def moved(face: Detection, before: Glimpse, now: Glimpse) -> Detection | None:
    """Return where a face is now; None where the pictures do not tell.

    Args:
        face: As it was ``before``.
        before: A window around it.
        now: The same window of a later frame.
    """
    left, top, side = corner_and_side(now.window)
    corner, scale = np.array([left, top], np.float32), side / _SIDE
    points = (_grid(face.box) - corner) / scale
    there, known, change = cv2.calcOpticalFlowPyrLK(
        before.grey,
        now.grey,
        points,
        None,
        winSize=(13, 13),
        maxLevel=2,
    )
    good = (known.ravel() == 1) & (change.ravel() < _MOST_CHANGE)
    if good.mean() < _FEWEST_AGREEING:
        return None
    found, agreeing = cv2.estimateAffinePartial2D(points[good], there[good], method=cv2.LMEDS)
    if found is None or agreeing.sum() < _FEWEST_AGREEING * len(points):
        return None
    growth = float(np.hypot(found[0, 0], found[1, 0]))
    if not 1 / _MOST_GROWTH < growth < _MOST_GROWTH:
        return None

    def carried(places: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(((places - corner) / scale @ found[:, :2].T + found[:, 2]) * scale + corner, np.float32)

    x, y = carried(np.array([face.box.centre], np.float32))[0].tolist()
    across, down = face.box.width * growth / 2, face.box.height * growth / 2
    return Detection(Box(x - across, y - down, x + across, y + down), carried(face.keypoints), face.score)


def _grid(box: Box) -> npt.NDArray[np.float32]:
    """Return points all over a box, (16, 2) px."""
    steps = np.linspace(-_INNER / 2, _INNER / 2, _POINTS, dtype=np.float32)
    x, y = np.meshgrid(box.centre[0] + steps * box.width, box.centre[1] + steps * box.height)
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)

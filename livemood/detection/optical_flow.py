"""How a face moved between two frames, by optical flow: a fraction of the time of a face network.

Points all over the face are followed (Lucas and Kanade 1981, in the pyramids of Bouguet 2000), and the shift, turn and
growth that most of them agree on (least median of squares, Rousseeuw 1984) is the face's. What a mouth or a hand does
on its own has no say in it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.types import Detection, Image
from livemood.detection.roi import corner_and_side, crop_roi

_SIDE = 96
# Points all over the inner part of a face's box, (16, 2), in box widths and heights from its centre.
_STEPS = np.linspace(-0.4, 0.4, 4, dtype=np.float32)
_GRID = np.stack(np.meshgrid(_STEPS, _STEPS), -1).reshape(-1, 2)
# A point counts where the picture around it changed by less than this on average, 0..255.
_MOST_CHANGE = 12.0
_FEWEST_AGREEING = 0.6
_MOST_GROWTH = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class GrayRoi:
    """A window of one frame, small and grey: (96, 96) uint8."""

    grey: npt.NDArray[np.uint8]
    window: Box

    @classmethod
    def of(cls, image: Image, window: Box) -> "GrayRoi":
        """Take one of (H, W, 3) uint8 BGR."""
        return cls(crop_roi(image, window, _SIDE, grey=True), window)


def propagate_by_flow(face: Detection, before: GrayRoi, now: GrayRoi) -> Detection | None:
    """Return where a face is now; None where the pictures do not tell.

    Args:
        face: As it was ``before``.
        before: A window around it.
        now: The same window of a later frame.
    """
    left, top, side = corner_and_side(now.window)
    corner, scale = np.array([left, top], np.float32), np.float32(side / _SIDE)
    box = face.box
    size, centre = (np.array(pair, np.float32) for pair in ((box.width, box.height), box.centre))
    points = (centre + _GRID * size - corner) / scale
    there, known, change = cv2.calcOpticalFlowPyrLK(before.grey, now.grey, points, None, winSize=(13, 13), maxLevel=2)
    good = (known.ravel() == 1) & (change.ravel() < _MOST_CHANGE)
    if good.mean() < _FEWEST_AGREEING:
        return None
    # What is refined is linear: one step is enough.
    found, agreeing = cv2.estimateAffinePartial2D(points[good], there[good], method=cv2.LMEDS, refineIters=1)
    if found is None or agreeing.sum() < _FEWEST_AGREEING * len(points):
        return None
    growth = float(np.hypot(found[0, 0], found[1, 0]))
    if not 1 / _MOST_GROWTH < growth < _MOST_GROWTH:
        return None
    places = (np.vstack([centre, face.keypoints]) - corner) / scale
    (x, y), *keypoints = (places @ found[:, :2].T + found[:, 2]) * scale + corner
    across, down = size * growth / 2
    moved_box = Box(*map(float, (x - across, y - down, x + across, y + down)))
    return Detection(moved_box, np.array(keypoints, np.float32), face.score)

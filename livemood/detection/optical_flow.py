"""Motion of a face between two frames by optical flow, in a fraction of the time of a face network.

A grid of points on the face is tracked (Lucas and Kanade 1981, pyramids of Bouguet 2000). A similarity transform is
fitted to them by least median of squares (Rousseeuw 1984), so that points on a moving mouth or a hand are outliers.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.types import Detection, Image
from livemood.detection.roi import corner_and_side, crop_roi

_SIDE = 96
# Tracked points, (16, 2), in box widths and heights from the centre of the face's box.
_STEPS = np.linspace(-0.4, 0.4, 4, dtype=np.float32)
_GRID = np.stack(np.meshgrid(_STEPS, _STEPS), -1).reshape(-1, 2)
# A tracked point is valid if its patch changed by less than this on average, grey levels 0..255.
_MOST_CHANGE = 12.0
_FEWEST_AGREEING = 0.6
_MOST_GROWTH = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class GrayRoi:
    """A window of one frame, scaled to (96, 96) uint8 grey; ``window`` is in px of the frame."""

    grey: npt.NDArray[np.uint8]
    window: Box

    @classmethod
    def of(cls, image: Image, window: Box) -> "GrayRoi":
        """Crop and scale a window of (H, W, 3) uint8 BGR."""
        return cls(crop_roi(image, window, _SIDE, grey=True), window)


def propagate_by_flow(face: Detection, before: GrayRoi, now: GrayRoi) -> Detection | None:
    """Return the face moved, rotated and scaled as the flow says; None where the flow is unreliable.

    Args:
        face: The face in the earlier frame, px of the frame.
        before: A window around it in the earlier frame.
        now: The same window of the later frame.
    """
    left, top, side = corner_and_side(now.window)
    corner, scale = np.array([left, top], np.float32), np.float32(side / _SIDE)
    box = face.box
    size, centre = (np.array(pair, np.float32) for pair in ((box.width, box.height), box.centre))
    points = (centre + _GRID * size - corner) / scale
    tracked, status, error = cv2.calcOpticalFlowPyrLK(before.grey, now.grey, points, None, winSize=(13, 13), maxLevel=2)
    good = (status.ravel() == 1) & (error.ravel() < _MOST_CHANGE)
    if good.mean() < _FEWEST_AGREEING:
        return None
    # The refined problem is linear: one iteration is enough.
    matrix, inliers = cv2.estimateAffinePartial2D(points[good], tracked[good], method=cv2.LMEDS, refineIters=1)
    if matrix is None or inliers.sum() < _FEWEST_AGREEING * len(points):
        return None
    growth = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if not 1 / _MOST_GROWTH < growth < _MOST_GROWTH:
        return None
    old = (np.vstack([centre, face.keypoints]) - corner) / scale
    (x, y), *keypoints = (old @ matrix[:, :2].T + matrix[:, 2]) * scale + corner
    across, down = size * growth / 2
    moved_box = Box(*map(float, (x - across, y - down, x + across, y + down)))
    return Detection(moved_box, np.array(keypoints, np.float32), face.score)

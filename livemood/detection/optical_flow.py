"""Motion of a face between two frames by optical flow, in a fraction of the time of a face network.

A grid of points on the face is tracked (Lucas and Kanade 1981, pyramids of Bouguet 2000). A similarity transform is
fitted to them by least median of squares (Rousseeuw 1984), so that points on a moving mouth or a hand are outliers.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.stage_settings import FlowSettings
from livemood.core.types import Detection, Image
from livemood.detection.roi import corner_and_side, crop_roi

SIDE_PX: Final = 96
"""Side to which a window is scaled, px."""
_STEPS = np.linspace(-0.4, 0.4, 4, dtype=np.float32)
GRID: Final = np.stack(np.meshgrid(_STEPS, _STEPS), -1).reshape(-1, 2)
"""Tracked points, (16, 2) float32, in box widths and heights from the centre of the face's box."""


@dataclass(frozen=True, slots=True, eq=False)
class GrayRoi:
    """A window of one frame, scaled to (96, 96) uint8 grey; ``window`` is in px of the frame."""

    grey: npt.NDArray[np.uint8]
    window: Box

    @classmethod
    def of(cls, image: Image, window: Box) -> "GrayRoi":
        """Crop and scale a window of (H, W, 3) uint8 BGR."""
        return cls(crop_roi(image, window, SIDE_PX, grey=True), window)


def propagate_by_flow(face: Detection, before: GrayRoi, now: GrayRoi, settings: FlowSettings) -> Detection | None:
    """Return the face moved, rotated and scaled as the flow says; None where the flow is unreliable.

    Args:
        face: The face in the earlier frame, px of the frame.
        before: A window around it in the earlier frame.
        now: The same window of the later frame.
        settings: When the flow is reliable.
    """
    left, top, side = corner_and_side(now.window)
    corner, scale = np.array([left, top], np.float32), np.float32(side / SIDE_PX)
    box = face.box
    size, centre = (np.array(pair, np.float32) for pair in ((box.width, box.height), box.centre))
    points = (centre + GRID * size - corner) / scale
    tracked, status, error = cv2.calcOpticalFlowPyrLK(before.grey, now.grey, points, None, winSize=(13, 13), maxLevel=2)
    good = (status.ravel() == 1) & (error.ravel() < settings.most_change)
    if good.mean() < settings.fewest_agreeing:
        return None
    # The refined problem is linear: one iteration is enough.
    matrix, inliers = cv2.estimateAffinePartial2D(points[good], tracked[good], method=cv2.LMEDS, refineIters=1)
    if matrix is None or inliers.sum() < settings.fewest_agreeing * len(points):
        return None
    growth = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if not 1 / settings.most_growth < growth < settings.most_growth:
        return None
    old = (np.vstack([centre, face.keypoints]) - corner) / scale
    (x, y), *keypoints = (old @ matrix[:, :2].T + matrix[:, 2]) * scale + corner
    across, down = size * growth / 2
    moved_box = Box(*map(float, (x - across, y - down, x + across, y + down)))
    return Detection(moved_box, np.array(keypoints, np.float32), face.score)

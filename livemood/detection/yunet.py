"""YuNet proposes candidates for faces, many at once and of any size: an image -> list[Detection]."""

from typing import Final

import cv2
import numpy as np

from livemood.core.geometry import Box
from livemood.core.types import Detection, Image, Keypoint
from livemood.detection.yunet_runners import Rows, YuNetRunner

# BlazeFace's keypoints relative to YuNet's: medians over 168 news photos.
EARS: Final = ((-1.07, 0.31), (1.07, 0.31))
"""BlazeFace's right and left ear, (x, y) from the point between YuNet's eyes, in YuNet's eye distances."""
EYE_DISTANCE: Final = 1.02
"""BlazeFace's eye distance, in YuNet's."""
BOX_SHIFT: Final = 0.09
"""Distance by which the centre of BlazeFace's box is lower than that of YuNet's, in heights of YuNet's box."""
BOX_WIDTH: Final = 1.08
"""Width of BlazeFace's box, in widths of YuNet's."""
BOX_HEIGHT: Final = 0.81
"""Height of BlazeFace's box, in heights of YuNet's."""


class YuNet:
    """Proposes candidates for faces.

    Args:
        runner: Runs the network.
    """

    def __init__(self, runner: YuNetRunner) -> None:
        self._runner = runner

    def find(self, image: Image, longest_px: int | None = None, min_score: float = 0.0) -> list[Detection]:
        """Return the candidates of a picture in its pixels, highest score first.

        Boxes are YuNet's, from forehead to chin; keypoints are in BlazeFace's order, with estimated ears.

        Args:
            image: (H, W, 3) uint8 BGR.
            longest_px: Scale its longer side to this first; None leaves it.
            min_score: Candidates below this score (0..1) are dropped; the runner has dropped some already.
        """
        height, width = image.shape[:2]
        scale = 1.0 if longest_px is None else longest_px / max(height, width)
        if scale != 1:
            size = max(round(width * scale), 1), max(round(height * scale), 1)
            interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)
        rows = self._runner.rows(image)
        rows = rows[rows[:, -1] >= min_score]
        rows[:, :-1] /= np.array([image.shape[1] / width, image.shape[0] / height] * 7, np.float32)
        return _candidates(rows)

    def score(self, window: Image, box: Box, min_iou: float, mirrored: bool) -> float:
        """Return the score of a face when only a window around it is searched; 0 where none is detected.

        Args:
            window: (H, W, 3) uint8 BGR.
            box: Of the face, px of the window.
            min_iou: Lowest IoU of a detection with the box.
            mirrored: Search the window's mirror image.
        """
        left, right = box.left, box.right
        if mirrored:
            width = window.shape[1]
            window, left, right = np.ascontiguousarray(window[:, ::-1]), width - right, width - left
        rows = self._runner.rows(window)
        boxes = rows[:, :4].astype(np.float64)
        start, sizes = boxes[:, :2], boxes[:, 2:]
        shared = np.minimum(start + sizes, (right, box.bottom)) - np.maximum(start, (left, box.top))
        inside = np.maximum(shared, 0).prod(1)
        matching = inside >= min_iou * (sizes.prod(1) + (right - left) * (box.bottom - box.top) - inside)
        return float(rows[matching, -1].max(initial=0.0))


def like_blazeface(candidate: Detection) -> Detection:
    """Return a candidate with its box framed as BlazeFace's: from the brows to the chin."""
    (x, y), box = candidate.box.centre, candidate.box
    y += BOX_SHIFT * box.height
    across, down = BOX_WIDTH * box.width / 2, BOX_HEIGHT * box.height / 2
    return Detection(Box(x - across, y - down, x + across, y + down), candidate.keypoints, candidate.score)


def _candidates(rows: Rows) -> list[Detection]:
    """Return the detections of YuNet's rows, see ``yunet_runners``."""
    right_eye, left_eye, nose, right_mouth, left_mouth = rows[:, 4:14].reshape(-1, 5, 2).transpose(1, 0, 2)
    middle, along = (right_eye + left_eye) / 2, left_eye - right_eye
    down = np.stack([-along[:, 1], along[:, 0]], 1)
    points = np.empty((len(rows), len(Keypoint), 2), np.float32)
    points[:, Keypoint.RIGHT_EYE] = middle - along * EYE_DISTANCE / 2
    points[:, Keypoint.LEFT_EYE] = middle + along * EYE_DISTANCE / 2
    points[:, Keypoint.NOSE_TIP] = nose
    points[:, Keypoint.MOUTH] = (right_mouth + left_mouth) / 2
    for ear, (x, y) in zip((Keypoint.RIGHT_EAR, Keypoint.LEFT_EAR), EARS, strict=True):
        points[:, ear] = middle + x * along + y * down
    scores = np.clip(rows[:, 14], 0, 1).tolist()
    return [
        Detection(Box(left, top, left + width, top + height), keypoints, score)
        for (left, top, width, height), keypoints, score in zip(rows[:, :4].tolist(), points, scores, strict=True)
    ]

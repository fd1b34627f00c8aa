"""YuNet, run by OpenCV: where faces may be, at any size, many at once."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.errors import ModelIncompatible
from livemood.core.geometry import Box
from livemood.core.types import Detection, Image, Keypoint
from livemood.detection.roi import crop_roi
from livemood.runtime.native_output import native_stderr_held

_SAME_FACE = 0.3
_MOST = 5000
_ROW = 15
# BlazeFace's eyes, nose, mouth and ears in YuNet's terms, (x, y) from the middle between the eyes in eye distances:
# medians over 168 news photos, whose five points of YuNet are a little off BlazeFace's.
_EARS = ((-1.07, 0.31), (1.07, 0.31))
_EYES_APART = 1.02
# A face's box of BlazeFace in YuNet's: its centre lies lower by this share of the height, and its sides are these
# shares of width and height.
_LOWER, _WIDTH, _HEIGHT = 0.09, 1.08, 0.81


class YuNet:
    """Proposes places for faces.

    Args:
        model: ``face_detection_yunet_2023mar.onnx``.
        min_score: Places below this score (0..1) are dropped.

    Raises:
        ModelIncompatible: The file is damaged or another network.
    """

    def __init__(self, model: Path, min_score: float) -> None:
        data = np.frombuffer(model.read_bytes(), np.uint8)
        try:
            # OpenCV 5 prints a line about targets here.
            with native_stderr_held():
                self._network = cv2.FaceDetectorYN.create(
                    "onnx", data, np.empty(0, np.uint8), (32, 32), min_score, _SAME_FACE, _MOST
                )
                self.find(np.zeros((32, 32, 3), np.uint8))
        except cv2.error as error:
            raise ModelIncompatible(f"{model} is not a face network OpenCV can run; reinstall livemood") from error

    def find(self, image: Image, longest_px: int | None = None) -> list[Detection]:
        """Return the places of (H, W, 3) uint8 BGR where a face may be, surest first, in its pixels.

        Boxes are YuNet's, from forehead to chin; keypoints are its own in BlazeFace's order, with guessed ears.

        Args:
            image: The picture.
            longest_px: Bring its longer side to this size first; None leaves it.
        """
        height, width = image.shape[:2]
        scale = 1.0 if longest_px is None else longest_px / max(height, width)
        if scale != 1:
            size = max(round(width * scale), 1), max(round(height * scale), 1)
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
        self._network.setInputSize((image.shape[1], image.shape[0]))
        found: Any = self._network.detect(image)[1]
        # OpenCV gives None for no rows.
        rows = np.zeros((0, _ROW), np.float32) if found is None else np.asarray(found, np.float32)
        rows[:, :-1] /= np.array([image.shape[1] / width, image.shape[0] / height] * 7, np.float32)
        good = rows[np.isfinite(rows).all(1) & (rows[:, 2:4] > 0).all(1)]
        return [_place(row) for row in good[np.argsort(-good[:, -1], kind="stable")]]

    def score(self, image: Image, window: Box, place: Box, side_px: int, min_iou: float, mirrored: bool) -> float:
        """Return how sure it is of a face at a place when it looks at a window only; 0 where it sees none there.

        Args:
            image: (H, W, 3) uint8 BGR.
            window: Square part of it, px; may poke outside.
            place: Where the face is, px of the image.
            side_px: Side that the window is brought to.
            min_iou: Least overlap of what it sees with the place.
            mirrored: Look at the window's mirror image.
        """
        part = crop_roi(image, window, side_px)
        scale = side_px / window.width
        left, right = ((x - window.left) * scale for x in (place.left, place.right))
        top, bottom = ((y - window.top) * scale for y in (place.top, place.bottom))
        if mirrored:
            part, left, right = np.ascontiguousarray(part[:, ::-1]), side_px - right, side_px - left
        wanted = Box(left, top, right, bottom)
        return max((face.score for face in self.find(part) if face.box.iou(wanted) >= min_iou), default=0.0)


def like_blazeface(place: Detection) -> Detection:
    """Return a place with its box framed as BlazeFace frames faces: from the brows to the chin."""
    (x, y), box = place.box.centre, place.box
    y += _LOWER * box.height
    across, down = _WIDTH * box.width / 2, _HEIGHT * box.height / 2
    return Detection(Box(x - across, y - down, x + across, y + down), place.keypoints, place.score)


def _place(row: npt.NDArray[np.float32]) -> Detection:
    """Return a detection of YuNet's row: left, top, width, height, five points, score."""
    left, top, width, height = row[:4].tolist()
    right_eye, left_eye, nose, right_mouth, left_mouth = row[4:14].reshape(5, 2)
    middle, along = (right_eye + left_eye) / 2, left_eye - right_eye
    down = np.array([-along[1], along[0]], np.float32)
    points = np.empty((len(Keypoint), 2), np.float32)
    points[Keypoint.RIGHT_EYE] = middle - along * _EYES_APART / 2
    points[Keypoint.LEFT_EYE] = middle + along * _EYES_APART / 2
    points[Keypoint.NOSE_TIP] = nose
    points[Keypoint.MOUTH] = (right_mouth + left_mouth) / 2
    for ear, (x, y) in zip((Keypoint.RIGHT_EAR, Keypoint.LEFT_EAR), _EARS, strict=True):
        points[ear] = middle + x * along + y * down
    return Detection(Box(left, top, left + width, top + height), points, min(max(float(row[14]), 0.0), 1.0))

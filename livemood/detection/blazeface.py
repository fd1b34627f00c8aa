"""MediaPipe's BlazeFace networks, run by LiteRT in the calling thread.

The results are those of MediaPipe's face detector with the same files. MediaPipe passes each picture between threads;
under load, waiting for a free core at each step takes longer than the network itself.
"""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.errors import ModelIncompatible
from livemood.core.geometry import Box
from livemood.core.types import Detection, Image, Keypoint
from livemood.detection.roi import letterbox
from livemood.detection.transforms import moved
from livemood.runtime.native_output import native_stderr_held

MAPS: Final = {128: ((16, 2), (8, 6)), 192: ((48, 1),)}
"""Feature maps by the side of the network's input, px: cells per side, and anchors per cell."""
SAME_FACE: Final = 0.3
"""Detections with a larger IoU are of the same face and are averaged (weighted non-maximum suppression)."""
AVERAGED_FROM: Final = 0.5
"""Detections below this score are left out of an average that has one above it."""
# The network's input for each grey level: -1 to 1.
_SCALED = np.arange(256, dtype=np.float32) / 127.5 - 1


class BlazeFace:
    """Finds faces in a picture, which is letterboxed into the network's square input.

    Args:
        model: MediaPipe's ``face_detection_short_range.tflite`` or ``face_detection_full_range_sparse.tflite``.
        min_score: Faces below this score (0..1) are dropped.

    Attributes:
        side: Side of the input, px.

    Raises:
        ImportError: LiteRT is not installed.
        ModelIncompatible: The file is damaged or another network.
    """

    def __init__(self, model: Path, min_score: float) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with native_stderr_held():
                self._network: Any = Interpreter(model_path=str(model), num_threads=1)
                self._network.allocate_tensors()
                taken = self._network.get_input_details()[0]
                self._input, self.side = taken["index"], int(taken["shape"][1])
                outputs = {tuple(found["shape"]): found["index"] for found in self._network.get_output_details()}
                anchors = _anchors(self.side)
                self._boxes = outputs[1, len(anchors), 4 + 2 * len(Keypoint)]
                self._scores = outputs[1, len(anchors), 1]
        except (ValueError, RuntimeError, LookupError) as error:
            raise ModelIncompatible(f"{model} is not one of MediaPipe's face networks", "reinstall livemood") from error
        self._min_score = min_score
        self._anchors = anchors

    def find(self, image: Image) -> tuple[Detection, ...]:
        """Return the faces of (H, W, 3) uint8 BGR in its pixels, highest score first."""
        if image.shape[:2] == (self.side, self.side):
            return self._faces(image)
        small, left, top, scale = letterbox(image, self.side)
        return tuple(moved(face, left, top, scale) for face in self._faces(small))

    def close(self) -> None:
        """Do nothing: the network holds memory only."""

    def _faces(self, image: Image) -> tuple[Detection, ...]:
        # Written directly into the network's input tensor; no reference to it may exist while the network runs.
        cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), _SCALED, self._network.tensor(self._input)()[0])
        self._network.invoke()
        scores = 1 / (1 + np.exp(-np.clip(self._network.get_tensor(self._scores)[0, :, 0], -80, 80)))
        kept = np.flatnonzero(scores >= self._min_score)
        values = self._network.get_tensor(self._boxes)[0, kept].reshape(len(kept), 2 + len(Keypoint), 2)
        # Rows: centre of the box relative to the anchor, its size, then keypoints relative to the anchor.
        points = values + self._anchors[kept, None]
        sizes = values[:, 1]
        faces = np.concatenate(
            [points[:, :1] - sizes[:, None] / 2, points[:, :1] + sizes[:, None] / 2, points[:, 2:]], 1
        )
        return tuple(_averaged(faces, scores[kept]))


def _anchors(side: int) -> npt.NDArray[np.float32]:
    """Return the anchors, (A, 2) px: the centre of each cell, once for each of its anchors."""
    maps = []
    for cells, anchors in MAPS[side]:
        centres = (np.arange(cells, dtype=np.float32) + 0.5) * side / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        maps.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), anchors, 0))
    return np.concatenate(maps)


def _averaged(faces: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]) -> list[Detection]:
    """Return each face once: the average of its detections, weighted by their scores."""
    order = np.argsort(-scores)
    order = order[(faces[order, 1] > faces[order, 0]).all(1)]
    faces, scores = faces[order], scores[order]
    corners = faces[:, :2].astype(np.float64)
    areas = (corners[:, 1] - corners[:, 0]).prod(1)
    found, left = [], np.arange(len(order))
    while len(left):
        first = left[0]
        sides = np.minimum(corners[first, 1], corners[left, 1]) - np.maximum(corners[first, 0], corners[left, 0])
        shared = np.maximum(sides, 0).prod(1)
        same = shared > SAME_FACE * (areas[first] + areas[left] - shared)
        same[0] = True
        group, left = left[same], left[~same]
        averaged = group[scores[group] >= min(scores[first], AVERAGED_FROM)]
        weights = scores[averaged, None, None]
        face = (faces[averaged] * weights).sum(0) / weights.sum(0)
        found.append(Detection(Box(*face[:2].ravel().tolist()), face[2:], float(scores[first])))
    return found

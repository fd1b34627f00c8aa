"""MediaPipe's BlazeFace networks, run by LiteRT in the calling thread.

It is what MediaPipe's face detector does with the same files, without its hand-overs from thread to thread: each of
those waits for a core that is free, which under load takes longer than a network.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.errors import ModelIncompatible
from livemood.core.geometry import Box
from livemood.core.types import Detection, Image, Keypoint
from livemood.detection.roi import letterbox
from livemood.detection.transforms import moved
from livemood.runtime.native_output import native_stderr_held, silence_native_logs

# Of a network's maps by the side of its input, px: cells a side, and anchors in each cell.
_MAPS = {128: ((16, 2), (8, 6)), 192: ((48, 1),)}
# Answers that overlap more than this are about one face, and averaged.
_SAME_FACE = 0.3
# Answers of at least this score are averaged; surer ones about the same face leave weaker ones out.
_AVERAGED_FROM = 0.5
# What the networks take in place of each grey value: -1 to 1.
_SCALED = np.arange(256, dtype=np.float32) / 127.5 - 1


class BlazeFace:
    """Finds faces in a picture, which it sees as a small square.

    Args:
        model: MediaPipe's ``face_detection_short_range.tflite`` or ``face_detection_full_range_sparse.tflite``.
        min_score: Faces below this score (0..1) are dropped.

    Attributes:
        side: Of the square, px.

    Raises:
        ImportError: LiteRT is not installed.
        ModelIncompatible: The file is damaged or another network.
    """

    def __init__(self, model: Path, min_score: float) -> None:
        silence_native_logs()
        from ai_edge_litert.interpreter import Interpreter

        try:
            with native_stderr_held():
                self._network: Any = Interpreter(model_path=str(model), num_threads=1)
                self._network.allocate_tensors()
                taken = self._network.get_input_details()[0]
                self._input, self.side = taken["index"], int(taken["shape"][1])
                outputs = {tuple(found["shape"]): found["index"] for found in self._network.get_output_details()}
                anchors = _anchors(self.side)
                self._places = outputs[1, len(anchors), 4 + 2 * len(Keypoint)]
                self._scores = outputs[1, len(anchors), 1]
        except (ValueError, RuntimeError, LookupError) as error:
            raise ModelIncompatible(f"{model} is not one of MediaPipe's face networks; reinstall livemood") from error
        self._min_score = min_score
        self._anchors = anchors

    def find(self, image: Image) -> tuple[Detection, ...]:
        """Return the faces of (H, W, 3) uint8 BGR, surest first, in its pixels."""
        if image.shape[:2] == (self.side, self.side):
            return self._faces(image)
        small, left, top, scale = letterbox(image, self.side)
        return tuple(moved(face, left, top, scale) for face in self._faces(small))

    def close(self) -> None:
        """Do nothing: the network holds memory only."""

    def _faces(self, image: Image) -> tuple[Detection, ...]:
        # Right into the network's memory, which nobody may hold on to while it runs.
        cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), _SCALED, self._network.tensor(self._input)()[0])
        self._network.invoke()
        scores = 1 / (1 + np.exp(-np.clip(self._network.get_tensor(self._scores)[0, :, 0], -80, 80)))
        sure = np.flatnonzero(scores >= self._min_score)
        places = self._network.get_tensor(self._places)[0, sure].reshape(len(sure), 2 + len(Keypoint), 2)
        # Rows of places: centre of the box relative to the anchor, its size, then keypoints relative to the anchor.
        points = places + self._anchors[sure, None]
        sizes = places[:, 1]
        faces = np.concatenate(
            [points[:, :1] - sizes[:, None] / 2, points[:, :1] + sizes[:, None] / 2, points[:, 2:]], 1
        )
        return tuple(_averaged(faces, scores[sure]))


def _anchors(side: int) -> npt.NDArray[np.float32]:
    """Return where answers are relative to, (A, 2) px: the centre of each cell, once for each of its anchors."""
    every = []
    for cells, anchors in _MAPS[side]:
        centres = (np.arange(cells, dtype=np.float32) + 0.5) * side / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        every.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), anchors, 0))
    return np.concatenate(every)


def _averaged(faces: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]) -> list[Detection]:
    """Return each face once: the average of the answers about it, weighted by their scores."""
    found = []
    left = [i for i in np.argsort(-scores) if (faces[i, 1] > faces[i, 0]).all()]
    boxes = {i: Box(*faces[i, :2].ravel().tolist()) for i in left}
    while left:
        first = left[0]
        same = [i for i in left if i == first or boxes[i].iou(boxes[first]) > _SAME_FACE]
        left = [i for i in left if i not in same]
        counting = [i for i in same if scores[i] >= min(scores[first], _AVERAGED_FROM)]
        face = np.average(faces[counting], axis=0, weights=scores[counting])
        found.append(Detection(Box(*face[:2].ravel().tolist()), face[2:], float(scores[first])))
    return found

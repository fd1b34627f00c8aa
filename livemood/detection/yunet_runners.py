"""YuNet run by LiteRT, or by OpenCV where LiteRT has no wheel: (H, W, 3) uint8 BGR -> (N, 15) float32 rows.

A row holds left, top, width and height of a box, five points (right eye, left eye, nose tip, right and left corner of
the mouth), px, and the score, 0..1. Each face has one row; the highest score comes first.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from livemood.bundles.shipped import face_model
from livemood.core.errors import ModelIncompatible
from livemood.core.types import Image
from livemood.runtime.native_output import native_stderr_held

Rows = npt.NDArray[np.float32]

STRIDES = (8, 16, 32)
"""Px of the picture per cell of each output."""
SAME_FACE = 0.3
"""Of boxes with a larger IoU, the one with the highest score stays."""
_MOST = 5000
_ROW = 15
_OUTPUTS = 16  # numbers per cell
# Networks for so many sizes of pictures are kept, of up to so many px together; each takes 3 MB, and 70 bytes per px of
# the largest size that it ever had.
_KEPT = 8
_KEPT_PX = 3_200_000


class YuNetRunner(Protocol):
    """Runs YuNet on pictures of any size."""

    def rows(self, image: Image) -> Rows:
        """Return the rows of a picture."""
        ...


def open_runner(min_score: float) -> YuNetRunner:
    """Open YuNet with LiteRT, or with OpenCV where LiteRT has no wheel for the platform.

    Args:
        min_score: Rows below this score (0..1) are dropped.

    Raises:
        ModelMissing: Its file is not there.
        ModelIncompatible: Its file is damaged or another network.
    """
    try:
        return LiteRTRunner(face_model("yunet"), min_score)
    except ImportError:
        return OpenCVRunner(face_model("yunet-onnx"), min_score)


@dataclass(slots=True)
class _Network:
    """The network for one size of pictures; tensors are named by LiteRT's index.

    Attributes:
        interpreter: LiteRT's.
        largest_px: Px of the largest size that it ever had.
        input: The padded picture.
        outputs: The outputs, in the order of ``STRIDES``.
        cells: (N, 3) float32: column, row and stride of each cell of all outputs, in the same order.
    """

    interpreter: Any
    largest_px: int
    input: int
    outputs: list[int]
    cells: Rows


class LiteRTRunner:
    """YuNet in LiteRT's form (``tests/tools/yunet_to_litert.py``), in the calling thread.

    Args:
        model: ``face_detection_yunet_2023mar.tflite``.
        min_score: Rows below this score (0..1) are dropped.

    Raises:
        ImportError: LiteRT is not installed.
        ModelIncompatible: The file is damaged or another network.
    """

    def __init__(self, model: Path, min_score: float) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Any = Interpreter
        self._model, self._min_score = model, min_score
        self._networks: dict[tuple[int, int], _Network] = {}
        try:
            # LiteRT prints a line here, once in a process.
            with native_stderr_held():
                self.rows(np.zeros((max(STRIDES), max(STRIDES), 3), np.uint8))
        except (ValueError, RuntimeError, LookupError) as error:
            raise ModelIncompatible(f"{model} is not YuNet in LiteRT's form", "reinstall livemood") from error

    def rows(self, image: Image) -> Rows:
        """Return the rows of a picture, which is padded with black to whole cells."""
        height, width = image.shape[:2]
        across, down = (-(-side // max(STRIDES)) * max(STRIDES) for side in (width, height))
        network = self._network(down, across)
        interpreter = network.interpreter
        # Written directly into the network's input tensor; no reference to it may exist while the network runs.
        _put(image, interpreter.tensor(network.input)()[0])
        interpreter.invoke()
        found = [interpreter.get_tensor(output)[0].reshape(-1, _OUTPUTS) for output in network.outputs]
        return _first_of_each(_decoded(np.concatenate(found), network.cells, self._min_score))

    def _network(self, height: int, width: int) -> _Network:
        """Return the network for a size; to make one for another size takes longer than to run it."""
        network = self._networks.pop((height, width), None) or self._resized(height, width)
        self._networks[height, width] = network
        return network

    def _resized(self, height: int, width: int) -> _Network:
        spare = self._spare(height * width)
        interpreter = spare.interpreter if spare else self._interpreter(model_path=str(self._model), num_threads=1)
        taken = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(taken, [1, height, width, 3])
        interpreter.allocate_tensors()
        outputs = {height // int(out["shape"][1]): out["index"] for out in interpreter.get_output_details()}
        largest_px = max(spare.largest_px if spare else 0, height * width)
        return _Network(interpreter, largest_px, taken, [outputs[stride] for stride in STRIDES], _cells(height, width))

    def _spare(self, px: int) -> _Network | None:
        """Give up the networks that were not used for longest, until one for so many px can be kept; return the last.

        It can be resized in less than half the time that a new one takes. One that was too large to be kept is not.
        """
        spare = None
        while self._networks:
            kept_px = sum(network.largest_px for network in self._networks.values())
            if len(self._networks) < _KEPT and kept_px + px <= _KEPT_PX:
                break
            spare = self._networks.pop(next(iter(self._networks)))
        return spare if spare and spare.largest_px <= _KEPT_PX else None


class OpenCVRunner:
    """YuNet as OpenCV runs it.

    Args:
        model: ``face_detection_yunet_2023mar.onnx``.
        min_score: Rows below this score (0..1) are dropped.

    Raises:
        ModelIncompatible: The file is damaged or another network.
    """

    def __init__(self, model: Path, min_score: float) -> None:
        data = np.frombuffer(model.read_bytes(), np.uint8)
        try:
            # OpenCV 5 prints a line about targets here.
            with native_stderr_held():
                self._network = cv2.FaceDetectorYN.create(
                    "onnx", data, np.empty(0, np.uint8), (32, 32), min_score, SAME_FACE, _MOST
                )
                self.rows(np.zeros((32, 32, 3), np.uint8))
        except cv2.error as error:
            raise ModelIncompatible(f"{model} is not a face network OpenCV can run", "reinstall livemood") from error

    def rows(self, image: Image) -> Rows:
        """Return the rows of a picture."""
        self._network.setInputSize((image.shape[1], image.shape[0]))
        found: Any = self._network.detect(image)[1]
        if found is None:  # OpenCV gives None for no rows
            return np.zeros((0, _ROW), np.float32)
        rows = np.asarray(found, np.float32)
        return _valid_by_score(rows)


def _put(image: Image, padded: Rows) -> None:
    """Write a picture into the upper left of a network's input, and black beside it."""
    height, width = image.shape[:2]
    padded[:height, :width] = image
    padded[height:], padded[:, width:] = 0, 0


def _cells(height: int, width: int) -> Rows:
    """Return column, row and stride of each cell of all outputs for a size, (N, 3)."""
    grids = []
    for stride in STRIDES:
        y, x = np.indices((height // stride, width // stride))
        grids.append(np.stack([x, y, np.full_like(x, stride)], -1).reshape(-1, 3))
    return np.concatenate(grids).astype(np.float32)


def _decoded(outputs: Rows, cells: Rows, min_score: float) -> Rows:
    """Return the rows of all cells' outputs, (N, 16): class and object score, box and five points relative to a cell.

    Args:
        outputs: The outputs.
        cells: See ``_cells``.
        min_score: Rows below this score (0..1) are dropped.
    """
    each = np.clip(outputs[:, :2], 0, 1)
    scores = np.sqrt(each[:, 0] * each[:, 1])
    kept = np.flatnonzero(scores >= min_score)
    found, cell, stride = outputs[kept], cells[kept, :2], cells[kept, 2:]
    rows = np.empty((len(kept), _ROW), np.float32)
    rows[:, 2:4] = np.exp(found[:, 4:6]) * stride
    rows[:, :2] = (cell + found[:, 2:4]) * stride - rows[:, 2:4] / 2
    rows[:, 4:14] = (np.tile(cell, 5) + found[:, 6:]) * stride
    rows[:, 14] = scores[kept]
    return rows


def _valid_by_score(rows: Rows) -> Rows:
    """Return the rows that hold a box of some size and numbers only, highest score first."""
    rows = rows[np.isfinite(rows).all(1) & (rows[:, 2:4] > 0).all(1)]
    return rows[np.argsort(-rows[:, -1], kind="stable")]


def _first_of_each(rows: Rows) -> Rows:
    """Return each face's row with the highest score; overlaps are those of boxes in whole px, as OpenCV counts them."""
    rows = _valid_by_score(rows)[:_MOST]
    boxes: Any = np.trunc(rows[:, :4]).astype(np.float64)
    scores: Any = rows[:, -1]
    kept = cv2.dnn.NMSBoxes(boxes, scores, 0.0, SAME_FACE)
    return rows[np.asarray(kept, np.int64)]

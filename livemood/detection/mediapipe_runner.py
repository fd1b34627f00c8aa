"""MediaPipe's own runner of its face networks, where LiteRT has no wheel. The only importer of mediapipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from livemood.core.errors import ModelIncompatible
from livemood.core.geometry import Box
from livemood.core.types import Detection, Image
from livemood.runtime.closeable import Closeable
from livemood.runtime.native_output import native_stderr_held, silence_native_logs
from livemood.runtime.optional_deps import need


class MediaPipeFace(Closeable):
    """One MediaPipe Tasks FaceDetector in image mode: no state, so no frame depends on another.

    Args:
        model: MediaPipe's ``face_detection_short_range.tflite`` or ``face_detection_full_range_sparse.tflite``.
        min_score: Faces below this score (0..1) are dropped.

    Attributes:
        side: Side to which windows are scaled, px; larger than the network's input, because MediaPipe rounds boxes to
            whole pixels.

    Raises:
        ModelIncompatible: The file is damaged or another network.
    """

    side = 512

    def __init__(self, model: Path, min_score: float) -> None:
        tasks = _import_mediapipe()
        options = tasks.FaceDetectorOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=model.read_bytes()),
            min_detection_confidence=min_score,
        )
        try:
            with native_stderr_held():
                self._task: Any = tasks.FaceDetector.create_from_options(options)
                # The first picture makes MediaPipe print once more: run one now, while stderr is redirected.
                self._task.detect(_rgb(np.zeros((64, 64, 3), np.uint8)))
        except (RuntimeError, ValueError) as error:
            raise ModelIncompatible(
                f"{model} is not a face detector MediaPipe can run", "reinstall livemood"
            ) from error

    def find(self, image: Image) -> tuple[Detection, ...]:
        """Return the faces of (H, W, 3) uint8 BGR in its pixels, highest score first."""
        result = self._task.detect(_rgb(image))
        size = np.array([image.shape[1], image.shape[0]], np.float32)
        return tuple(_detection(found, size) for found in result.detections)

    def close(self) -> None:
        """Free the network."""
        with native_stderr_held():
            self._task.close()


def _detection(found: Any, size: Any) -> Detection:
    box = found.bounding_box
    keypoints = np.array([(point.x, point.y) for point in found.keypoints], np.float32) * size
    return Detection(
        Box(box.origin_x, box.origin_y, box.origin_x + max(box.width, 1), box.origin_y + max(box.height, 1)),
        keypoints,
        float(min(max(found.categories[0].score, 0.0), 1.0)),
    )


def _rgb(image: Image) -> Any:
    # mediapipe misreads strided views without a word; cvtColor makes a new contiguous array.
    mediapipe = _import_mediapipe()
    return mediapipe.Image(mediapipe.ImageFormat.SRGB, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


class _Tasks:
    """The mediapipe names used here."""

    def __init__(self) -> None:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        self.Image = mediapipe.Image
        self.ImageFormat = mediapipe.ImageFormat
        self.BaseOptions = BaseOptions
        self.FaceDetector = vision.FaceDetector
        self.FaceDetectorOptions = vision.FaceDetectorOptions


_tasks: _Tasks | None = None


def _import_mediapipe() -> _Tasks:
    global _tasks
    if _tasks is None:
        silence_native_logs()
        need("mediapipe")
        with _unneeded_left_out():
            _tasks = _Tasks()
    return _tasks


@contextmanager
def _unneeded_left_out() -> Iterator[None]:
    """Keep mediapipe from importing what face detection does not need.

    It imports TensorFlow (5 s) for a documentation helper, and works without it. It imports matplotlib (1 s, and a font
    list is written into the user's home folder) for a drawing function that is not used here.
    """
    stand_ins = {"tensorflow": None, **{name: ModuleType(name) for name in ("matplotlib", "matplotlib.pyplot")}}
    hidden = [name for name in stand_ins if name not in sys.modules]
    sys.modules.update({name: stand_ins[name] for name in hidden})  # type: ignore[misc]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]

"""Find faces: Frame -> tuple[Detection, ...]. The only importer of mediapipe.

Two BlazeFace networks complement each other (measured on 640x480 clips and web photos): the near one finds close
faces that the far one overlooks, the far one finds small faces and is not fooled by face-like prints on clothes.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Literal, Protocol

import cv2
import numpy as np

from livemood.bundles.manifest import face_model
from livemood.core.errors import ModelIncompatible
from livemood.core.geometry import Box
from livemood.core.settings import DETECTOR_MODES, DetectorMode, DetectorSettings
from livemood.core.types import Detection, Frame, Image
from livemood.detection.blazeface import BlazeFace
from livemood.detection.roi import corner_and_side, crop_roi, letterbox
from livemood.runtime.closeable import Closeable
from livemood.runtime.native_output import native_stderr_held, silence_native_logs

Range = Literal["near", "far"]

_BOTH: tuple[Range, ...] = ("near", "far")
_Look = Callable[[Image], Sequence[Detection]]


class Detector(Protocol):
    """Whatever finds faces in a frame; a video's frames come from a thread of its own."""

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first."""
        ...

    def close(self) -> None:
        """Free what the detector holds."""
        ...


class FaceDetector(Closeable):
    """MediaPipe's BlazeFace, near range, far range or both; any thread may use it.

    ``auto`` asks both networks and believes each in its own range: the near one for faces whose side is at least
    ``close_side`` of the frame's shorter side, the far one for all others, and the near one again for what is left
    when the far one found nothing at all. There, LiteRT runs both if it is installed: to the same answers, in less
    time. Otherwise MediaPipe runs them.

    Args:
        mode: Which networks to ask.
        settings: Thresholds.

    Raises:
        ModelMissing: A network's file is not there.
        ModelIncompatible: A network's file is damaged or not a face detector.
        ValueError: Unknown mode.
    """

    def __init__(self, mode: DetectorMode = "auto", settings: DetectorSettings | None = None) -> None:
        if mode not in DETECTOR_MODES:
            raise ValueError(f"detector mode is one of {', '.join(DETECTOR_MODES)}, got {mode!r}")
        self._settings = settings or DetectorSettings()
        asked: tuple[Range, ...] = _BOTH if mode == "auto" else (mode,)
        networks = _by_litert(self._settings.min_score) if mode == "auto" else {}
        self._window = networks.get("near")
        self._looks: dict[Range, _Look] = {name: partial(_seen, network) for name, network in networks.items()}
        with ExitStack() as stack:
            for name in asked:
                if name not in networks:
                    task = stack.enter_context(_MediaPipe(face_model(name), self._settings.min_score))
                    self._looks[name] = task.detect
            self._open = stack.pop_all()
        self._closed = False
        # Videos have their faces found in threads of their own, and the networks keep what they are at.
        self._one_at_a_time = Lock()

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first, each once.

        Raises:
            ValueError: The detector was closed.
        """
        with self._one_at_a_time:
            if self._closed:
                raise ValueError("this detector is closed; open a new one")
            seen = {name: look(frame.image) for name, look in self._looks.items()}
        near, far = (seen.get(name, ()) for name in _BOTH)
        close_px = self._settings.close_side * min(frame.width, frame.height)
        close = [face for face in near if face.box.width >= close_px]
        return _without_doubles([*close, *(far or near)], self._settings.max_overlap)

    @property
    def follows(self) -> bool:
        """Whether there is a cheaper way to see a face again: in ``auto``, and where LiteRT is installed."""
        return self._window is not None

    def detect_in_roi(self, frame: Frame, window: Box) -> tuple[Detection, ...]:
        """Return the faces in a part of a frame, seen by the near network.

        It takes a third of the time of ``detect``. The window is brought to the network's own size, so that small
        faces are seen as large ones.

        Args:
            frame: The frame.
            window: Square part of it, px; may poke outside.

        Raises:
            ValueError: The detector was closed, or does not follow.
        """
        network = self._window
        with self._one_at_a_time:
            if self._closed or network is None:
                raise ValueError("this detector is closed or does not follow; open a new one in auto mode")
            found = network.find(crop_roi(frame.image, window, network.side))
        left, top, side = corner_and_side(window)
        return tuple(_moved(face, left, top, side / network.side) for face in found)

    def close(self) -> None:
        """Free both networks; a second call does nothing."""
        with self._one_at_a_time:
            self._closed = True
            self._open.close()


class _MediaPipe(Closeable):
    """One MediaPipe Tasks FaceDetector in image mode: no state, so no frame depends on another."""

    def __init__(self, model: Path, min_score: float) -> None:
        tasks = _import_mediapipe()
        options = tasks.FaceDetectorOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=model.read_bytes()),
            min_detection_confidence=min_score,
        )
        try:
            with native_stderr_held():
                self._task: Any = tasks.FaceDetector.create_from_options(options)
                # The first picture makes the network print once more; give it one now, while nobody hears it.
                self._task.detect(_rgb(np.zeros((64, 64, 3), np.uint8)))
        except (RuntimeError, ValueError) as error:
            raise ModelIncompatible(f"{model} is not a face detector MediaPipe can run; reinstall livemood") from error

    def detect(self, image: Image) -> list[Detection]:
        """Return the faces of (H, W, 3) uint8 BGR, in its pixels."""
        result = self._task.detect(_rgb(image))
        size = np.array([image.shape[1], image.shape[0]], np.float32)
        return [_detection(found, size) for found in result.detections]

    def close(self) -> None:
        with native_stderr_held():
            self._task.close()


def _by_litert(min_score: float) -> dict[Range, BlazeFace]:
    """Return both networks; none where LiteRT has no wheel for the platform."""
    try:
        return {name: BlazeFace(face_model(name), min_score) for name in _BOTH}
    except ImportError:
        return {}


def _seen(network: BlazeFace, image: Image) -> list[Detection]:
    """Return the faces of a whole picture, in its pixels."""
    small, left, top, scale = letterbox(image, network.side)
    return [_moved(face, left, top, scale) for face in network.find(small)]


def _detection(found: Any, size: Any) -> Detection:
    box = found.bounding_box
    keypoints = np.array([(point.x, point.y) for point in found.keypoints], np.float32) * size
    return Detection(
        Box(box.origin_x, box.origin_y, box.origin_x + max(box.width, 1), box.origin_y + max(box.height, 1)),
        keypoints,
        float(min(max(found.categories[0].score, 0.0), 1.0)),
    )


def _moved(face: Detection, left: float, top: float, scale: float) -> Detection:
    box = face.box
    placed = Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale).shifted(left, top)
    return Detection(placed, face.keypoints * scale + np.array([left, top], np.float32), face.score)


def _without_doubles(faces: Sequence[Detection], max_overlap: float) -> tuple[Detection, ...]:
    """Keep the first of any faces that overlap; the share is of the smaller box, as the networks frame differently."""
    kept: list[Detection] = []
    for face in faces:
        shares = (face.box.intersection(other.box) / min(face.box.area, other.box.area) for other in kept)
        if all(share <= max_overlap for share in shares):
            kept.append(face)
    return tuple(sorted(kept, key=lambda face: -face.box.area))


def _rgb(image: Image) -> Any:
    # mediapipe misreads strided views without a word; cvtColor makes a new contiguous array.
    mediapipe = _import_mediapipe()
    return mediapipe.Image(mediapipe.ImageFormat.SRGB, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


class _Tasks:
    """The handful of mediapipe names used here."""

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
        with _unneeded_left_out():
            _tasks = _Tasks()
    return _tasks


@contextmanager
def _unneeded_left_out() -> Iterator[None]:
    """Keep mediapipe from loading what finding faces does not need.

    TensorFlow (5 s) is for a helper of its documentation, which takes None for not installed; matplotlib (1 s, and a
    list of fonts written into the user's home) is for a drawing that nobody asks for here.
    """
    stand_ins = {"tensorflow": None, **{name: ModuleType(name) for name in ("matplotlib", "matplotlib.pyplot")}}
    hidden = [name for name in stand_ins if name not in sys.modules]
    sys.modules.update({name: stand_ins[name] for name in hidden})  # type: ignore[misc]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]

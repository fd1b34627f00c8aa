"""Cameras through OpenCV: by index or device path, trying the system's backends in turn."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from livemood.core.errors import CameraUnavailable
from livemood.core.settings import CaptureSettings
from livemood.runtime.native_output import native_stderr_held
from livemood.sources.live import Feed, LiveSource, Picture

_BACKENDS = {
    "linux": (cv2.CAP_V4L2, cv2.CAP_ANY),
    "darwin": (cv2.CAP_AVFOUNDATION, cv2.CAP_ANY),
    "win32": (cv2.CAP_MSMF, cv2.CAP_DSHOW, cv2.CAP_ANY),
}
# The first reads of a camera may return no picture.
_WARM_UP_READS = 5
_WIDTH, _HEIGHT, _FPS = 1280, 720, 30.0
_USUAL_SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
_USUAL_FORMATS = ("YUYV", "MJPG")


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool: ...  # noqa: N802, D102  # OpenCV's name

    def read(self) -> tuple[bool, Any]: ...  # noqa: D102

    def set(self, prop: int, value: float, /) -> bool: ...  # noqa: D102

    def get(self, prop: int, /) -> float: ...  # noqa: D102

    def release(self) -> None: ...  # noqa: D102


OpenCapture = Callable[[int | str, int], Capture]


def _open_capture(which: int | str, backend: int) -> Capture:
    try:
        with native_stderr_held():  # OpenCV prints what each of its backends says of a device that is not there
            return cv2.VideoCapture(which, backend)
    except cv2.error:  # an index beyond the integers of C
        return cv2.VideoCapture()


def open_camera(
    which: int | str, settings: CaptureSettings | None = None, open_capture: OpenCapture = _open_capture
) -> LiveSource:
    """Open a camera.

    Args:
        which: Index, or device path such as ``/dev/video0``.
        settings: Requested size, rate and pixel format; a camera chooses its nearest mode.
        open_capture: Opens a device with an OpenCV backend.

    Raises:
        CameraUnavailable: It does not exist, is in use, or delivers no picture.
        ValueError: A pixel format that is not four letters.
    """
    settings = settings or CaptureSettings()
    which = int(which) if isinstance(which, str) and which.isdecimal() else which
    return LiveSource(
        f"camera {which}",
        lambda: CameraFeed(which, settings, open_capture),
        settings,
        mirrored=True,
    )


class CameraFeed(Feed):
    """One open camera.

    Args:
        which: Index or device path.
        settings: Requested size, rate and pixel format.
        open_capture: Opens a device with an OpenCV backend.

    Raises:
        CameraUnavailable: No backend could open it and get a picture.
        ValueError: A pixel format that is not four letters.
    """

    endless = True

    def __init__(self, which: int | str, settings: CaptureSettings, open_capture: OpenCapture = _open_capture) -> None:
        if settings.pixel_format is not None and len(settings.pixel_format) != 4:
            raise ValueError(f"a camera's pixel format has four letters such as MJPG, got {settings.pixel_format}")
        self._which = which
        opened = False
        for backend in _BACKENDS.get(sys.platform, (cv2.CAP_ANY,)):
            self._capture = open_capture(which, backend)
            if self._capture.isOpened():
                opened = True
                self._request(settings)
                if any(self._capture.read()[0] for _ in range(_WARM_UP_READS)):
                    return
            self._capture.release()
        raise _gives_no_picture(which) if opened else _not_there(which)

    def read(self) -> Picture:
        """Return the next picture.

        Raises:
            CameraUnavailable: The camera was unplugged or taken away.
        """
        found, image = self._capture.read()
        if not found or image is None:
            raise CameraUnavailable(f"camera {self._which} stopped delivering")
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        return Picture(np.ascontiguousarray(image[..., :3], dtype=np.uint8))

    def close(self) -> None:
        """Free the camera."""
        self._capture.release()

    def _request(self, settings: CaptureSettings) -> None:
        # The pixel format first: the available sizes and rates depend on it. USB 2 is too slow for 30 uncompressed
        # pictures of this size a second.
        letters = settings.pixel_format or ("MJPG" if sys.platform == "linux" else None)
        if letters:
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*letters))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width or _WIDTH)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height or _HEIGHT)
        self._capture.set(cv2.CAP_PROP_FPS, settings.fps or _FPS)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode that a camera offers.

    Attributes:
        width: px.
        height: px.
        fps: Pictures per second as reported by the driver; 0 if it reports none.
        pixel_format: Four letters; empty if the driver reports none.
    """

    width: int
    height: int
    fps: float
    pixel_format: str

    def __str__(self) -> str:
        """Return such as ``1280x720 MJPG 30 fps``."""
        rate = f"{self.fps:g} fps" if self.fps > 0 else ""
        return " ".join(part for part in (f"{self.width}x{self.height}", self.pixel_format, rate) if part)


def camera_modes(which: int | str, open_capture: OpenCapture = _open_capture) -> tuple[Mode, ...]:
    """Open a camera, request common sizes and return its modes, smallest first; empty if it cannot be opened.

    Args:
        which: Index or device path.
        open_capture: Opens a device with an OpenCV backend.
    """
    capture = open_capture(which, _BACKENDS.get(sys.platform, (cv2.CAP_ANY,))[0])
    found: dict[Mode, None] = {}
    if capture.isOpened():
        for letters, (width, height) in product(_USUAL_FORMATS, _USUAL_SIZES):
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*letters))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            found[_mode(capture)] = None
    capture.release()
    return tuple(sorted(found, key=lambda mode: (mode.width * mode.height, mode.pixel_format)))


def _mode(capture: Capture) -> Mode:
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    letters = code.to_bytes(4, "little").decode("ascii", "replace")
    return Mode(
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        capture.get(cv2.CAP_PROP_FPS),
        letters if letters.isalnum() else "",
    )


def _not_there(which: int | str) -> CameraUnavailable:
    is_device = isinstance(which, int) or Path(which).exists()
    what = f"camera {which} could not be opened{'' if is_device else ': there is no such device'}"
    return CameraUnavailable(what, "try livemood doctor" if which == 0 else "try {source} 0, or livemood doctor")


def _gives_no_picture(which: int | str) -> CameraUnavailable:
    return CameraUnavailable(
        f"camera {which} opens but gives no picture", "close other programs that use it, or try livemood doctor"
    )

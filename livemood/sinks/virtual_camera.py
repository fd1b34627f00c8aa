"""A virtual camera that other programs can use, through pyvirtualcam."""

import sys
from collections.abc import Sequence
from typing import Any

from livemood.core.errors import SinkError
from livemood.core.types import Frame, Image, Mood
from livemood.runtime.optional_deps import required
from livemood.sinks.base import Sink, SinkContext

_PACKAGE = "'livemood[virtual-camera]'"
_FPS = 30.0
_INSTALL_HINTS = {
    "linux": "sudo modprobe v4l2loopback devices=1 exclusive_caps=1 makes one",
    "darwin": "install OBS, start its virtual camera once, and close it",
    "win32": "install OBS, whose virtual camera is used",
}


class VirtualCamera(Sink):
    """Sends annotated pictures to the system's virtual camera.

    Args:
        width: Of the pictures, px.
        height: Of the pictures, px.

    Raises:
        LivemoodError: pyvirtualcam is not installed.
        SinkError: The system has no such device, or it cannot be used.
    """

    needs_image = True

    def __init__(self, width: int, height: int) -> None:
        pyvirtualcam = required("pyvirtualcam", _PACKAGE)
        try:
            self._camera: Any = pyvirtualcam.Camera(width, height, _FPS, fmt=pyvirtualcam.PixelFormat.BGR)
        except RuntimeError as error:
            install_hint = _INSTALL_HINTS.get(sys.platform, "see pyvirtualcam's documentation")
            why = " ".join(str(error).split())
            raise SinkError(f"no virtual camera could be opened ({why})", install_hint) from error

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Send one annotated picture, (H, W, 3) uint8 BGR."""
        self._camera.send(image)

    def close(self) -> None:
        """Free the device."""
        self._camera.close()


def open_sink(target: str, context: SinkContext) -> VirtualCamera:
    """Open the system's only virtual camera; ``target`` is not used."""
    return VirtualCamera(context.info.width, context.info.height)

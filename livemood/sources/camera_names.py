"""The cameras of this computer, with their names."""

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from livemood.core.errors import CameraUnavailable
from livemood.core.settings import CaptureSettings
from livemood.sources.live import LiveSource

CAMERA_NAMES: Final = "'livemood[camera-names]'"
"""The extra that lists cameras on macOS and Windows."""

_SYSFS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class CameraName:
    """A camera that is present.

    Attributes:
        index: Number by which the camera is opened.
        name: The system's name for it.
        path: Device path; empty where the system has none.
    """

    index: int
    name: str
    path: str


def list_cameras(sysfs: Path = _SYSFS) -> tuple[CameraName, ...] | None:
    """Return the cameras, lowest index first, without opening them; None if they cannot be listed.

    On macOS and Windows that needs cv2-enumerate-cameras, which ``CAMERA_NAMES`` installs.

    Args:
        sysfs: Linux's folder of video devices.
    """
    found = _linux(sysfs) if sys.platform == "linux" else _elsewhere()
    return None if found is None else tuple(sorted(found, key=lambda camera: camera.index))


def _linux(sysfs: Path) -> list[CameraName]:
    found = []
    for entry in sysfs.glob("video*"):
        number = entry.name.removeprefix("video")
        # A camera has several nodes; pictures come from its first, the others carry metadata.
        if number.isdecimal() and _line(entry / "index") in ("0", ""):
            found.append(CameraName(int(number), _line(entry / "name") or entry.name, f"/dev/{entry.name}"))
    return found


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _elsewhere() -> list[CameraName] | None:
    try:
        enumerate_cameras = import_module("cv2_enumerate_cameras").enumerate_cameras
    except ImportError:
        return None
    import cv2

    backend = cv2.CAP_AVFOUNDATION if sys.platform == "darwin" else cv2.CAP_MSMF
    return [CameraName(info.index, info.name, str(info.path or "")) for info in enumerate_cameras(backend)]


def open_by_name(name: str, settings: CaptureSettings) -> LiveSource:
    """Open the camera whose name contains ``name``, ignoring case.

    Raises:
        CameraUnavailable: No camera has such a name, or it delivers no picture.
    """
    from livemood.sources.camera import open_camera

    cameras = list_cameras()
    if cameras is None:
        raise CameraUnavailable(
            f"{name} is not a file, and the names of cameras are not known",
            "pip install {0}, or give {source} a number",
            CAMERA_NAMES,
        )
    for camera in cameras:
        if name.casefold() in camera.name.casefold():
            return open_camera(camera.index, settings)
    known = ", ".join(f"{camera.index} ({camera.name})" for camera in cameras) or "none"
    raise CameraUnavailable(
        f"{name} is neither a file nor the name of a camera; cameras found: {known}", "try livemood doctor"
    )

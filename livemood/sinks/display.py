"""The display that windows open on."""

import ctypes
import sys
from importlib import metadata
from typing import Any, Final

import cv2

from livemood.core.errors import SinkError
from livemood.runtime.closeable import Closeable

INSTEAD: Final = "use {no_window} with {out} or {records}"
"""What to do without a window, for the remedy of an error."""
_HEADLESS: Final = ("opencv-python-headless", "opencv-contrib-python-headless")


class Display(Closeable):
    """The display; on Linux a connection to the X server, with the same library and the same credentials as Qt's own.

    Without a server, or when it hangs up, Qt ends the process: what calls Qt asks here first.

    Args:
        instead: What to do without a window, for the remedy of an error.

    Raises:
        SinkError: There is no display, no libxcb on Linux, or OpenCV was built without windows.
    """

    def __init__(self, instead: str = INSTEAD) -> None:
        if not cv2.currentUIFramework():
            raise _no_windows_in_opencv(instead)
        self._instead = instead
        self._connection = _connect(instead) if sys.platform == "linux" else None
        if not self.is_there:
            self.close()
            raise SinkError("there is no display to open a window on", instead)

    @property
    def is_there(self) -> bool:
        """Whether it can be drawn on; known on Linux, taken for granted elsewhere."""
        if self._connection is None:
            return sys.platform != "linux"
        xcb, connection = self._connection
        xcb.xcb_poll_for_event(connection)  # reads, so that the end of the connection is noted
        return not xcb.xcb_connection_has_error(connection)

    def check(self) -> None:
        """Check that it is still there.

        Raises:
            SinkError: It is gone.
        """
        if not self.is_there:
            raise SinkError("the display of the window is gone", self._instead)

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        if self._connection is not None:
            xcb, connection = self._connection
            xcb.xcb_disconnect(connection)
            self._connection = None


def check_display(instead: str = INSTEAD) -> None:
    """Check that a window can be opened.

    Args:
        instead: What to do without a window, for the remedy of an error.

    Raises:
        SinkError: There is no display, no libxcb on Linux, or OpenCV was built without windows.
    """
    Display(instead).close()


def _connect(instead: str) -> tuple[Any, ctypes.c_void_p]:
    """Return the library and its connection to the X server, which may have failed."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        remedy = f"install libxcb1 (Debian, Ubuntu) or libxcb (Fedora), or {instead}"
        raise SinkError("libxcb.so.1, which windows need, cannot be loaded", remedy) from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    return xcb, ctypes.c_void_p(xcb.xcb_connect(None, None))


def _no_windows_in_opencv(instead: str) -> SinkError:
    for name in _HEADLESS:
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        return SinkError(
            f"{name} has replaced OpenCV's windows",
            "uninstall {0}, then reinstall opencv-contrib-python without its dependencies; or " + instead,
            name,
        )
    return SinkError("this OpenCV was built without windows", instead)

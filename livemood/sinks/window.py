"""A window on the screen through OpenCV; on the main thread only."""

import cv2
import numpy as np

from livemood.core.errors import SinkError
from livemood.core.types import Image
from livemood.runtime.closeable import Closeable
from livemood.runtime.native_output import native_stderr_held
from livemood.sinks.display import INSTEAD, Display

# Largest initial size of a window, so that it fits any screen.
_MAX_WIDTH, _MAX_HEIGHT = 1280, 720
# A picture whose bars would make it this many times larger is made smaller first.
_MOST_BARS = 4
_NAMED_KEYS = {27: "esc", 32: "space"}
# Bits of a key's code that GTK sets while Ctrl, Alt or Super is held; with Ctrl, Qt gives no key.
_HELD = (0x4 | 0x8 | 0x40) << 16


class Window(Closeable):
    """A resizable window that keeps the aspect of pictures with black bars.

    Args:
        title: In the title bar.
        width: Of the pictures, px; the window starts no larger than 1280x720.
        height: Of the pictures, px.
        instead: What to do without a window, for the remedy of an error.

    Raises:
        SinkError: There is no display, or OpenCV was built without windows.
    """

    def __init__(self, title: str, width: int, height: int, instead: str = INSTEAD) -> None:
        self._display = Display(instead)
        self._title = title
        self._full_screen = False
        scale = min(1.0, _MAX_WIDTH / width, _MAX_HEIGHT / height)
        try:
            with native_stderr_held():  # Qt prints warnings about fonts
                cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
                cv2.resizeWindow(title, max(1, round(width * scale)), max(1, round(height * scale)))
        except cv2.error as error:
            self._display.close()
            raise SinkError(f"no window could be opened ({error.err})", instead) from error

    @property
    def is_open(self) -> bool:
        """Whether the user has not closed it, and its display is there."""
        try:
            return self._display.is_there and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:
            return False

    def show(self, image: Image) -> None:
        """Set the picture, (H, W, 3) uint8 BGR; the next ``key`` displays it.

        Raises:
            SinkError: The display is gone.
        """
        self._display.check()
        _, _, width, height = cv2.getWindowImageRect(self._title)
        cv2.imshow(self._title, framed(image, width, height))

    def key(self) -> str | None:
        """Process window events for a millisecond and return the key that was pressed, if any.

        Keys are named as by ``key_name``.

        Raises:
            SinkError: The display is gone.
        """
        self._display.check()
        return key_name(cv2.waitKeyEx(1))

    def toggle_full_screen(self) -> None:
        """Switch between full screen and window."""
        self._full_screen = not self._full_screen
        state = cv2.WINDOW_FULLSCREEN if self._full_screen else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, state)

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        if self.is_open:
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)
        self._display.close()


def key_name(code: int) -> str | None:
    """Return the name of a key: a letter in lower case, ``space``, ``esc``.

    Args:
        code: As returned by ``cv2.waitKeyEx``.

    Returns:
        None if no key was pressed, one without a character, such as an arrow, or one with Ctrl, Alt or Super.
    """
    character = code & 0xFFFF
    if not 0 < character < 0x80 or code & _HELD:
        return None
    return _NAMED_KEYS.get(character, chr(character).lower())


def framed(image: Image, width: int, height: int) -> Image:
    """Add black bars so that a picture has a window's aspect; the window stretches what it shows.

    Args:
        image: (H, W, 3) uint8 BGR.
        width: Of the window, px; below 1 if it shows nothing.
        height: Of the window, px.

    Returns:
        (H2, W2, 3) uint8 BGR; the picture itself where it fits.
    """
    rows, columns = image.shape[:2]
    if width < 1 or height < 1:
        return image
    wide, high = max(round(rows * width / height), columns), max(round(columns * height / width), rows)
    if wide - columns < 2 and high - rows < 2:
        return image
    if wide * high > _MOST_BARS * columns * rows:  # in a flat window, bars at the picture's own scale fill the memory
        scale = min(width / columns, height / rows)
        columns, rows, wide, high = max(round(columns * scale), 1), max(round(rows * scale), 1), width, height
        image = np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    left, top = (wide - columns) // 2, (high - rows) // 2
    bottom, right = high - rows - top, wide - columns - left
    return np.asarray(cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT), np.uint8)

"""Live feeds other than cameras: a video file at its own speed, a folder of pictures, raw pictures on stdin."""

import io
import select
import sys
import warnings
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from livemood.core.errors import ImageUnreadable, SourceError
from livemood.core.settings import CaptureSettings
from livemood.core.types import Image
from livemood.sources.live import Feed, LiveSource, Picture
from livemood.sources.video.spool import is_pipe

_PICTURES_PER_S = 1.0
_STDIN = 0
_POLL_S = 0.1
# Channels of a raw pixel format, and how OpenCV turns it into BGR.
_RAW = {"bgr24": (3, None), "rgb24": (3, cv2.COLOR_RGB2BGR), "gray": (1, cv2.COLOR_GRAY2BGR)}


def open_stdin(_: str, settings: CaptureSettings) -> LiveSource:
    """Open raw pictures on stdin; their size and format are among the settings."""
    return LiveSource("stdin", lambda: RawFeed(settings), settings)


def open_folder(folder: str, settings: CaptureSettings) -> LiveSource:
    """Open a folder of pictures, shown one after the other.

    Raises:
        SourceError: It holds none.
    """
    from livemood.sources.image.scan import photos_of_each

    paths = photos_of_each([Path(folder)]).photos
    return LiveSource(folder, lambda: FolderFeed(paths, settings), settings)


def open_clip(path: str, settings: CaptureSettings) -> LiveSource:
    """Open a video file, played at its own speed."""
    return LiveSource(Path(path).name, lambda: VideoFeed(Path(path), settings), settings)


class VideoFeed(Feed):
    """A video file, each picture due at its own time.

    Args:
        path: Video file.
        settings: ``loop`` begins it again at its end, unless it is a pipe.
    """

    def __init__(self, path: Path, settings: CaptureSettings) -> None:
        self.warnings: list[str] = []
        self._pictures = self._play(path, settings.loop and not is_pipe(path))

    def read(self) -> Picture | None:
        """Return the next picture; None at the end.

        Raises:
            VideoUnreadable: The file is not there or holds no video.
        """
        return next(self._pictures, None)

    def close(self) -> None:
        """Close the file."""
        self._pictures.close()

    def _play(self, path: Path, loop: bool) -> Generator[Picture]:
        from livemood.sources.video.file import VideoSource

        began_s = 0.0
        while True:
            with VideoSource(path) as video:
                length_s = 0.0
                try:
                    with closing(video.frames()) as frames:
                        for frame in frames:
                            length_s = frame.time_s + float(1 / video.info.average_rate)
                            yield Picture(frame.image, began_s + frame.time_s)
                finally:
                    self.warnings = list(dict.fromkeys([*self.warnings, *video.warnings]))
            began_s += length_s
            if not loop:
                return


class FolderFeed(Feed):
    """Pictures one after the other, in the order given; a warning names each that cannot be read.

    Args:
        paths: Picture files.
        settings: ``fps`` pictures a second, one if not set; ``loop`` begins again at the end.
    """

    def __init__(self, paths: Sequence[Path], settings: CaptureSettings) -> None:
        self._pictures = self._show(list(paths), 1 / (settings.fps or _PICTURES_PER_S), settings.loop)

    def read(self) -> Picture | None:
        """Return the next picture, each shown for the same time; None after the last."""
        return next(self._pictures, None)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _show(self, paths: list[Path], step_s: float, loop: bool) -> Generator[Picture]:
        from livemood.sources.image.decode import read_image

        count = 0
        while paths:
            for path in tuple(paths):
                try:
                    image = read_image(path)
                except ImageUnreadable as error:
                    paths.remove(path)
                    warnings.warn(f"left out: {error}", stacklevel=1)
                    continue
                yield Picture(image, count * step_s, (count + 1) * step_s)
                count += 1
            if not loop:
                return


class RawFeed(Feed):
    """Raw pictures from a file descriptor, without separators, rows from top to bottom.

    Args:
        settings: ``width`` and ``height`` are required; ``pixel_format`` is bgr24 (the default), rgb24 or gray.
        descriptor: Where to read; stdin by default.

    Raises:
        ValueError: The size or a known format was not given, or the size is too large.
    """

    def __init__(self, settings: CaptureSettings, descriptor: int = _STDIN) -> None:
        from livemood.sources.image.size_guard import MAX_PIXELS

        layout = settings.pixel_format or "bgr24"
        if layout not in _RAW:
            raise ValueError(f"raw pictures are {', '.join(_RAW)}, got {layout}")
        if not settings.width or not settings.height:
            raise ValueError("raw pictures need their width and height, such as 640x480")
        if settings.width * settings.height > MAX_PIXELS:
            size = f"{settings.width}x{settings.height}"
            raise ValueError(f"raw pictures have up to {MAX_PIXELS / 1e6:.0f} million pixels, got {size}")
        channels, self._conversion = _RAW[layout]
        self._shape = (settings.height, settings.width, channels)
        # Unbuffered: a thread that blocks in a buffered reader holds its lock when the program ends.
        self._stream = io.FileIO(descriptor, closefd=False)
        self._stopped = False

    def read(self) -> Picture | None:
        """Return the next picture; None when the other end closes the pipe, or after ``stop``.

        Raises:
            SourceError: It closed in the middle of a picture.
        """
        pixels = np.empty(self._shape, np.uint8)
        waiting = memoryview(pixels.data).cast("B")
        while waiting:
            if not self._wait_for_bytes():
                return None
            got = self._stream.readinto(waiting)
            if got is None:  # another program has made the pipe non-blocking, and a third one read from it
                continue
            if not got:
                if len(waiting) == pixels.size:
                    return None
                height, width, channels = self._shape
                raise SourceError(
                    f"stdin ended in the middle of a picture of {width}x{height}x{channels} bytes",
                    "check {size} and {pixel_format}",
                )
            waiting = waiting[got:]
        return Picture(self._bgr(pixels))

    def stop(self) -> None:
        """Have a ``read`` that waits return None soon; on Windows it goes on waiting."""
        self._stopped = True

    def close(self) -> None:
        """Do nothing: the descriptor belongs to the caller."""

    def _wait_for_bytes(self) -> bool:
        """Wait until something can be read, or until the end; False after ``stop``."""
        while not self._stopped:
            if sys.platform == "win32" or select.select([self._stream], (), (), _POLL_S)[0]:
                return True
        return False

    def _bgr(self, pixels: Image) -> Image:
        return pixels if self._conversion is None else np.asarray(cv2.cvtColor(pixels, self._conversion), np.uint8)

"""Live feeds other than cameras: a video file at its own speed, a folder of pictures, raw pictures on stdin."""

import io
from collections.abc import Generator, Sequence
from pathlib import Path

import cv2
import numpy as np

from livemood.core.errors import SourceError
from livemood.core.settings import CaptureSettings
from livemood.core.types import Image
from livemood.sources.live import LiveSource, Picture

_PICTURES_PER_S = 1.0
_STDIN = 0
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


class VideoFeed:
    """A video file, each picture due at its own time.

    Args:
        path: Video file.
        settings: ``loop`` begins it again at its end.
    """

    def __init__(self, path: Path, settings: CaptureSettings) -> None:
        self._pictures = self._play(path, settings.loop)

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
                for frame in video.frames():
                    length_s = frame.time_s + float(1 / video.average_rate)
                    yield Picture(frame.image, began_s + frame.time_s)
            began_s += length_s
            if not loop:
                return


class FolderFeed:
    """Pictures one after the other, in the order given.

    Args:
        paths: Picture files.
        settings: ``fps`` pictures a second, one if not set; ``loop`` begins again at the end.
    """

    def __init__(self, paths: Sequence[Path], settings: CaptureSettings) -> None:
        self._paths = paths
        self._loop = settings.loop
        self._step_s = 1 / (settings.fps or _PICTURES_PER_S)
        self._count = 0

    def read(self) -> Picture | None:
        """Return the next picture, each shown for the same time; None after the last.

        Raises:
            ImageUnreadable: A file is not a picture.
        """
        from livemood.sources.image.decode import read_image

        if self._count >= len(self._paths) and not self._loop:
            return None
        image = read_image(self._paths[self._count % len(self._paths)])
        self._count += 1
        return Picture(image, (self._count - 1) * self._step_s, self._count * self._step_s)

    def close(self) -> None:
        """Do nothing: no file stays open."""


class RawFeed:
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

    def read(self) -> Picture | None:
        """Return the next picture; None when the other end closes the pipe.

        Raises:
            SourceError: It closed in the middle of a picture.
        """
        pixels = np.empty(self._shape, np.uint8)
        waiting = memoryview(pixels.data).cast("B")
        while waiting:
            got = self._stream.readinto(waiting)
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

    def close(self) -> None:
        """Do nothing: the descriptor belongs to the caller."""

    def _bgr(self, pixels: Image) -> Image:
        return pixels if self._conversion is None else np.asarray(cv2.cvtColor(pixels, self._conversion), np.uint8)

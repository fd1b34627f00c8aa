"""The registry of sources; opens them from a camera's index or name, a path or a URL."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from livemood.core.errors import SourceError, VideoUnreadable
from livemood.core.settings import CaptureSettings
from livemood.runtime.paths import is_folder, is_there
from livemood.runtime.storage import is_url
from livemood.sources.base import Source
from livemood.sources.video.spool import is_pipe


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of live source.

    Attributes:
        name: For messages.
        opener: ``module:function``; the function takes the user's text and the capture settings.
        takes: Returns whether the user's text names a source of this kind; the first kind that matches is used.
        settings: Capture settings that have an effect on it; ``size`` stands for width and height.
    """

    name: str
    opener: str
    takes: Callable[[str], bool]
    settings: tuple[str, ...] = ()


def _is_camera(spec: str) -> bool:
    """Return whether a text is the index of a camera or the path of a device; one that was unplugged counts too."""
    if spec.isdecimal() or not is_there(spec):
        return spec.isdecimal() or spec.startswith("/dev/")
    return Path(spec).is_char_device()


_CAMERA: Final = ("size", "fps", "pixel_format")
SOURCES: Final = (
    SourceKind(
        "raw pictures on stdin", "livemood.sources.feeds:open_stdin", lambda spec: spec == "-", ("size", "pixel_format")
    ),
    SourceKind("stream", "livemood.sources.stream:open_stream", is_url),
    SourceKind("camera", "livemood.sources.camera:open_camera", _is_camera, _CAMERA),
    SourceKind("folder of pictures", "livemood.sources.feeds:open_folder", is_folder, ("fps", "loop")),
    SourceKind("video from a pipe", "livemood.sources.feeds:open_clip", lambda spec: is_pipe(Path(spec))),
    SourceKind("video file", "livemood.sources.feeds:open_clip", is_there, ("loop",)),
    SourceKind("camera by name", "livemood.sources.camera_names:open_by_name", lambda spec: True, _CAMERA),
)
"""Every kind of live source, the most specific first; a new one is a module and a line here."""


def source_kind(spec: str) -> SourceKind:
    """Return the kind of a live source that a user's text names."""
    return next(kind for kind in SOURCES if kind.takes(spec))


def open_live(spec: str, settings: CaptureSettings | None = None) -> Source:
    """Open a source whose frames come in real time.

    Args:
        spec: A camera's index, device path or name; a video file, played at its own speed; a folder of pictures; a
            URL; ``-`` for raw pictures on stdin.
        settings: Requested size, rate and format, and timeouts.

    Raises:
        SourceError: It does not exist or delivers no picture.
        ValueError: Raw pictures without their size, or of an unknown format.
    """
    if not spec:
        raise SourceError("the name of the camera or stream is empty", "give one, or the index of a camera")
    module, _, function = source_kind(spec).opener.partition(":")
    source: Source = getattr(import_module(module), function)(spec, settings or CaptureSettings())
    return source


def open_video(path: str | Path, start_s: float = 0.0, duration_s: float | None = None) -> Source:
    """Open a video file whose frames wait until they are taken.

    Args:
        path: Any file that FFmpeg's libraries read, GIFs included.
        start_s: Skip frames shown before this time, s.
        duration_s: Length of the cut, s; None for the rest.

    Raises:
        VideoUnreadable: The file is missing, holds no picture that can be decoded, or no frame begins within the cut.
    """
    if not str(path) or "\0" in str(path):
        raise VideoUnreadable(f"no file can be called {str(path)!r}", "give a video")
    from livemood.sources.video.file import VideoSource

    return VideoSource(Path(path), start_s, duration_s)

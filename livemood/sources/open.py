"""From a camera's number or name, a path or a URL to an open source."""

from pathlib import Path

from livemood.core.errors import CameraUnavailable, SourceError
from livemood.core.settings import CaptureSettings
from livemood.sources.live import LiveSource


def open_live(spec: str, settings: CaptureSettings | None = None) -> LiveSource:
    """Open a live source.

    Args:
        spec: A camera's index, device path or name; a video file; a folder of pictures; a URL; ``-`` for raw
            pictures on stdin.
        settings: Wishes and timeouts.

    Raises:
        SourceError: It is not there or gives no picture.
        ValueError: Raw pictures without their size, or of an unknown format.
    """
    settings = settings or CaptureSettings()
    if spec == "-":
        from livemood.sources.feeds import RawFeed

        return LiveSource("stdin", lambda: RawFeed(settings), settings)
    if "://" in spec:
        from livemood.sources.stream import open_stream

        return open_stream(spec, settings)
    path = Path(spec)
    if spec.isdecimal() or path.is_char_device() or spec.startswith("/dev/"):
        from livemood.sources.camera import open_camera

        return open_camera(int(spec) if spec.isdecimal() else spec, settings)
    if path.is_dir():
        return _open_folder(path, settings)
    if path.exists():
        from livemood.sources.feeds import VideoFeed

        return LiveSource(path.name, lambda: VideoFeed(path, settings), settings)
    return _open_by_name(spec, settings)


def _open_folder(path: Path, settings: CaptureSettings) -> LiveSource:
    from livemood.sources.feeds import FolderFeed
    from livemood.sources.image.scan import image_paths

    paths = image_paths([path])
    if not paths:
        raise SourceError(f"folder {path} holds no pictures")
    return LiveSource(str(path), lambda: FolderFeed(paths, settings), settings)


def _open_by_name(name: str, settings: CaptureSettings) -> LiveSource:
    """Open the camera whose name contains ``name``, whatever its letters' case."""
    from livemood.sources.camera import open_camera
    from livemood.sources.camera_names import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        if name.casefold() in camera.name.casefold():
            return open_camera(camera.index, settings)
    known = ", ".join(f"{camera.index} ({camera.name})" for camera in cameras) or "none"
    raise CameraUnavailable(f"{name} is no file and no camera's name; cameras found: {known}; try livemood doctor")

"""Every failure livemood reports by itself; each also is the standard exception a caller would expect."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LivemoodError(Exception):
    """Base of all errors that livemood raises on purpose; the message is one line meant for a person."""


class SourceError(LivemoodError, OSError):
    """Pictures could not be read."""


class CameraUnavailable(SourceError):
    """A camera could not be opened or stopped delivering."""


class VideoUnreadable(SourceError):
    """A file or stream holds no video that can be decoded."""


class ImageUnreadable(SourceError):
    """A file is not a picture that can be decoded."""


class ModelError(LivemoodError):
    """A model bundle cannot be used."""


class ModelMissing(ModelError, FileNotFoundError):
    """A bundle, or a file that its manifest names, is not there."""


class ModelIncompatible(ModelError, ValueError):
    """A bundle is there but broken, altered or of another kind."""


class SinkError(LivemoodError, OSError):
    """A result could not be written or shown."""


class DatasetError(LivemoodError, ValueError):
    """Training pictures or labels are unusable."""


@contextmanager
def one_line_about(path: Path | str, kind: type[LivemoodError]) -> Iterator[None]:
    """Make one line about ``path`` of whatever nobody foresaw and a library raises over what is in it.

    Args:
        path: What is being read.
        kind: What to raise; errors that livemood raises on purpose pass as they are.
    """
    try:
        yield
    except LivemoodError:
        raise
    except OSError as error:
        raise kind(f"{error.filename or path}: {error.strerror or error}; try another file or place") from error
    except Exception as error:  # nobody can list what a file may bring a library to raise
        what = " ".join(f"{type(error).__name__} {error}".split())
        raise kind(f"{path} holds something that livemood cannot deal with ({what}); please report it") from error

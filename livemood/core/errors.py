"""The exceptions that livemood raises; each is also the standard exception that a caller would expect."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from string import Formatter
from typing import Any


class LivemoodError(Exception):
    """Base of all errors that livemood raises on purpose; the message is one line for the user.

    Args:
        what: What is wrong, with the offending value.
        remedy: What to try. Settings are named in braces, such as ``use {force} or another {out}``; each front end
            replaces them by its own names for them. ``{0}`` stands for the first of ``values``.
        values: Values that the remedy mentions.

    Attributes:
        what: As given.
    """

    def __init__(self, what: str, remedy: str = "", *values: object) -> None:
        super().__init__(what)
        self.what = what
        self._remedy, self._values = remedy, values

    def line(self, setting: Callable[[str], str] = str) -> str:
        """Return the message; ``setting`` maps the name of a setting to the front end's name for it."""
        remedy = _Remedy(setting).vformat(self._remedy, self._values, {})
        return f"{self.what}; {remedy}" if remedy else self.what

    def __str__(self) -> str:
        return self.line()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self._remedy, *self._values)


class _Remedy(Formatter):
    """Fills settings into a remedy."""

    def __init__(self, setting: Callable[[str], str]) -> None:
        self._setting = setting

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return args[key] if isinstance(key, int) else self._setting(key)


class SourceError(LivemoodError, OSError):
    """An input could not be read."""


class FullSizeNeeded(LivemoodError):
    """A picture that was decoded at a reduced size probably holds small faces, which need more detail."""


class CameraUnavailable(SourceError):
    """A camera could not be opened or stopped delivering."""


class VideoUnreadable(SourceError):
    """A file or stream holds no video that can be decoded."""


class CutEmpty(VideoUnreadable):
    """No frame of a video begins within the cut that was asked for."""


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


def system_error_line(error: OSError, path: Path | str) -> str:
    """Return the message of an error of the operating system, which may name no path or one that is there.

    Args:
        error: The error.
        path: What it is about, if it names nothing.
    """
    place = error.filename or path
    try:
        Path.cwd()
    except FileNotFoundError:  # so no relative path exists
        place = "the current folder"
    return f"{place}: {error.strerror or error}; try another file or place"


@contextmanager
def one_line_about(path: Path | str, kind: type[LivemoodError]) -> Iterator[None]:
    """Turn any exception of a library that reads ``path`` into a one-line error.

    Args:
        path: The file that is being read.
        kind: Class of the error; errors that livemood raises on purpose pass unchanged.

    Raises:
        LivemoodError: Of class ``kind``, in place of any other exception.
    """
    try:
        yield
    except LivemoodError:
        raise
    except OSError as error:
        raise kind(system_error_line(error, path)) from error
    except ImportError as error:
        raise kind(f"{path} could not be processed ({error})", "see livemood doctor") from error
    except Exception as error:  # a damaged file may make a library raise anything
        what = " ".join(f"{type(error).__name__} {error}".split())
        raise kind(
            f"{path} could not be processed, because of an unexpected error ({what})", "please report it"
        ) from error

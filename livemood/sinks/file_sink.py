"""Base class of sinks that write one file."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType

from livemood.core.errors import LivemoodError, SinkError
from livemood.runtime.atomic_io import claimed, make_room, note_written, refuse_device, unwritable
from livemood.sinks.base import Sink


class FileSink(Sink):
    """Base of sinks that write one file.

    Leaving the context with an exception removes the file, unless it holds frames of a live source, as a recording
    cannot be repeated. Leaving it normally or by an interrupt (KeyboardInterrupt, SystemExit) keeps what was written so
    far.
    """

    def __init__(self, path: Path, live: bool = False) -> None:
        self.path = path
        self._live = live
        self._open = ExitStack()
        self._begun = self._closed = False

    def close(self) -> None:
        """Finish the file and give it its name.

        Raises:
            SinkError: The disk is full or gone.
        """
        self._closed = True
        self._open.close()

    def abandon(self) -> None:
        """Remove the file, whatever was written."""
        self._closed = True
        with suppress(SinkError):
            self._open.__exit__(_Abandoned, _Abandoned(), None)

    def _begin_frame(self) -> None:
        if self._closed:
            raise ValueError(f"{self.path} is closed")
        self._begun = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, Exception):
            self.close()
            return
        if not (self._live and self._begun):
            self.abandon()
            return
        self._closed = True
        with suppress(SinkError):  # the first error matters more than a second one from closing
            self._open.close()


class _Abandoned(Exception):
    """Leaves the context of the open file with an error, so that the file is removed."""


@contextmanager
def live_file(path: Path, setting: str, force: bool) -> Iterator[Path]:
    """Yield the path of a file that is written under its own name from the start, locked against other runs.

    If the block fails, the file is removed if it is empty or not wanted.

    Args:
        path: The file; its folder is made.
        setting: Setting that named it, for the remedy of an error.
        force: Replace a file that is there.

    Raises:
        SinkError: It is there already, a device or a pipe, being written by another run, or cannot be written.
    """
    refuse_device(path, setting)
    make_room(path, setting, force)
    try:
        with claimed(path, path, setting):
            note_written(path)
            try:
                yield path
            except _Abandoned:
                path.unlink(missing_ok=True)
                raise
            except BaseException:
                _remove_empty(path)
                raise
    except LivemoodError:
        raise
    except OSError as error:
        raise unwritable(path, setting, error) from error


def _remove_empty(path: Path) -> None:
    with suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()

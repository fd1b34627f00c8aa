"""Videos from a pipe, copied to a temporary file, because picture and sound are read separately."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from livemood.core.errors import SinkError, VideoUnreadable

STDIN = Path("-")
"""Stands for stdin, unless a file has this name."""

_CHUNK_BYTES = 1 << 20


def is_pipe(path: Path) -> bool:
    """Return whether a path can be read only once: a FIFO, a socket, a process substitution, stdin."""
    mode = _mode(path)
    kept = mode is None or stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode)
    return _is_stdin(path) or not kept


@contextmanager
def seekable(path: Path) -> Iterator[Path]:
    """Yield a seekable file: ``path`` itself, or a temporary copy of a pipe's content.

    Raises:
        VideoUnreadable: The pipe is empty, or the path is a device.
        SinkError: There is no room for the copy.
    """
    if not is_pipe(path):
        yield path
        return
    mode = _mode(path)
    if mode is not None and stat.S_ISCHR(mode):
        raise VideoUnreadable(f"{_named(path)} is a terminal or another device", "pipe a video into it, or name a file")
    if mode is None:
        raise VideoUnreadable("stdin is closed", "pipe a video into it, or name a file")
    with tempfile.TemporaryDirectory(prefix="livemood-") as folder:
        copy = Path(folder) / Path(_named(path)).name
        with _opened(path) as pipe:
            try:
                with copy.open("wb") as file:
                    shutil.copyfileobj(pipe, file, _CHUNK_BYTES)
            except OSError as error:
                why = error.strerror or str(error)
                raise SinkError(
                    f"{_named(path)} is a pipe, and there is no room for it in {folder} ({why})", "name a file instead"
                ) from error
        if not copy.stat().st_size:
            raise VideoUnreadable(f"{_named(path)} is an empty pipe")
        yield copy


def _mode(path: Path) -> int | None:
    try:
        return (os.fstat(sys.stdin.fileno()) if _is_stdin(path) else path.stat()).st_mode
    except (OSError, ValueError, AttributeError):  # not there, or started without a stdin
        return None


def _is_stdin(path: Path) -> bool:
    return path == STDIN and not path.exists()


def _named(path: Path) -> str:
    return "stdin" if _is_stdin(path) else str(path)


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if _is_stdin(path) else path.open("rb")

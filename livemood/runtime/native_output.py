"""Suppress what native libraries print to stderr and cache in the home folder; the standard library only."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

# Read by the libraries when they are imported, so set before that.
_SILENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
    "GLOG_minloglevel": "3",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "QT_LOGGING_RULES": "*=false",
}
# On import, Keras writes its settings into the user's home folder, and matplotlib a list of fonts. If neither has a
# folder yet, they get a path that cannot be written; matplotlib then uses a temporary folder and removes it.
_NO_CACHE = {
    "KERAS_HOME": (f"{os.devnull}/keras", ("~/.keras",)),
    "MPLCONFIGDIR": (f"{os.devnull}/matplotlib", ("~/.cache/matplotlib", "~/.config/matplotlib", "~/.matplotlib")),
}


def debugging() -> bool:
    """Return whether ``LIVEMOOD_DEBUG=1`` asks for tracebacks and the output of all libraries."""
    return os.environ.get("LIVEMOOD_DEBUG", "") not in ("", "0")


def silence_native_logs() -> None:
    """Set the environment variables that keep Keras and MediaPipe from logging and caching; those already set stay.

    The program and its child processes keep them, so only what loads these libraries calls it.
    """
    for name, value in ({} if debugging() else _SILENT).items():
        os.environ.setdefault(name, value)
    _keep_no_cache("KERAS_HOME")


def silence_python_logs() -> None:
    """Keep matplotlib and TensorFlow from logging warnings in Python, and matplotlib from caching.

    For the command line, which owns its process.
    """
    _keep_no_cache("MPLCONFIGDIR")
    for library in ("matplotlib", "tensorflow") if not debugging() else ():
        logging.getLogger(library).setLevel(logging.ERROR)


def _keep_no_cache(name: str) -> None:
    nowhere, homes = _NO_CACHE[name]
    if not any(os.path.exists(os.path.expanduser(home)) for home in homes):  # noqa: PTH110, PTH111  # homeless: Path fails
        os.environ.setdefault(name, nowhere)


def keep_no_bytecode() -> None:
    """Stop Python from writing bytecode: TensorFlow generates modules in the temporary folder and leaves it there."""
    sys.dont_write_bytecode = True


def open_missing_streams() -> None:
    """Open the null device in place of stdin, stdout or stderr, if the program was started without one.

    Otherwise the next files to be opened would get their file descriptors, and printed text would end up in them.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  # a device, for good


def discard_native_stderr() -> None:
    """Redirect file descriptor 2 to the null device for the rest of the process; ``sys.stderr`` keeps its target.

    For the command line, which owns its process: native libraries also print from threads, at unpredictable times.
    """
    if debugging():
        return
    with suppress(OSError):  # started without a stderr
        sys.stderr.flush()
        own = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        sys.stderr = own


class _NativeStderr:
    """Counts the blocks that redirect file descriptor 2: the first redirects it, the last restores it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._kept: int | None = None

    def acquire(self) -> None:
        with self._lock:
            if not self._users:
                sys.stderr.flush()
                self._kept = _redirected()
            self._users += 1

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users and self._kept is not None:
                sys.stderr.flush()
                os.dup2(self._kept, 2)
                os.close(self._kept)


def _redirected() -> int | None:
    """Redirect file descriptor 2 to the null device; return a copy of it, None when started without a stderr."""
    try:
        kept = os.dup(2)
    except OSError:
        return None
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # a device, not a path
            os.dup2(nowhere.fileno(), 2)
    except OSError:
        os.close(kept)
        raise
    return kept


_native_stderr = _NativeStderr()


@contextmanager
def native_stderr_held() -> Iterator[None]:
    """Redirect file descriptor 2 to the null device for the block; Python exceptions still raise.

    For a library, which may redirect a program's stderr only briefly. With several threads inside, it is restored when
    the last one leaves.
    """
    if debugging():
        yield
        return
    _native_stderr.acquire()
    try:
        yield
    finally:
        _native_stderr.release()

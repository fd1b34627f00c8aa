"""Hold back what libraries print or keep by themselves; nothing but the standard library."""

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
# Keras writes its settings into the user's home when it is imported, matplotlib a list of fonts. Where they have not
# been before, they find no place to; matplotlib then takes a folder of its own, which it removes in the end.
_NOWHERE = {
    "KERAS_HOME": (f"{os.devnull}/keras", ("~/.keras",)),
    "MPLCONFIGDIR": (f"{os.devnull}/matplotlib", ("~/.cache/matplotlib", "~/.config/matplotlib", "~/.matplotlib")),
}


def debugging() -> bool:
    """Tell whether ``LIVEMOOD_DEBUG=1`` asks for tracebacks and every library's own lines."""
    return os.environ.get("LIVEMOOD_DEBUG", "") not in ("", "0")


def silence_native_logs() -> None:
    """Set the environment variables that make libraries quiet and keep nothing; what the user has set stays."""
    for name, value in ({} if debugging() else _SILENT).items():
        os.environ.setdefault(name, value)
    for name, (nowhere, homes) in _NOWHERE.items():
        if not any(os.path.exists(os.path.expanduser(home)) for home in homes):  # noqa: PTH110, PTH111  # homeless: Path fails
            os.environ.setdefault(name, nowhere)
    if not debugging():
        logging.getLogger("matplotlib").setLevel(logging.ERROR)


def keep_no_bytecode() -> None:
    """Have Python store no bytecode from here on: TensorFlow makes modules in the scratch folder and leaves theirs."""
    sys.dont_write_bytecode = True


def open_missing_streams() -> None:
    """Give a program that was started without stdin, stdout or stderr something in their place, which leads nowhere.

    Their file descriptors would be those of the next files to be opened, and whatever is printed would end there.
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
    """Leave file descriptor 2 to nobody for the rest of the process; ``sys.stderr`` goes on writing where it did.

    For a program of our own: native libraries also print from threads, at moments that nobody can foresee.
    """
    if debugging():
        return
    with suppress(OSError):  # started without a stderr: nothing to keep clean
        sys.stderr.flush()
        own = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        sys.stderr = own


class _NativeStderr:
    """File descriptor 2: the first who holds it back sends it nowhere, the last who lets go puts it back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._holders = 0
        self._kept: int | None = None

    def hold(self) -> None:
        with self._lock:
            if not self._holders:
                sys.stderr.flush()
                self._kept = _sent_nowhere()
            self._holders += 1

    def let_go(self) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders and self._kept is not None:
                sys.stderr.flush()
                os.dup2(self._kept, 2)
                os.close(self._kept)


def _sent_nowhere() -> int | None:
    """Send file descriptor 2 nowhere; return a copy of what it was, None when started without a stderr."""
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
    """Send file descriptor 2 nowhere for the duration; Python's own errors still raise.

    For a library, which may not take a program's stderr away for longer than it must. Where several threads are inside
    at once, it is back when the last one has left.
    """
    if debugging():
        yield
        return
    _native_stderr.hold()
    try:
        yield
    finally:
        _native_stderr.let_go()

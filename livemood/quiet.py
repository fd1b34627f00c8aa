"""Hold back what libraries print or keep by themselves; nothing but the standard library."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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


def ask_for_silence() -> None:
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


def keep_native_stderr_out() -> None:
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


@contextmanager
def native_stderr_held() -> Iterator[None]:
    """Send file descriptor 2 nowhere for the duration; Python's own errors still raise.

    For a library, which may not take a program's stderr away for longer than it must.
    """
    if debugging():
        yield
        return
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # started without a stderr: nothing to hold back
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # a device, not a path
            os.dup2(nowhere.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
    finally:
        os.close(kept)

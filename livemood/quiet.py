"""Hold back what native libraries print to file descriptor 2 by themselves; nothing but the standard library."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Read by the libraries when they are imported, so set before that.
_SILENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
    "GLOG_minloglevel": "3",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "QT_LOGGING_RULES": "*=false",
}


def debugging() -> bool:
    """Tell whether ``LIVEMOOD_DEBUG=1`` asks for tracebacks and every library's own lines."""
    return os.environ.get("LIVEMOOD_DEBUG", "") not in ("", "0")


def ask_for_silence() -> None:
    """Set the environment variables that make libraries quiet; what the user has set stays."""
    if not debugging():
        for name, value in _SILENT.items():
            os.environ.setdefault(name, value)


@contextmanager
def native_stderr_held() -> Iterator[None]:
    """Send file descriptor 2 to a scratch file for the duration; Python's own errors still raise."""
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
        with tempfile.TemporaryFile() as scratch:
            os.dup2(scratch.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
    finally:
        os.close(kept)

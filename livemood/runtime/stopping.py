"""Ctrl-C and similar signals as a flag that loops check.

By default Python raises KeyboardInterrupt between any two instructions of the main thread, also while it holds a lock
or is about to wake another thread, which then waits forever. In a ``held`` block a signal only sets a flag; the next
``check`` raises, at a point where nothing is half done.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The end of an ssh connection and a closed console window count as Ctrl-C.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")

_raised: type[BaseException] = KeyboardInterrupt
_open_blocks = 0
_asked: type[BaseException] | None = None
_ending = False


def handle_signals() -> None:
    """Make signals that ask this process to end raise an exception; those ignored at its start stay ignored.

    For the command line, which owns its process; call it from the main thread.
    """
    for number in _known_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    sys.unraisablehook = _on_unraisable


def ignore_signals() -> None:
    """Ignore signals that ask to end: the parent process handles them. For a process that ends with its parent."""
    for number in _known_signals():
        signal.signal(number, signal.SIG_IGN)


def leave_signals_to_parent() -> None:
    """Ignore signals that ask to end, but for SIGTERM, which ends this process at once. For a process of a pool.

    A pool sends SIGTERM to the other processes when one was killed, and waits until they have ended.
    """
    ignore_signals()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def raise_at_checks(error: type[BaseException]) -> None:
    """Make ``check`` raise another exception than KeyboardInterrupt in this process."""
    global _raised
    _raised = error


class OutputClosed(BaseException):
    """The reader of this program's output has closed it: the run ends as after an interrupt, but with exit code 0."""


def ask(error: type[BaseException] | None = None) -> None:
    """Have the next ``check`` raise; any thread may call it.

    Args:
        error: What to raise instead of the default; ignored outside ``held`` blocks, where the next ``held`` block
            would raise it.
    """
    global _asked, _ending
    if error is None or _open_blocks:
        _asked, _ending = error or _raised, True


def check() -> None:
    """Raise the pending exception in a ``held`` block; does nothing outside the main thread."""
    global _asked
    if _asked and threading.current_thread() is threading.main_thread():
        error, _asked = _asked, None
        raise error


def is_ending() -> bool:
    """Return whether the ``held`` block was asked to end, also after ``check`` has raised; any thread may call it.

    For threads that wait for someone else, such as the reader of a pipe: what waits for them would never end.
    """
    return _ending


@contextmanager
def held() -> Iterator[None]:
    """Defer signals: only ``check`` and the end of the block raise. For the main thread, after ``handle_signals``."""
    global _open_blocks, _ending
    if not _open_blocks:
        _ending = _asked is not None
    _open_blocks += 1
    try:
        yield
    finally:
        _open_blocks -= 1
    if not _open_blocks:
        check()


def _on_signal(*_: object) -> None:
    if not _open_blocks:
        raise KeyboardInterrupt
    ask()


def _on_unraisable(found: "sys.UnraisableHookArgs") -> None:
    """Have the next ``check`` raise an interrupt that came while Python freed an object, where none can be raised."""
    if isinstance(found.exc_value, KeyboardInterrupt):
        ask()
    else:
        sys.__unraisablehook__(found)


def _known_signals() -> list[signal.Signals]:
    return [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]

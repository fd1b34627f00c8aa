"""Ctrl-C and its kin as a flag that loops look at.

Left to itself, Python raises KeyboardInterrupt between any two instructions of the main thread, also where it holds a
lock, or has told nobody yet that another thread may go on; whoever waits there then waits for ever. In a ``held`` block
a signal is only noted, and raised by the next ``check``, where nothing is half done.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# An ssh connection that ends and a closed console window ask for the same as Ctrl-C.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")

_raised: type[BaseException] = KeyboardInterrupt
_blocks = 0
_asked: type[BaseException] | None = None


def heed_signals() -> None:
    """Let signals that ask this process to end do so by an exception; those that it was started deaf to stay unheard.

    For a program of our own, from its main thread.
    """
    for number in _numbers():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _answer)


def ignore_signals() -> None:
    """Leave it to the parent process to answer signals that ask to end; for a process that ends with its parent."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)


def raise_at_checks(error: type[BaseException]) -> None:
    """Have ``check`` raise something else than a KeyboardInterrupt in this process."""
    global _raised
    _raised = error


class NobodyListens(BaseException):
    """Whoever took what this program writes has had enough: it ends as when interrupted, but all is well."""


def ask(error: type[BaseException] | None = None) -> None:
    """Have the next ``check`` raise; any thread may call it.

    Args:
        error: What to raise, if not what it raises by default.
    """
    global _asked
    _asked = error or _raised


def check() -> None:
    """Raise what was asked for in a ``held`` block; does nothing in other threads than the main one."""
    global _asked
    if _asked and threading.current_thread() is threading.main_thread():
        error, _asked = _asked, None
        raise error


@contextmanager
def held() -> Iterator[None]:
    """Note signals, to be raised by ``check`` and at the end only; for the main thread of a program that heeds them."""
    global _blocks
    _blocks += 1
    try:
        yield
    finally:
        _blocks -= 1
    if not _blocks:
        check()


def _answer(*_: object) -> None:
    if not _blocks:
        raise KeyboardInterrupt
    ask()


def _numbers() -> list[signal.Signals]:
    return [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]

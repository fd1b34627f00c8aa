"""Things sent by a thread of its own, so that whoever takes them slowly, or not at all, delays nobody."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from livemood.runtime.closeable import Closeable

T = TypeVar("T")

_CLOSE_S = 1.0


class Outbox(Closeable, Generic[T]):
    """Takes things at once and sends them one after the other; when too many wait, the oldest are left out.

    Args:
        send: Sends one thing; may take its time. An OSError from it ends the sending.
        length: How many may wait.
        name: Of the thread.

    Attributes:
        dropped: How many things were left out.
        error: What ended the sending, if anything did.
    """

    def __init__(self, send: Callable[[T], None], length: int, name: str) -> None:
        self.dropped = 0
        self.error: OSError | None = None
        self._send = send
        self._waiting: deque[T] = deque()
        self._length = length
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, thing: T) -> None:
        """Take one thing; never waits for the receiver."""
        with self._changed:
            if self._closed or self.error:
                return
            if len(self._waiting) == self._length:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(thing)
            self._changed.notify()

    def close(self) -> None:
        """Send what still waits, but wait for that no longer than a second; again does nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_CLOSE_S)

    @property
    def is_done(self) -> bool:
        """Whether nothing is being sent any more."""
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                thing = self._waiting.popleft()
            try:
                self._send(thing)
            except OSError as error:
                self.error = error
                return

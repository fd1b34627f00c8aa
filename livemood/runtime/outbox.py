"""Items sent by a separate thread, so that a slow or absent receiver never delays the sender."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from livemood.runtime.closeable import Closeable

T = TypeVar("T")

_CLOSE_S = 1.0


class Outbox(Closeable, Generic[T]):
    """A bounded queue of items that a thread sends one after the other; when it is full, the oldest are dropped.

    Args:
        send: Sends one item; may block. An exception from it ends the sending.
        length: Capacity of the queue.
        name: Of the thread.

    Attributes:
        dropped: Number of dropped items.
        error: The exception that ended the sending, if any.
    """

    def __init__(self, send: Callable[[T], None], length: int, name: str) -> None:
        self.dropped = 0
        self.error: Exception | None = None
        self._send = send
        self._waiting: deque[T] = deque()
        self._length = length
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue one item; never blocks."""
        with self._changed:
            if self._closed or self.error:
                return
            if len(self._waiting) == self._length:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(item)
            self._changed.notify()

    def close(self) -> None:
        """Send the remaining items, for at most one second; a second call does nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_CLOSE_S)

    @property
    def is_done(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                item = self._waiting.popleft()
            try:
                self._send(item)
            except Exception as error:  # noqa: BLE001  # for the owner, who would go on without a word
                self.error = error
                return

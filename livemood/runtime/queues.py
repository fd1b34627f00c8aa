"""Bounded queues between threads that neither an error nor an interrupt can block.

All waiting happens in ``queue.SimpleQueue``, whose calls are atomic. ``queue.Queue`` takes several steps: a
KeyboardInterrupt between them leaves a lock closed, or wakes a thread that no longer waits.
"""

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from queue import Empty, SimpleQueue
from threading import Event
from typing import Generic, TypeVar

from livemood.runtime.stopping import check

T = TypeVar("T")

_LENGTH = 8
# Interval at which waiting threads check whether the other end has closed or a stop was requested, s.
_POLL_S = 0.1
# How long the end of a program waits for a thread that was left running, s.
_EXIT_S = 2.0


class _Sentinel:
    """Sentinel at the end of a queue; carries the exception that ended it, if any."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def close(self) -> None:
        """Raise the exception, if there was one."""
        if self.error is not None:
            raise self.error


class BoundedQueue(Generic[T]):
    """A bounded queue from one thread to another.

    ``put`` and iteration call ``livemood.runtime.stopping.check``, so the main thread can be stopped in both.

    Args:
        length: Capacity.
    """

    def __init__(self, length: int = _LENGTH) -> None:
        self._items: SimpleQueue[T | _Sentinel] = SimpleQueue()
        self._slots: SimpleQueue[None] = SimpleQueue()
        self._closed = False
        for _ in range(length):
            self._slots.put(None)

    def put(self, item: T) -> bool:
        """Add one item; blocks while the queue is full. False once the receiver has closed it."""
        while not self._closed:
            check()
            try:
                self._slots.get(timeout=_POLL_S)
            except Empty:
                continue
            self._items.put(item)
            return True
        return False

    def end(self, error: Exception | None = None) -> None:
        """Mark the end, with the exception that caused it, if any; never blocks."""
        self._items.put(_Sentinel(error))

    def close(self) -> None:
        """Refuse further items, as the receiver; never blocks."""
        self._closed = True

    def __iter__(self) -> Iterator[T]:
        """Yield items until the end.

        Raises:
            Exception: The one that ``end`` was given.
        """
        while True:
            check()
            try:
                item = self._items.get(timeout=_POLL_S)
            except Empty:
                continue
            if isinstance(item, _Sentinel):
                return item.close()
            self._slots.put(None)
            yield item


class _Worker:
    """A thread that its owner waits for.

    Args:
        name: Of the thread.
        work: What it does.
        stop: Makes it end soon; called when the program ends while it is running.
    """

    def __init__(self, name: str, work: Callable[[], None], stop: Callable[[], object]) -> None:
        self.stop = stop
        self._done = False
        self._done_event: SimpleQueue[None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        self._thread.start()

    def wait(self, limit_s: float = inf) -> None:
        """Wait until it is done, or for ``limit_s`` seconds; an interrupt meanwhile is raised afterwards.

        A thread that is still running then continues as a daemon thread and does not keep the process alive.
        """
        ends = time.monotonic() + limit_s
        interrupt: KeyboardInterrupt | None = None
        while not self._done and (left_s := ends - time.monotonic()) > 0:
            try:
                self._done_event.get(timeout=min(_POLL_S, left_s))
            except Empty:
                continue
            except KeyboardInterrupt as error:
                interrupt = error
        if self._done:
            self._thread.join()
        if interrupt:
            raise interrupt

    def _run(self, work: Callable[[], None]) -> None:
        _running.add(self)
        try:
            work()
        finally:
            self._done = True
            _running.discard(self)
            self._done_event.put(None)


_running: set[_Worker] = set()


@atexit.register
def _stop_running() -> None:
    """Stop threads whose owners were never closed, as a generator that a script has left in the middle.

    Python closes such a generator when threads no longer run; it would wait for its thread for ever.
    """
    for worker in tuple(_running):
        worker.stop()
        worker.wait(_EXIT_S)


@contextmanager
def read_ahead(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """Produce ``items`` in a thread, a few ahead of the consumer; nothing is dropped.

    The reader's exception is raised again in the consumer. Leaving the context stops the reader and waits for it.
    """
    queue: BoundedQueue[T] = BoundedQueue()
    reader = _reader(items, queue.put, queue.end, queue.close)
    try:
        yield iter(queue)
    finally:
        queue.close()
        reader.wait()


@contextmanager
def read_newest(items: Iterable[T], wait_s: float, join_s: float = 1.0) -> Iterator[Iterator[T | None]]:
    """Produce ``items`` in a thread and keep only the newest: an item that was not taken is replaced by the next.

    The iterator yields None when no new item came for ``wait_s`` seconds. It ends, or raises the reader's exception,
    after the last item was taken.

    Args:
        items: Such as the frames of a camera.
        wait_s: Longest wait for an item, s.
        join_s: How long leaving the context waits for the reader, s. One that hangs in a driver is abandoned; as a
            daemon thread it does not keep the process alive.
    """
    newest: deque[T] = deque(maxlen=1)
    ended: list[_Sentinel] = []
    wake_up: SimpleQueue[None] = SimpleQueue()
    stopping = Event()

    def put(item: T) -> bool:
        newest.append(item)
        wake_up.put(None)
        return not stopping.is_set()

    def end(error: Exception | None) -> None:
        ended.append(_Sentinel(error))
        wake_up.put(None)

    def take() -> Iterator[T | None]:
        while True:
            check()
            over = bool(ended)  # checked first: items that came before the end are in the queue by now
            if newest:
                yield newest.popleft()
            elif over:
                return ended[0].close()
            elif not _woken(wake_up, wait_s):
                yield None

    reader = _reader(items, put, end, stopping.set)
    try:
        yield take()
    finally:
        stopping.set()
        reader.wait(join_s)


def _woken(wake_up: "SimpleQueue[None]", wait_s: float) -> bool:
    """Wait for a wake-up, at most ``wait_s`` seconds; several wake-ups count as one. False if none came."""
    try:
        wake_up.get(timeout=wait_s)
        while not wake_up.empty():
            wake_up.get_nowait()
    except Empty:
        return False
    return True


def _reader(
    items: Iterable[T], put: Callable[[T], bool], end: Callable[[Exception | None], None], stop: Callable[[], object]
) -> _Worker:
    """Start a thread that puts every item until ``put`` returns False, and then reports how it ended."""

    def read() -> None:
        failed: Exception | None = None
        try:
            for item in items:
                if not put(item):
                    break
        except Exception as error:  # noqa: BLE001  # of any kind: the consumer raises it again
            failed = error
        end(failed)

    return _Worker("livemood-reader", read, stop)


class WriteBehind(Generic[T]):
    """Calls ``write`` in a thread; an error there is raised by the next ``put`` or when the context is left.

    Args:
        write: Called once for each item, in order, from one thread.
    """

    def __init__(self, write: Callable[[T], None]) -> None:
        self._write = write
        self._queue: BoundedQueue[T] = BoundedQueue()
        self._error: Exception | None = None
        self._writer = _Worker("livemood-writer", self._work, self._queue.end)

    def put(self, item: T) -> None:
        """Queue one item; blocks while the queue is full."""
        self._raise()
        self._queue.put(item)

    def __enter__(self) -> "WriteBehind[T]":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._queue.end()
        self._writer.wait()
        if kind is None:
            self._raise()

    def _work(self) -> None:
        for item in self._queue:
            if self._error is None:  # after a failure the queue is still emptied, so that ``put`` does not block
                try:
                    self._write(item)
                except Exception as error:  # noqa: BLE001  # raised again in the caller's thread
                    self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

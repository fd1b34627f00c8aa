"""Lines of things from one thread to another, which neither an error nor an interrupt at any moment can block.

All waiting is that of ``queue.SimpleQueue``, whose calls are done as a whole or not at all. ``queue.Queue`` takes
several steps: a KeyboardInterrupt between them leaves a lock closed, or wakes a waiter that is no longer there.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from livemood.runtime.stopping import check

T = TypeVar("T")

_LENGTH = 8
# Those who wait look up this often, s: whether they are still wanted, and whether someone asked the program to end.
_GLANCE_S = 0.1


class _End:
    """Closes a line; carries the exception that ended it, if any."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def close(self) -> None:
        """Raise the exception, if there was one."""
        if self.error is not None:
            raise self.error


class Line(Generic[T]):
    """Things on their way from one thread to another, a few at most.

    The main thread may be stopped (``livemood.runtime.stopping.check``) wherever it puts or takes.

    Args:
        length: How many may wait.
    """

    def __init__(self, length: int = _LENGTH) -> None:
        self._things: SimpleQueue[T | _End] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()
        self._closed = False
        for _ in range(length):
            self._room.put(None)

    def put(self, thing: T) -> bool:
        """Add one thing; waits while there is no room. False when nobody takes any more."""
        while not self._closed:
            check()
            try:
                self._room.get(timeout=_GLANCE_S)
            except Empty:
                continue
            self._things.put(thing)
            return True
        return False

    def end(self, error: Exception | None = None) -> None:
        """Say that no more will come, or why; never waits."""
        self._things.put(_End(error))

    def close(self) -> None:
        """Say that no more will be taken; never waits."""
        self._closed = True

    def __iter__(self) -> Iterator[T]:
        """Take one thing after another, until the end.

        Raises:
            Exception: What the line was ended with.
        """
        while True:
            check()
            try:
                thing = self._things.get(timeout=_GLANCE_S)
            except Empty:
                continue
            if isinstance(thing, _End):
                return thing.close()
            self._room.put(None)
            yield thing


class _Helper:
    """A thread that is waited for at its end."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._done = False
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        self._thread.start()

    def wait(self, limit_s: float = inf) -> None:
        """Wait until it is done, or for so long; an interrupt meanwhile is raised after that.

        A helper that is left behind goes on as a daemon thread, and holds nobody up.
        """
        ends = time.monotonic() + limit_s
        interrupt: KeyboardInterrupt | None = None
        while not self._done and (left_s := ends - time.monotonic()) > 0:
            try:
                self._bell.get(timeout=min(_GLANCE_S, left_s))
            except Empty:
                continue
            except KeyboardInterrupt as error:
                interrupt = error
        if self._done:
            self._thread.join()
        if interrupt:
            raise interrupt

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._done = True
            self._bell.put(None)


@contextmanager
def read_ahead(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """Produce ``items`` in a thread, a few ahead of their use; nothing is dropped.

    The reader's exception is raised again where the items are used. Leaving the context stops the reader and waits for
    it.
    """
    line: Line[T] = Line()
    reader = _reader(items, line.put, line.end)
    try:
        yield iter(line)
    finally:
        line.close()
        reader.wait()


@contextmanager
def read_newest(items: Iterable[T], wait_s: float, join_s: float = 1.0) -> Iterator[Iterator[T | None]]:
    """Produce ``items`` in a thread and keep only the newest: one that nobody took is dropped for the next.

    The iterator gives None when no new item came for ``wait_s`` seconds. It ends, or raises the reader's exception,
    after the last item was taken.

    Args:
        items: Such as the frames of a camera.
        wait_s: Longest time between two looks at the clock.
        join_s: Leaving the context waits so long for the reader; one that hangs in a driver is left behind, as a
            daemon thread it holds nobody up.
    """
    newest: deque[T] = deque(maxlen=1)
    ended: list[_End] = []
    bell: SimpleQueue[None] = SimpleQueue()
    stopping = False

    def put(item: T) -> bool:
        newest.append(item)
        bell.put(None)
        return not stopping

    def end(error: Exception | None) -> None:
        ended.append(_End(error))
        bell.put(None)

    def take() -> Iterator[T | None]:
        while True:
            check()
            over = bool(ended)  # looked at first: what came before the end is there now
            if newest:
                yield newest.popleft()
            elif over:
                return ended[0].close()
            elif not _rung(bell, wait_s):
                yield None

    reader = _reader(items, put, end)
    try:
        yield take()
    finally:
        stopping = True
        reader.wait(join_s)


def _rung(bell: "SimpleQueue[None]", wait_s: float) -> bool:
    """Wait until a bell is rung, or for so long; how often it was rung does not matter."""
    try:
        bell.get(timeout=wait_s)
        while not bell.empty():
            bell.get_nowait()
    except Empty:
        return False
    return True


def _reader(items: Iterable[T], put: Callable[[T], bool], end: Callable[[Exception | None], None]) -> _Helper:
    """Start a thread that puts every item until that is no longer wanted, and says at last how it ended."""

    def read() -> None:
        failed: Exception | None = None
        try:
            for item in items:
                if not put(item):
                    break
        except Exception as error:  # noqa: BLE001  # handed over whatever it is: the consumer raises it again
            failed = error
        end(failed)

    return _Helper("livemood-reader", read)


class WriteBehind(Generic[T]):
    """Hands items to ``write`` in a thread, a few behind; an error there is raised at the next call or at the end.

    Args:
        write: Called once for each item, in order, from one thread.
    """

    def __init__(self, write: Callable[[T], None]) -> None:
        self._write = write
        self._line: Line[T] = Line()
        self._error: Exception | None = None
        self._writer = _Helper("livemood-writer", self._work)

    def put(self, item: T) -> None:
        """Queue one item; waits while the writer is behind."""
        self._raise()
        self._line.put(item)

    def __enter__(self) -> "WriteBehind[T]":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._line.end()
        self._writer.wait()
        if kind is None:
            self._raise()

    def _work(self) -> None:
        for item in self._line:
            if self._error is None:  # after a failure go on emptying the line, so that nobody waits for room
                try:
                    self._write(item)
                except Exception as error:  # noqa: BLE001  # raised again in the caller's thread
                    self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

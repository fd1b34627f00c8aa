"""Many small tasks on a few processes, in bounded memory, surviving killed processes."""

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from threading import Thread
from typing import Any, Final, TypeVar

from livemood.runtime.stopping import check, held, leave_signals_to_parent

T = TypeVar("T")
R = TypeVar("R")

KILLED: Final = "its process was killed, probably because memory ran out or a file is damaged"
"""Why a task has no result."""

_CHECK_S: Final = 0.1
_AHEAD = 32  # queued tasks for each process, so that none waits for one that takes a hundred times as long


def on_processes(
    tasks: Iterable[T],
    work: Callable[[T], R],
    processes: int,
    set_up: Callable[..., None],
    arguments: tuple[Any, ...],
    ahead: int = _AHEAD,
    ordered: bool = True,
    cost: Callable[[T], float] | None = None,
    again: Callable[[T], T] = lambda task: task,
) -> Iterator[tuple[T, R | None]]:
    """Run tasks in ``processes`` processes; yield each with its result, or None if it killed its process twice.

    Tasks are taken from the iterable as needed, so memory does not grow with their number. An interrupt is raised when
    the next result is asked for; running tasks finish and no more are started. The processes themselves ignore it.

    Args:
        tasks: Picklable.
        work: A function of a module; its exceptions are raised here.
        processes: Number of processes.
        set_up: Called in each process at its start.
        arguments: Of ``set_up``.
        ahead: Queued tasks for each process.
        ordered: Yield in the order of the tasks; otherwise as they are done.
        cost: Estimates the time of a task, in any unit. The first ``processes * ahead`` tasks are started in order of
            decreasing cost, so that in a short run the processes finish at about the same time.
        again: Returns a task as it is run a second time, after it was perhaps done by a process that was killed.
    """
    import multiprocessing

    context = multiprocessing.get_context("spawn")  # a forked child inherits locks of library threads, and hangs

    def open_pool(size: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(size, context, _begin, (set_up, arguments))

    with held():  # a second interrupt while processes are being ended would leave them waiting for ever
        yield from _run(iter(tasks), work, processes, open_pool, processes * ahead, ordered, cost, again)


def _run(
    left: Iterator[T],
    work: Callable[[T], R],
    processes: int,
    open_pool: Callable[[int], ProcessPoolExecutor],
    most: int,
    ordered: bool,
    cost: Callable[[T], float] | None,
    again: Callable[[T], T],
) -> Iterator[tuple[T, R | None]]:
    pool = open_pool(processes)
    under_way: deque[tuple[T, Future[R]]] = deque()
    try:
        if cost:
            under_way.extend(_by_cost(pool, work, list(islice(left, most)), cost))
        while True:
            while len(under_way) < most and (item := next(left, _END)) is not _END:
                under_way.append((item, submit(pool, work, item)))
            if not under_way:
                return
            place = 0
            _wait([future for _, future in under_way][: 1 if ordered else None])
            if not ordered:
                place = next(i for i, (_, future) in enumerate(under_way) if future.done())
            task, future = under_way[place]
            try:
                result: R | None = future.result()
            except BrokenProcessPool:
                # Which task killed its process is unknown: each queued one is run again in a process of its own.
                unfinished = list(under_way)
                under_way.clear()
                pool.shutdown()
                pool = open_pool(processes)
                for one, was in unfinished:
                    if was.done() and not was.cancelled() and was.exception() is None:
                        yield one, was.result()
                    else:
                        yield one, _alone(open_pool, work, again(one))
                continue
            del under_way[place]
            yield task, result
    finally:
        pool.shutdown(cancel_futures=True)


_END: Any = object()


def _by_cost(
    pool: ProcessPoolExecutor, work: Callable[[T], R], tasks: Sequence[T], cost: Callable[[T], float]
) -> list[tuple[T, Future[R]]]:
    """Start tasks in order of decreasing cost; return each with its future, in the order given."""
    order = sorted(range(len(tasks)), key=lambda place: -cost(tasks[place]))
    started = {place: submit(pool, work, tasks[place]) for place in order}
    return [(task, started[place]) for place, task in enumerate(tasks)]


def _wait(futures: Sequence["Future[R]"]) -> None:
    """Wait for the first of some futures to be done, or for an interrupt.

    Raises:
        KeyboardInterrupt: An interrupt came.
    """
    check()
    while not wait(futures, _CHECK_S, FIRST_COMPLETED).done:
        check()
    check()  # a signal may have ended the processes too; their tasks have not failed then


def _alone(open_pool: Callable[[int], ProcessPoolExecutor], work: Callable[[T], R], task: T) -> R | None:
    with open_pool(1) as pool:
        try:
            future = submit(pool, work, task)
            _wait([future])
            return future.result()
        except BrokenProcessPool:
            return None


def submit(pool: ProcessPoolExecutor, work: Callable[[T], R], task: T) -> Future[R]:
    """Queue a task; its process starts with blocked signals, and calls ``heed_sigterm`` when it can answer one.

    Where the pool is broken, so is the future.
    """
    with _interrupts_blocked():  # a process that is started here inherits the blocked signals
        try:
            return pool.submit(work, task)
        except BrokenProcessPool as error:  # it broke since the last result was taken
            failed: Future[R] = Future()
            failed.set_exception(error)
            return failed


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(set_up: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    leave_signals_to_parent()
    heed_sigterm()
    end_with_parent()
    gc.disable()
    set_up(*arguments)
    gc.freeze()  # objects that last as long as the process are neither searched for garbage nor freed at its end
    gc.enable()


def heed_sigterm() -> None:
    """Unblock SIGTERM, which a pool sends to the other processes when one was killed."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def end_with_parent() -> None:
    """Make this process exit when its parent has ended, as a killed parent cannot stop it."""
    import multiprocessing

    parent = multiprocessing.parent_process()

    def wait_for_it() -> None:
        if parent:
            parent.join()
            os._exit(1)

    Thread(target=wait_for_it, name="livemood-parent", daemon=True).start()

"""The number of usable cores."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def usable_cores() -> int:
    """Return how many cores this process may run on, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def same_scheduling() -> Iterator[None]:
    """Give this thread and process back the scheduling that they had before the block.

    SVT-AV1 makes whoever opens it a real-time process where it may, as root in a container; all that the process starts
    afterwards would then keep everything else from the cores.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    ids = (0, os.getpid())
    before = [(os.sched_getscheduler(pid), os.sched_getparam(pid)) for pid in ids]
    try:
        yield
    finally:
        for pid, (policy, parameters) in zip(ids, before, strict=True):
            with suppress(OSError):
                os.sched_setscheduler(pid, policy, parameters)

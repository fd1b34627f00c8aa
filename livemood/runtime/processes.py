"""The number of usable cores, and the scheduling of this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def usable_cores() -> int:
    """Return how many cores this process may run on, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def same_scheduling() -> Iterator[None]:
    """Restore the scheduling policy of this thread and process at the end of the block.

    SVT-AV1 makes the process that opens it a real-time process where it may, as for root in a container. Its child
    processes would inherit that and take the cores from everything else.
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

"""Tasks on processes: order, bounds, errors and killed workers."""

import os
import signal
import time
from itertools import count, islice
from pathlib import Path

import pytest

from livemood.runtime.workers import on_processes

_offset = 0


def set_up(offset: int) -> None:
    global _offset
    _offset = offset


def work(number: int) -> int:
    if number < 0:
        raise ValueError(f"no {number}")
    time.sleep(0.02 * (number % 3))
    return number + _offset


def die(path: Path) -> str:
    if path.name == "always" or (path.name == "once" and not path.exists()):
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return path.name


def test_tasks_then_come_back_in_their_order_and_are_taken_as_needed() -> None:
    taken: list[int] = []

    def tasks():
        for number in count():
            taken.append(number)
            yield number

    results = on_processes(tasks(), work, 2, set_up, (100,), ahead=3)
    assert list(islice(results, 20)) == [(number, number + 100) for number in range(20)]
    del results
    assert len(taken) <= 20 + 6


def stamp(path: Path) -> int:
    started = time.monotonic_ns()
    time.sleep(0.05)
    return started


def test_tasks_when_their_cost_is_given_then_the_dearest_start_first_and_come_back_in_order() -> None:
    tasks = [Path(str(cost)) for cost in (1, 3, 2, 5, 4)]
    found = list(on_processes(tasks, stamp, 1, set_up, (0,), cost=lambda path: int(path.name)))
    assert [task for task, _ in found] == tasks
    started = sorted(found, key=lambda one: one[1] or 0)
    assert [int(task.name) for task, _ in started] == [5, 4, 3, 2, 1]


def test_tasks_when_there_are_more_than_wait_at_once_then_all_come_back_in_order() -> None:
    found = [number for number, _ in on_processes(range(9), work, 2, set_up, (0,), ahead=2, cost=float)]
    assert found == list(range(9))


def test_tasks_when_order_does_not_matter_then_each_comes_back_once() -> None:
    found = dict(on_processes(range(20), work, 2, set_up, (1,), ordered=False))
    assert found == {number: number + 1 for number in range(20)}


def test_task_when_it_raises_then_so_does_the_caller() -> None:
    with pytest.raises(ValueError, match="no -1"):
        list(on_processes([1, -1, 2], work, 2, set_up, (0,)))


@pytest.mark.parametrize("ordered", [True, False])
def test_task_when_it_kills_its_process_then_the_others_are_done(tmp_path: Path, ordered: bool) -> None:
    names = ["a", "once", "b", "always", "c", "d"]
    found = list(on_processes([tmp_path / name for name in names], die, 2, set_up, (0,), ordered=ordered))
    results = {task.name: result for task, result in found}
    assert results == {"a": "a", "once": "once", "b": "b", "always": None, "c": "c", "d": "d"}
    assert len(found) == len(names)
    if ordered:
        assert [task.name for task, _ in found] == names

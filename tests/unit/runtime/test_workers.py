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

"""Threads that wait for each other, interrupted before every instruction, and deferred signals."""

import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from livemood.runtime import queues, stopping
from livemood.runtime.queues import BoundedQueue, WriteBehind, read_ahead, read_newest

# Python's own threading is not included: an interrupt while a thread starts may keep all others from starting.
WATCHED = {queues.__file__, queue.__file__}


def interrupted_at(number: int, work: Callable[[], None]) -> bool:
    """Run ``work`` and raise KeyboardInterrupt before instruction ``number``; return False if it has fewer."""
    left, raised = number, False

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left, raised
        caller = frame.f_back.f_code.co_filename if frame.f_back else ""
        if frame.f_code.co_filename not in WATCHED and caller != queue.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and not raised:
            left -= 1
            if left < 0:
                raised = True
                raise KeyboardInterrupt
        return trace

    def run() -> None:
        sys.settrace(trace)
        try:
            work()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive(), f"hangs when interrupted before instruction {number}"
    return raised


def write() -> None:
    def slowly(_: int) -> None:
        time.sleep(0.0005)

    with WriteBehind(slowly) as writer:
        for item in range(4):
            writer.put(item)


def take_ahead() -> None:
    with read_ahead(range(5)) as items:
        for _ in items:
            time.sleep(0.0005)


def take_newest() -> None:
    with read_newest(range(5), 0.01, 0.5) as items:
        for _ in items:
            time.sleep(0.0005)


@pytest.mark.parametrize("work", [write, take_ahead, take_newest])
def test_threads_when_interrupted_before_any_instruction_then_no_thread_hangs(
    work: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livemood.runtime.queues._POLL_S", 0.01)
    monkeypatch.setattr("livemood.runtime.queues._LENGTH", 2)
    number = 0
    while interrupted_at(number, work):
        number += 1
    assert number > 100


@pytest.fixture
def handled_signals() -> Any:
    before = {number: signal.getsignal(number) for number in stopping._known_signals()}
    stopping.handle_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signal_when_held_then_is_raised_at_the_next_check(name: str, handled_signals: None) -> None:
    number = getattr(signal, name)
    with stopping.held():
        signal.raise_signal(number)
        done: list[int] = []
        with pytest.raises(KeyboardInterrupt), WriteBehind(done.append) as writer:
            writer.put(1)
        stopping.check()  # answered
    assert done == []
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_signal_when_it_was_not_checked_then_it_is_raised_at_the_end_of_the_block(handled_signals: None) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), stopping.held():
        with stopping.held():
            signal.raise_signal(signal.SIGTERM)
        reached.append("the end of the inner block")
    assert reached
    stopping.check()


def test_signal_when_held_then_other_threads_do_not_end_of_it(handled_signals: None) -> None:
    line: BoundedQueue[int] = BoundedQueue(1)
    with pytest.raises(KeyboardInterrupt), stopping.held():
        signal.raise_signal(signal.SIGTERM)
        thread = threading.Thread(target=lambda: [line.put(item) for item in range(1)])
        thread.start()
        thread.join()
        line.end()
        next(iter(line))
    assert list(line) == [0]


def test_signals_when_the_process_was_started_with_signals_ignored_then_stay_unheard(handled_signals: None) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    stopping.handle_signals()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    signal.raise_signal(signal.SIGHUP)

import subprocess
import sys

import pytest

SCRIPT = """
import os, signal
from livemood.runtime import stopping

class Freed:
    def __del__(self):
        {act}

stopping.handle_signals()
freed = Freed()
del freed
print("goes on")
try:
    with stopping.held():
        stopping.check()
except KeyboardInterrupt:
    print("interrupted")
"""


def run(act: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", SCRIPT.format(act=act)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signal_while_an_object_is_freed_then_the_next_check_raises_and_nothing_is_printed(name: str) -> None:
    done = run(f"os.kill(os.getpid(), signal.{name})")
    assert (done.returncode, done.stdout.split("\n")[:2], done.stderr) == (0, ["goes on", "interrupted"], "")


def test_output_when_it_is_closed_outside_a_held_block_then_the_next_block_is_not_ended_by_it() -> None:
    done = run("stopping.ask(stopping.OutputClosed)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")


def test_fault_while_an_object_is_freed_then_it_is_printed_as_ever() -> None:
    done = run("raise ValueError('a fault')")
    assert done.stdout == "goes on\n"
    assert "ValueError: a fault" in done.stderr

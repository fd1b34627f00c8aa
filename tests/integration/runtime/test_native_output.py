"""stderr has livemood's own lines only, whatever native code writes to its descriptor."""

import os
import subprocess
import sys

import pytest


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=True
    )
    return done.stderr


def test_held_then_native_lines_vanish_only_meanwhile():
    code = (
        "import os, sys; from livemood.runtime.native_output import native_stderr_held\n"
        "with native_stderr_held(): os.write(2, b'inside ')\n"
        "os.write(2, b'after'); print(' ours', file=sys.stderr)"
    )
    assert run(code) == "after ours\n"


def test_held_when_the_block_fails_then_stderr_is_back():
    code = (
        "import os; from livemood.runtime.native_output import native_stderr_held\n"
        "try:\n with native_stderr_held(): raise ValueError\n"
        "except ValueError: os.write(2, b'after')"
    )
    assert run(code) == "after"


def test_held_by_two_when_the_first_leaves_first_then_stderr_is_back_when_the_second_has_left():
    code = (
        "import os; from contextlib import ExitStack; from livemood.runtime.native_output import native_stderr_held\n"
        "first, second = ExitStack(), ExitStack()\n"
        "first.enter_context(native_stderr_held()); second.enter_context(native_stderr_held())\n"
        "first.close(); os.write(2, b'inside '); second.close(); os.write(2, b'after')"
    )
    assert run(code) == "after"


def test_held_by_many_threads_at_once_then_stderr_is_back():
    code = (
        "import os, threading, time; from livemood.runtime.native_output import native_stderr_held\n"
        "def hold(pause_s):\n"
        " for _ in range(50):\n"
        "  with native_stderr_held(): time.sleep(pause_s)\n"
        "threads = [threading.Thread(target=hold, args=(i / 1000,)) for i in range(4)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "os.write(2, b'after')"
    )
    assert run(code) == "after"


def test_kept_out_then_only_python_writes_to_stderr():
    code = (
        "import os, sys; from livemood.runtime.native_output import discard_native_stderr; discard_native_stderr()\n"
        "os.write(2, b'native '); print('ours', file=sys.stderr)"
    )
    assert run(code) == "ours\n"


def test_debugging_then_everything_comes_through():
    code = (
        "import os; from livemood.runtime.native_output import discard_native_stderr, native_stderr_held\n"
        "discard_native_stderr()\n"
        "with native_stderr_held(): os.write(2, b'native')"
    )
    assert run(code, LIVEMOOD_DEBUG="1") == "native"


@pytest.mark.parametrize("library", ["matplotlib", "tensorflow"])
def test_silence_python_logs_then_only_errors_come_through(library):
    code = (
        "import logging; from livemood.runtime.native_output import silence_python_logs; silence_python_logs()\n"
        f"log = logging.getLogger({library!r}); log.warning('no matter'); log.error('wrong')"
    )
    assert run(code) == "wrong\n"


def test_started_without_stderr_then_works_all_the_same():
    code = (
        "import os; os.close(2); from livemood.runtime.native_output import discard_native_stderr\n"
        "discard_native_stderr(); print(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "1\n"


def test_held_many_times_then_no_file_stays_open():
    code = (
        "import sys; from pathlib import Path; from livemood.runtime.native_output import native_stderr_held\n"
        "for _ in range(20):\n with native_stderr_held(): pass\n"
        "print(sum(1 for _ in Path('/proc/self/fd').iterdir()) < 20, file=sys.stderr)"
    )
    assert run(code) == "True\n"

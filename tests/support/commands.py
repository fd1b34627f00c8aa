"""The commands, run in the process of the tests, where they start sooner than in one of their own."""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from livemood.cli import run


def livemood(*words: object, folder: Path | None = None) -> CompletedProcess[str]:
    """Run a command with ``folder`` as the current one; return its exit code and what it printed."""
    args = [str(word) for word in words]
    with (
        chdir(folder or Path.cwd()),
        redirect_stdout(io.StringIO()) as stdout,
        redirect_stderr(io.StringIO()) as stderr,
    ):
        code = run(args)
    return CompletedProcess(args, code, stdout.getvalue(), stderr.getvalue())

"""The commands. Errors are printed and exit codes set here: 0 success, 1 error, 2 wrong usage, 130 interrupted."""

import gc
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final, NoReturn

import typer

from livemood import __version__
from livemood.cli.config import default_map
from livemood.cli.help import Command, Commands
from livemood.cli.options import option_name, with_settings
from livemood.cli.summary import note
from livemood.cli.terminal import INTERRUPTED, print_any_text, tell
from livemood.cli.usage import usage_line
from livemood.core.errors import LivemoodError, system_error_line
from livemood.runtime.atomic_io import forget_written, written
from livemood.runtime.native_output import (
    debugging,
    discard_native_stderr,
    open_missing_streams,
    silence_native_logs,
    silence_python_logs,
)
from livemood.runtime.optional_deps import import_failed
from livemood.runtime.stopping import OutputClosed, handle_signals, held, ignore_signals

_SELDOM = 50_000
# Number of files that an interrupted run lists by name.
_LISTED = 4

# The module under livemood.cli of each command, in the order of the help. Its function has the command's name.
_MODULES: Final = {
    "video": "video",
    "camera": "camera",
    "cameras": "doctor",
    "doctor": "doctor",
    "bench": "bench",
    "image": "image",
    "batch": "batch",
    "undo": "undo",
    "report": "report",
    "markers": "markers",
    "merge-people": "merge",
    "crop": "crop",
    "train": "train",
    "evaluate": "evaluate",
    "export": "export",
    "models": "models",
    "web": "web",
    "config": "config",
}
_STYLE: Final[dict[str, Any]] = {"rich_markup_mode": None, "context_settings": {"help_option_names": ["-h", "--help"]}}

_app = typer.Typer(
    name="livemood",
    help="Reads emotion from faces, live: on a camera, in videos, in photos.\n\n"
    "Labels say what an expression looks like, not what someone feels. Nothing is sent unless you ask for it.",
    epilog="Start with: livemood camera",
    cls=Commands,
    pretty_exceptions_enable=False,
    **_STYLE,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"livemood {__version__}")
        raise typer.Exit


@_app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


class _Commands(Mapping[str, Any]):
    """The commands by name; the module of a command is imported when it is looked up, so that others start sooner."""

    def __getitem__(self, name: str) -> Any:
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


@cache
def _command(name: str) -> Any:
    with held():  # an interrupt during an import could be reported as a missing library
        module = import_module(f"livemood.cli.{_MODULES[name]}")
    alone = typer.Typer(add_completion=False, **_STYLE)
    alone.command(name, cls=Command)(with_settings(getattr(module, name.replace("-", "_"))))
    return typer.main.get_command(alone)


def program() -> Any:
    """Return the program as a group of commands, as typer makes it."""
    group: Any = typer.main.get_command(_app)
    group.commands = _Commands()
    return group


def main() -> NoReturn:
    """Run the command line and exit."""
    # Cyclic garbage collection of all imported modules took a sixth of the time of starting and ending a process.
    gc.set_threshold(_SELDOM)
    open_missing_streams()
    print_any_text()
    silence_native_logs()
    silence_python_logs()
    discard_native_stderr()
    # Each part of the pipeline has a thread; OpenCV's own threads would compete with them (docs/speed.md).
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
    # Matrices are small here; numpy and OpenCV each start a thread per core for them, as long as 50 ms of a core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    handle_signals()
    warnings.showwarning = _show_note
    if not debugging():
        warnings.filterwarnings("ignore")
        warnings.filterwarnings("always", module=r"livemood(\.|$)")
    try:
        code = run()
        ignore_signals()  # at exit Python restores the default handlers, and a late signal would kill the process
    except KeyboardInterrupt:  # a second signal while the first was being reported
        ignore_signals()
        code = INTERRUPTED
    # An interrupt that passes through ``exec``, as while a dataclass is imported, makes ``python -m`` end by the signal
    # whatever the exit code, unless another ``exec`` comes after.
    exec("")
    gc.freeze()  # no garbage collection at exit
    sys.exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    Args:
        args: Arguments after ``livemood``; by default those of this process.
    """
    forget_written()
    try:
        group = program()
        defaults = default_map(group.commands)
        code = int(group(args, prog_name="livemood", standalone_mode=False, default_map=defaults) or 0)
    except typer.TyperException as error:
        _print_line(f"{usage_line(error)} (see --help)")
        return int(error.exit_code)
    except LivemoodError as error:
        if debugging():
            raise
        _print_line(error.line(option_name))
        return 1
    except BrokenPipeError:  # the reader of stdout closed the pipe
        sys.stderr.close()
        return 1
    except OSError as error:  # not handled elsewhere, such as a file name that is too long
        if debugging():
            raise
        _print_line(system_error_line(error, "the system"))
        return 1
    except ImportError as error:
        failed = import_failed(error)
        if debugging() or failed is None:
            raise
        _print_line(failed.line(option_name))
        return 1
    except OutputClosed:
        return 0
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        _print_line(f"interrupted; {_kept()}")
    return code


def _kept() -> str:
    made = [str(path) for path in written()]
    if not made:
        return "nothing was written"
    if len(made) > _LISTED:
        return f"kept: {len(made)} files, the last of them {made[-1]}"
    return f"kept: {', '.join(made)}"


def _print_line(message: str) -> None:
    tell(" ".join(message.split()))


def _show_note(message: Warning | str, *_: object, **__: object) -> None:
    note(" ".join(str(message).split()))

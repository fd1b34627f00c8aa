"""The commands. The only place that prints errors and sets exit codes: 0 fine, 1 ours, 2 usage, 130 interrupted."""

import gc
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

import typer

from livemood import __version__
from livemood.cli import (
    batch,
    bench,
    camera,
    crop,
    doctor,
    evaluate,
    export,
    image,
    markers,
    models,
    report,
    train,
    undo,
    video,
    web,
)
from livemood.cli.options import option_name, with_settings
from livemood.cli.terminal import plain
from livemood.core.errors import LivemoodError
from livemood.runtime.native_output import debugging, discard_native_stderr, silence_native_logs
from livemood.runtime.stopping import handle_signals

_INTERRUPTED = 130
_SELDOM = 10_000

app = typer.Typer(
    name="livemood",
    help="Reads emotion from faces, live: on a camera, in videos, in photos.\n\n"
    "Labels say what an expression looks like, not what someone feels. Nothing leaves this computer.",
    epilog="Start with: livemood camera",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("video")(with_settings(video.video))
app.command("camera")(with_settings(camera.camera))
app.command("cameras")(doctor.cameras)
app.command("doctor")(doctor.doctor)
app.command("bench")(with_settings(bench.bench))
app.command("image")(with_settings(image.image))
app.command("batch")(with_settings(batch.batch))
app.command("undo")(undo.undo)
app.command("report")(report.report)
app.command("markers")(markers.markers)
app.command("crop")(with_settings(crop.crop))
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("export")(export.export)
app.command("models")(models.models)
app.command("web")(with_settings(web.web))


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"livemood {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None: ...


def main() -> NoReturn:
    """Run the command line and exit."""
    # Cyclic garbage collection over everything that a command imports took a sixth of its start and end.
    gc.set_threshold(_SELDOM)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files that are no UTF-8, byte for byte
    silence_native_logs()
    discard_native_stderr()
    # Each part of the pipeline has a thread; OpenCV's own threads would compete with them (docs/speed.md).
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
    handle_signals()
    warnings.showwarning = _show_note
    if not debugging():
        warnings.filterwarnings("ignore")
        warnings.filterwarnings("always", module=r"livemood(\.|$)")
    code = run()
    gc.freeze()  # the process ends: no last collection
    sys.exit(code)


def run(words: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    Args:
        words: What follows ``livemood``; those of this process by default.
    """
    try:
        code = int(app(words, standalone_mode=False) or 0)
    except typer.TyperException as error:
        _say(f"{error.format_message()} (see --help)")
        return int(error.exit_code)
    except LivemoodError as error:
        if debugging():
            raise
        _say(error.line(option_name))
        return 1
    except BrokenPipeError:  # the reader of stdout closed the pipe
        sys.stderr.close()
        return 1
    except OSError as error:  # what no adapter foresaw, such as a name too long for any file
        if debugging():
            raise
        _say(f"{error.filename or 'the system'}: {error.strerror or error}; try another file or place")
        return 1
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        _say("interrupted; what was written so far is good")
    return code


def _say(message: str) -> None:
    print(f"livemood: {plain(' '.join(message.split()))}", file=sys.stderr)


def _show_note(message: Warning | str, *_: object, **__: object) -> None:
    _say(f"note: {message}")

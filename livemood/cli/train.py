"""``livemood train``: make an emotion model from labelled faces."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livemood.cli.command_lines import train_command
from livemood.cli.data_options import Class, FindFaces, GroupBy, Heads, Votes, class_names
from livemood.cli.options import Changes, Force, option_name, refuse_idle
from livemood.cli.terminal import INTERRUPTED, plain, tell
from livemood.cli.training import Display
from livemood.core.durations import parse_duration
from livemood.core.errors import LivemoodError
from livemood.training.settings import TrainSettings, is_learning_rate, usual

if TYPE_CHECKING:
    from livemood.training.loop.checkpoint import Run


_USUAL, _FINE_TUNING = usual(fine_tuning=False), usual(fine_tuning=True)
_ENDS = {
    "early stop": "no further improvement; the weights of epoch {epoch} are kept",
    "loss not a number": "the loss is no longer a number; the weights of epoch {epoch} are kept; "
    "--resume with a lower --learning-rate continues it",
}
_NO_EPOCH = "interrupted before the first epoch ended: no bundle to keep; --resume trains on the faces already cut"


def _budget(text: str) -> float:
    """Parse a time budget; 0 is refused, because it would mean no limit."""
    with suppress(ValueError):
        if (total := parse_duration(text)) > 0:
            return total
    message = f"{text!r} is not a time to train for; write 45m, 2h or 1h30m"
    raise typer.BadParameter(message, param_hint="--time-budget")


def _learning_rate(value: float | None) -> float | None:
    if value is not None and not is_learning_rate(value):
        raise typer.BadParameter(
            f"{value:g} is not a learning rate; give one above 0, such as {_USUAL.learning_rate:g}"
        )
    return value


_WORDS = {
    "epochs": {"show_default": f"{_USUAL.epochs}; {_FINE_TUNING.epochs} with --from"},
    "time_budget_s": {"parser": _budget},
    "learning_rate": {
        "show_default": f"{_USUAL.learning_rate}; {_FINE_TUNING.learning_rate} with --from",
        "callback": _learning_rate,
    },
}


def train(
    context: typer.Context,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Labelled pictures: a folder or zip with one folder per class, a table of files and labels, or labels "
            "in the files' names; a FER+ folder or zip; a fer2013.csv.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Bundle folder to write.")],
    votes: Votes = None,
    heads: Heads = None,
    find_faces: FindFaces = False,
    group_by: GroupBy = None,
    class_: Class = None,
    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="BUNDLE|RUN",
            help="Fine-tune this bundle ('default' is the one that is shipped), or continue from the mean of other "
            "runs' weights (their OUT.work); repeatable.",
        ),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            "--teacher", metavar="BUNDLE|RUN", help="Distil from this bundle or run (its OUT.work); repeatable."
        ),
    ] = None,
    overrides: Annotated[Mapping[str, Any], Changes(TrainSettings, _WORDS)],
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", metavar="DIR", help="Write TensorBoard logs.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in OUT.work.")] = False,
    force: Force = False,
) -> None:
    """Train an emotion model on labelled faces and write it as a bundle, for --model of the other commands.

    Every epoch is checkpointed in OUT.work; Ctrl-C keeps the best weights so far and writes the bundle, if an epoch
    has ended.

    Examples:
      livemood train faces/ --out models/mine --from default
      livemood train ferplus.zip --out models/mine --time-budget 2h
      livemood train ferplus.zip --out models/mine --resume
    """
    from livemood.bundles.manifest import named_bundle
    from livemood.cli.figures import manifest_table, print_table
    from livemood.datasets.open import DataSource
    from livemood.runtime.optional_deps import need, need_keras
    from livemood.training.loop.checkpoint import JOB, has_checkpoint
    from livemood.training.run import Job
    from livemood.training.run import train as run

    need_keras(to_train=True)
    need("scipy")
    base = tuple(map(named_bundle, from_ or ()))
    if base and not all(map(has_checkpoint, base)):
        refuse_idle(context, ["precision"], "a bundle is fine-tuned in float32; leave it out")
        overrides = {name: value for name, value in overrides.items() if name != "precision"}
    if not teacher:
        refuse_idle(context, ["distil_weight"], "there is no teacher; add --teacher, or leave this out")
    job = Job(
        describe=train_command,
        data=DataSource(data, votes, heads, find_faces, group_by, class_names(class_)),
        out=out,
        base=base,
        teachers=tuple(map(named_bundle, teacher or ())),
        overrides=overrides,
    )
    try:
        with Display(tensorboard, find_faces) as display:
            metrics, ended = run(job, resume, force, display.watcher())
    except KeyboardInterrupt:
        if (job.work / JOB).exists() and not has_checkpoint(job.work):
            tell(_NO_EPOCH)
        raise
    if ended.ended in _ENDS:
        tell(_ENDS[ended.ended].format(epoch=ended.best_epoch))
    _write_curves(job.work / "learning.png", ended)
    print_table(manifest_table(metrics))
    print(f"bundle: {plain(out)}, of epoch {ended.best_epoch}")
    if ended.ended == "interrupted":
        raise typer.Exit(INTERRUPTED)


def _write_curves(file: Path, run: "Run") -> None:
    from livemood.reporting import plots

    try:
        plots.learning_curves([asdict(line) for line in run.history], file)
    except LivemoodError as error:
        tell(error.line(option_name))
    else:
        print(f"learning curves: {plain(file)}")

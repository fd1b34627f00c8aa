"""``livemood train``: make an emotion model from labelled faces."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Preset(StrEnum):
    """Sizes of network."""

    small = "small"
    default = "default"
    large = "large"


def _seconds(text: str) -> float:
    """Parse a time such as 90, 45s, 30m, 2h or 1h30m into seconds."""
    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip())
    if not match or not text.strip():
        raise typer.BadParameter(f"{text!r} is not a time; write 45m, 2h or 1h30m", param_hint="--time-budget")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def train(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="FER+ folder or zip, or a folder with one folder per class.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Bundle folder to write.")],
    preset: Annotated[Preset, typer.Option("--preset", help="Size of the network.")] = Preset.default,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the training pictures.")] = 80,
    time_budget: Annotated[
        str | None, typer.Option("--time-budget", help="End after this time, such as 45m or 2h, whatever --epochs says.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of initial weights, order and augmentation.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that OUT.work holds.")] = False,
) -> None:
    """Train an emotion model on cropped faces and write it as a bundle.

    Every epoch is checkpointed in OUT.work; Ctrl-C keeps the best weights so far and writes the bundle.

    [bold]Examples[/bold]

      livemood train ferplus.zip --out models/mine --time-budget 2h

      livemood train faces/ --out models/mine --preset small --epochs 40   (faces/happy/*.png, faces/sad/*.png)

      livemood train ferplus.zip --out models/mine --resume
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from livemood.training.fit import Epoch, Step, TrainSettings
    from livemood.training.run import Watcher, train as run

    budget = _seconds(time_budget) if time_budget else None
    settings = TrainSettings(preset=preset.value, epochs=epochs, time_budget_s=budget, seed=seed)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[say]}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("cutting faces", total=None, say="")

        def on_crop(done: int, total: int) -> None:
            progress.update(task, total=total, completed=done, say=f"{done} of {total}")

        def on_step(step: Step) -> None:
            say = f"loss {step.loss:.3f}, {step.images_per_s:.0f} images/s"
            progress.update(task, description=f"epoch {step.epoch}", total=1.0, completed=step.fraction, say=say)

        def on_epoch(epoch: Epoch) -> None:
            progress.console.print(
                f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, valid nll {epoch.valid_nll:.4f}, "
                f"valid accuracy {epoch.valid_accuracy:.2%}"
            )

        metrics = run(data, out, settings, resume, Watcher(on_crop, on_step, on_epoch))
    for name, value in metrics.items():
        print(f"{name}: {value}")
    print(f"bundle: {out}")

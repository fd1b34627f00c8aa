"""What ``livemood train`` shows while it runs."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from livemood.datasets.dataset import Dataset
    from livemood.training.loop.checkpoint import Epoch, Step
    from livemood.training.run import Watcher

_LISTED = 5


class Display:
    """A progress bar with loss, speed and the time left, and a line per epoch, on stderr.

    Args:
        tensorboard: Folder for logs, or None.
    """

    def __init__(self, tensorboard: Path | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[say]}"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task = self._progress.add_task("cutting faces", total=None, say="", visible=False)
        self._stack = ExitStack()
        self._board = None
        if tensorboard:
            from livemood.training.loop.tensorboard import Board

            self._board = self._stack.enter_context(Board(tensorboard))

    def __enter__(self) -> Self:
        self._stack.enter_context(self._progress)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def watcher(self) -> "Watcher":
        """Return what a run reports to."""
        from livemood.training.run import Watcher

        return Watcher(self._on_crop, self._on_data, self._on_step, self._on_epoch)

    def _on_crop(self, done: int, total: int) -> None:
        self._progress.update(self._task, total=total, completed=done, visible=True, say=f"{done} of {total}")

    def _on_data(self, data: "Dataset") -> None:
        pictures = ", ".join(f"{len(split)} {name}" for name, split in data.splits.items())
        self._say(f"{', '.join(data.labels)}: {pictures} pictures; a face found in {data.faces_found:.1%}")
        if data.copies_removed:
            self._say(f"{data.copies_removed} training pictures left out: valid or test holds the same")
        if data.near_copies:
            self._say(f"{len(data.near_copies)} near-copies across splits, such as {' and '.join(data.near_copies[0])}")
        if data.skipped:
            self._say(f"{len(data.skipped)} files skipped:")
            for line in data.skipped[:_LISTED]:
                self._say(f"  {line}")
            if len(data.skipped) > _LISTED:
                self._say(f"  and {len(data.skipped) - _LISTED} more, listed in OUT.work/skipped.txt")

    def _on_step(self, step: "Step") -> None:
        say = f"loss {step.loss:.3f}, {step.images_per_s:.0f} images/s"
        self._progress.update(
            self._task, description=f"epoch {step.epoch}", total=1.0, completed=step.fraction, visible=True, say=say
        )

    def _on_epoch(self, epoch: "Epoch") -> None:
        self._say(
            f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, valid nll {epoch.valid_nll:.4f}, "
            f"valid accuracy {epoch.valid_accuracy:.2%}"
        )
        if self._board:
            self._board.write(epoch)

    def _say(self, line: str) -> None:
        self._progress.console.print(line, highlight=False, markup=False, soft_wrap=True)

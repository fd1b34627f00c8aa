"""What ``livemood train`` shows while it runs."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from livemood.cli.terminal import plain
from livemood.core.counts import counted
from livemood.reporting.tables import clock

if TYPE_CHECKING:
    from rich.table import Table

    from livemood.datasets.dataset import Dataset
    from livemood.training.loop.checkpoint import Epoch, Step
    from livemood.training.run import Watcher

_LISTED = 5
# Medians: FER2013's crops 0.82, those of livemood crop 0.85; whole photos of GENKI-4K 0.56, of London 0.38.
_PHOTO_SHARE = 0.65


def notes(data: "Dataset", find_faces: bool) -> list[str]:
    """Return notes for the user on the data set."""
    lines = list(data.notes)
    for name, absent in data.lacking.items():
        lines.append(f"no picture of {', '.join(absent)} in {name}, so it is not learnt or measured there")
    if data.grouped:
        lines.append(
            f"{data.grouped} pictures are near-copies, frames of a sequence or otherwise belong together: each of "
            "these groups stays in one split"
        )
    if data.near_copies:
        lines.append(
            f"{counted(len(data.near_copies), 'near-copy', 'near-copies')} across the splits that the data gives, "
            f"such as {' and '.join(data.near_copies[0])}; figures are also given without them"
        )
    if not find_faces and 0 < data.face_share < _PHOTO_SHARE:
        lines.append(
            f"a face takes {data.face_share:.0%} of these pictures' side (median): they look like whole photos; "
            "use --find-faces to cut the faces out"
        )
    return lines


def _note_on_test(data: "Dataset") -> tuple[str, ...]:
    """Return a note for a run whose figures will be those of valid, because there is no picture in test."""
    if len(data.splits["test"]):
        return ()
    return (
        "no picture in test: the figures will be those of valid, on which the epoch and the calibration are chosen, so "
        "they will be too good",
    )


def _counts(data: "Dataset") -> "Table":
    """Return a table of how many pictures each split has of each class."""
    from rich.table import Table
    from rich.text import Text

    table = Table("class", *data.splits, box=None, pad_edge=False)
    for place, label in enumerate(data.labels):
        counts = [str(int((split.top_vote == place).sum())) for split in data.splits.values()]
        table.add_row(Text(plain(label)), *counts)
    return table


class Display:
    """A progress bar with loss, speed and the time left, and a line per epoch, on stderr.

    Args:
        tensorboard: Folder for logs, or None.
        find_faces: Faces are cut out of whole photos.
    """

    def __init__(self, tensorboard: Path | None, find_faces: bool) -> None:
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
        self._find_faces = find_faces
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
        """Return the callbacks for a run."""
        from livemood.training.run import Watcher

        return Watcher(self._on_crop, self._on_data, self._on_budget, self._on_step, self._on_epoch)

    def _on_crop(self, done: int, total: int) -> None:
        self._progress.update(self._task, total=total, completed=done, visible=True, say=f"{done} of {total}")

    def _on_data(self, data: "Dataset") -> None:
        pictures = ", ".join(f"{len(split)} {name}" for name, split in data.splits.items())
        self._print_line(f"{', '.join(data.labels)}: {pictures} pictures; a face found in {data.faces_found:.1%}")
        self._progress.console.print(_counts(data))
        if data.copies_removed:
            copied = counted(data.copies_removed, "training picture")
            self._print_line(f"{copied} left out, because valid or test has the same")
        for line in (*notes(data, self._find_faces), *_note_on_test(data)):
            self._print_line(line)
        if data.skipped:
            self._print_line(f"{counted(len(data.skipped), 'file')} skipped:")
            for line in data.skipped[:_LISTED]:
                self._print_line(f"  {line}")
            if len(data.skipped) > _LISTED:
                self._print_line(f"  and {len(data.skipped) - _LISTED} more, listed in OUT.work/skipped.txt")

    def _on_budget(self, left_s: float) -> None:
        self._print_line(f"training ends after {clock(left_s, 0)}; measuring and converting the model come after")

    def _on_step(self, step: "Step") -> None:
        say = f"loss {step.loss:.3f}, {step.images_per_s:.0f} images/s"
        self._progress.update(
            self._task, description=f"epoch {step.epoch}", total=1.0, completed=step.fraction, visible=True, say=say
        )

    def _on_epoch(self, epoch: "Epoch") -> None:
        self._print_line(
            f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, valid nll {epoch.valid_nll:.4f}, "
            f"valid accuracy {epoch.valid_accuracy:.2%}"
        )
        if self._board:
            self._board.write(epoch)

    def _print_line(self, line: str) -> None:
        self._progress.console.print(plain(line), highlight=False, markup=False, soft_wrap=True)

"""Progress bars on stderr: one for each video at work, and one for all when there are many."""

import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import TaskID


class Bars:
    """Frames per second and the time left; silent where stderr is no terminal.

    Args:
        videos: How many there are in all.
    """

    def __init__(self, videos: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._overall = self._progress.add_task("all videos", total=videos, speed="") if videos > 1 else None
        self._tasks: dict[Path, TaskID] = {}

    def begin(self, source: Path, frames: int | None) -> None:
        """Show a bar for a video."""
        self._tasks[source] = self._progress.add_task(source.name, total=frames, speed="")

    def advance(self, source: Path, frames: int = 1) -> None:
        """Move a video's bar."""
        task = next(task for task in self._progress.tasks if task.id == self._tasks[source])
        fps = f"{task.speed:.0f} fps" if task.speed else ""
        self._progress.update(task.id, advance=frames, speed=fps)

    def end(self, source: Path) -> None:
        """Take a video's bar away and move the overall one."""
        if source in self._tasks:
            self._progress.remove_task(self._tasks.pop(source))
        if self._overall is not None:
            self._progress.advance(self._overall)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

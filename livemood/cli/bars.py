"""Progress bars on stderr: one for each video in progress, and one for all if there are many."""

import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from livemood.cli.terminal import plain

if TYPE_CHECKING:
    from rich.progress import TaskID


def progress_bars(videos: int) -> "Bars":
    """Return progress bars for ``videos`` videos; silent ones, without importing rich, if stderr is not a terminal."""
    return _Drawn(videos) if sys.stderr.isatty() else Bars()


def counting_bar(total: int, unit: str) -> "Count":
    """Return one bar for ``total`` items, with items per second and the time left; silent without a terminal."""
    return _DrawnCount(total, unit) if sys.stderr.isatty() else Count()


class Count:
    """Accepts progress and shows nothing; a context manager."""

    def expect(self, total: int) -> None:
        """``total`` items are expected, instead of those at the start."""

    def advance(self, count: int, failed: int = 0) -> None:
        """``count`` more items are done, of which ``failed`` failed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _DrawnCount(Count):
    def __init__(self, total: int, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._unit, self._failed = unit, 0
        self._task = self._progress.add_task(unit, total=total, rate="")

    def expect(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def advance(self, count: int, failed: int = 0) -> None:
        self._failed += failed
        speed = self._progress.tasks[0].speed
        rate = f"{speed:.1f} {self._unit}/s" if speed else ""
        self._progress.update(
            self._task, advance=count, rate=f"{rate}  {self._failed} failed" if self._failed else rate
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class Bars:
    """Accepts progress of videos and shows nothing; a context manager."""

    def begin(self, source: Path, frames: int | None) -> None:
        """A video was opened; ``frames`` is its expected number of frames, None if unknown."""

    def advance(self, source: Path, frames: int = 1) -> None:
        """``frames`` more frames of a video are done."""

    def end(self, source: Path) -> None:
        """A video is done."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _Drawn(Bars):
    """A bar with frames per second and the time left for each video in progress, and one for all if there are many."""

    def __init__(self, videos: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
        from rich.text import Text

        class Speed(TextColumn):
            """Frames per second, computed only when bars are drawn: for every frame it would take as long as a crop."""

            def render(self, task: Task) -> Text:
                return super().render(task) if task.speed and task.fields["unit"] else Text()

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            Speed("{task.speed:.0f} {task.fields[unit]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._overall = self._progress.add_task("all videos", total=videos, unit="") if videos > 1 else None
        self._tasks: dict[Path, TaskID] = {}
        self._ended: set[Path] = set()

    def begin(self, source: Path, frames: int | None) -> None:
        if source in self._tasks:  # a job that is retried
            self._progress.remove_task(self._tasks.pop(source))
        if source not in self._ended:  # a worker's progress may arrive after its outcome
            self._tasks[source] = self._progress.add_task(plain(source.name), total=frames, unit="fps")

    def advance(self, source: Path, frames: int = 1) -> None:
        if source in self._tasks:
            self._progress.advance(self._tasks[source], frames)

    def end(self, source: Path) -> None:
        self._ended.add(source)
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

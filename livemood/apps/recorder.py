"""Records a live run: labelled video, other sinks and snapshots, written in a separate thread."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from livemood.core.settings import DrawStyle
from livemood.core.types import Frame, Image, Mood
from livemood.runtime.queues import WriteBehind
from livemood.sinks.base import Sink

Draw = Callable[[Frame, Sequence[Mood], DrawStyle], Image]


class Recorder:
    """Writes frames with their moods to all sinks; a video can be started and stopped at any time.

    Pictures are annotated but not mirrored and without the status line. Leaving the context finishes every file, also
    after an error.

    Args:
        draw: Annotates a frame.
        open_video: Opens a video file for frames of the run's size.
        sinks: Further sinks for every frame and event.

    Attributes:
        files: Videos with at least one frame, and snapshots, in order.
        warnings: One line for each irregularity; complete when the context was left.
    """

    def __init__(self, draw: Draw, open_video: Callable[[Path], Sink], sinks: Sequence[Sink] = ()) -> None:
        self._draw = draw
        self._open_video = open_video
        self._sinks = sinks
        self._video: tuple[Path, Sink] | None = None
        self._events = 0
        self._unfinished: list[Sink] = []
        self._writing = ExitStack()
        self.files: list[Path] = []
        self.warnings: list[str] = []

    @property
    def recording(self) -> bool:
        """Whether a video is being written."""
        return self._video is not None

    def start(self, path: Path | None = None) -> Path:
        """Start a video at the next frame and return its path.

        Args:
            path: The file; by default named after the time, in the current folder.

        Raises:
            SinkError: It cannot be written.
        """
        path = path or _named_now("mp4")
        video = self._open_video(path)
        self._unfinished.append(video)
        self._video = path, video
        return path

    def stop(self) -> None:
        """Finish the video, if there is one.

        Raises:
            SinkError: An earlier frame could not be written.
        """
        stopped, self._video = self._video, None
        if stopped is not None:
            self._jobs.put(partial(self._finish, stopped[1]))

    def put(self, frame: Frame, moods: Sequence[Mood], style: DrawStyle) -> None:
        """Queue one frame; blocks while the queue is full.

        Raises:
            SinkError: An earlier frame could not be written.
        """
        into = self._video
        if into is not None or self._sinks:
            self._jobs.put(lambda: self._write(frame, moods, style, into))

    def mark(self, frame: Frame, name: str = "") -> int | None:
        """Record an event at a frame and return its number, from 1; None if no sink would record it.

        Raises:
            SinkError: An earlier frame could not be written.
        """
        takers = [sink for sink in self._sinks if sink.takes_events]
        if not takers:
            return None
        self._events += 1
        for sink in takers:
            self._jobs.put(partial(sink.mark, frame, self._events, name))
        return self._events

    def snapshot(self, frame: Frame, moods: Sequence[Mood], style: DrawStyle) -> Path:
        """Write one annotated picture into the current folder and return its path.

        Raises:
            SinkError: It cannot be written.
        """
        from livemood.sinks.image import write_image

        path = _named_now("png")
        write_image(path, self._draw(frame, moods, style))
        self.files.append(path)
        return path

    def __enter__(self) -> Self:
        self._jobs: WriteBehind[Callable[[], None]] = self._writing.enter_context(WriteBehind(lambda job: job()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as stack:
            stack.callback(self._finish_all)  # last, and also after an error: recordings are kept
            self._writing.__exit__(kind, error, trace)

    def _finish_all(self) -> None:
        with ExitStack() as stack:
            for video in reversed(self._unfinished):
                stack.callback(self._finish, video)

    def _finish(self, video: Sink) -> None:
        """Finish a video and let go of it, because its encoder keeps memory and threads until then."""
        self._unfinished.remove(video)
        try:
            video.close()
        finally:
            self.warnings += video.warnings

    def _write(self, frame: Frame, moods: Sequence[Mood], style: DrawStyle, into: tuple[Path, Sink] | None) -> None:
        drawn = into is not None or any(sink.needs_image for sink in self._sinks)
        image = self._draw(frame, moods, style) if drawn else None
        for sink in self._sinks:
            sink.write(frame, moods, image)
        if into is not None:
            path, video = into
            video.write(frame, moods, image)
            if path not in self.files:
                self.files.append(path)


def _named_now(suffix: str) -> Path:
    """Return an unused path in the current folder that is named after the time."""
    stem = f"livemood-{datetime.now():%Y%m%d-%H%M%S}"
    names = (f"{stem}{f'-{count}' if count else ''}.{suffix}" for count in range(1000))
    return next(path for name in names if not (path := Path(name)).exists())

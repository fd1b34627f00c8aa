"""Keep a live run: labelled video, virtual camera, records and snapshots, written in a thread of their own."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from livemood.app import FrameSink, MoodSink
from livemood.draw import Annotator, DrawStyle
from livemood.runtime.queues import WriteBehind
from livemood.values import Frame, Mood


class VideoFile(FrameSink, Protocol):
    """A video being written.

    Attributes:
        warnings: One line for everything that could not be kept as it is.
    """

    warnings: list[str]

    def close(self) -> None:
        """Finish it."""
        ...


class MarkedSink(MoodSink, Protocol):
    """Takes moods, and events that someone marks."""

    def mark(self, frame: Frame, event: int) -> None:
        """Take an event of the frame at hand."""
        ...


class Recorder:
    """Writes frames with their moods to whatever is open; a video can be started and stopped at any time.

    Pictures are kept as the camera saw them: not mirrored, without the status line. Leaving the context finishes every
    file, whatever the reason.

    Args:
        labels: The model's, in order.
        open_video: Opens a video file for frames of the run's size.
        pictures: Takers of every annotated picture, such as a virtual camera.
        records: Takers of every frame's moods and of events.

    Attributes:
        files: Videos of which a frame was written, and snapshots, in order.
        warnings: One line for everything that was not as it should be; complete when the context was left.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        open_video: Callable[[Path], VideoFile],
        pictures: Sequence[FrameSink] = (),
        records: Sequence[MarkedSink] = (),
    ) -> None:
        self._labels = labels
        self._open_video = open_video
        self._pictures = pictures
        self._records = records
        self._video: tuple[Path, VideoFile] | None = None
        self._events = 0
        self._opened = ExitStack()
        self._writing = ExitStack()
        self.files: list[Path] = []
        self.warnings: list[str] = []

    @property
    def recording(self) -> bool:
        """Whether a video is being written."""
        return self._video is not None

    def start(self, path: Path | None = None) -> Path:
        """Begin a video at the next frame and return its path; named after the time, in the current folder.

        Raises:
            SinkError: It cannot be written.
        """
        path = path or _named_now("mp4")
        video = self._open_video(path)
        self._opened.callback(self._finish, video)
        self._video = path, video
        return path

    def stop(self) -> None:
        """Finish the video, if there is one."""
        stopped, self._video = self._video, None
        if stopped is not None:
            self._jobs.put(stopped[1].close)

    def put(self, frame: Frame, moods: Sequence[Mood], style: DrawStyle) -> None:
        """Keep one frame; waits while writing is behind.

        Raises:
            SinkError: An earlier frame could not be written.
        """
        into = self._video
        if into is not None or self._pictures or self._records:
            self._jobs.put(lambda: self._write(frame, moods, style, into))

    def mark(self, frame: Frame) -> int | None:
        """Keep an event of the frame at hand and return its number; None where there are no records to keep it in."""
        if not self._records:
            return None
        self._events += 1
        for sink in self._records:
            self._jobs.put(partial(sink.mark, frame, self._events))
        return self._events

    def snapshot(self, frame: Frame, moods: Sequence[Mood], style: DrawStyle) -> Path:
        """Write one annotated picture into the current folder and return its path.

        Raises:
            SinkError: It cannot be written.
        """
        from livemood.sink.image import write_image

        path = _named_now("png")
        write_image(path, Annotator(self._labels, style).draw(frame, moods))
        self.files.append(path)
        return path

    def __enter__(self) -> Self:
        self._jobs: WriteBehind[Callable[[], None]] = self._writing.enter_context(WriteBehind(lambda job: job()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._opened:  # closed last and whatever happened: what was recorded is to stay
            self._writing.__exit__(kind, error, trace)

    def _finish(self, video: VideoFile) -> None:
        video.close()
        self.warnings += video.warnings

    def _write(
        self, frame: Frame, moods: Sequence[Mood], style: DrawStyle, into: tuple[Path, VideoFile] | None
    ) -> None:
        for sink in self._records:
            sink.write(frame, moods)
        if into is None and not self._pictures:
            return
        image = Annotator(self._labels, style).draw(frame, moods)
        for taker in self._pictures:
            taker.write(frame, image)
        if into is not None:
            path, video = into
            video.write(frame, image)
            if path not in self.files:
                self.files.append(path)


def _named_now(suffix: str) -> Path:
    """Return a path in the current folder that is named after the time and is free."""
    stem = f"livemood-{datetime.now():%Y%m%d-%H%M%S}"
    names = (f"{stem}{f'-{count}' if count else ''}.{suffix}" for count in range(1000))
    return next(path for name in names if not (path := Path(name)).exists())

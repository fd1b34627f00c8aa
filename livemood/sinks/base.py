"""The protocol of a sink for frames and their moods."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from livemood.core.labels import EMOTION
from livemood.core.settings import EncodingSettings
from livemood.core.types import Frame, Image, Mood
from livemood.core.video_info import VideoInfo
from livemood.records.origin import Origin


class Sink(Protocol):
    """Receives every frame of a run, in order; a context manager that closes itself.

    Implementations subclass it and inherit the defaults; ``write`` and ``close`` are theirs to define.

    Attributes:
        needs_image: Whether ``write`` needs the annotated picture.
        takes_events: Whether ``mark`` does something.
        warnings: One line for each thing that could not be preserved; complete after ``close``.
    """

    needs_image: bool = False
    takes_events: bool = False
    warnings: Sequence[str] = ()

    @abstractmethod
    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Take one frame.

        Args:
            frame: The frame; later than the one before.
            moods: Of its faces, largest first.
            image: (H, W, 3) uint8 BGR, annotated; None unless ``needs_image``.

        Raises:
            SinkError: It could not be written.
        """
        ...

    def mark(self, frame: Frame, event: int, name: str = "") -> None:
        """Take an event that was marked at a frame; ignored unless ``takes_events``.

        Args:
            frame: The frame on display.
            event: Its number, from 1.
            name: Name given by the program that marked it; empty if a person did.
        """
        return

    @abstractmethod
    def close(self) -> None:
        """Finish the output; a second call does nothing.

        Raises:
            SinkError: The output could not be finished.
        """
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class SinkContext:
    """Properties of a run that its sinks need.

    Attributes:
        heads: Labels by head, in the order of the model; the first is ``emotion``.
        info: Size and times of the frames to come, and the file that they come from, if any.
        live: Whether frames come in real time; if so, rows that were written must survive a killed process.
        force: Replace files that are there.
        faceless_rows: Write a row for a frame without faces too.
        encoding: Of a labelled video.
        origin: Who makes the records, and of what; None to leave it out of them.
    """

    heads: Mapping[str, tuple[str, ...]]
    info: VideoInfo
    live: bool = False
    force: bool = False
    faceless_rows: bool = False
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    origin: Origin | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions."""
        return self.heads[EMOTION]

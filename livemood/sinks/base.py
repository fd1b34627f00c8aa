"""What every sink is: a taker of frames with their moods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from livemood.core.settings import EncodingSettings
from livemood.core.types import Frame, Image, Mood
from livemood.core.video_info import VideoInfo


class Sink(Protocol):
    """Takes every frame of a run, in order; a context manager that is closed at its end.

    Subclass it: what a sink has no use for is then there already.

    Attributes:
        needs_image: Whether ``write`` wants the annotated picture.
        warnings: One line for everything that could not be kept as it is; complete after ``close``.
    """

    needs_image: bool = False
    warnings: Sequence[str] = ()

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Take one frame.

        Args:
            frame: The frame; later than the one before.
            moods: Of its faces, largest first.
            image: (H, W, 3) uint8 BGR, annotated; only where ``needs_image`` asks for it.

        Raises:
            SinkError: It could not be written.
        """
        ...

    def mark(self, frame: Frame, event: int, name: str = "") -> None:
        """Take an event that was marked at a frame; most sinks have no use for it.

        Args:
            frame: Where it was marked.
            event: Its number, from 1.
            name: What the program that marked it calls it; empty where a person did.
        """
        return

    def close(self) -> None:
        """Finish; again does nothing.

        Raises:
            SinkError: What was taken could not be finished.
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
    """What a run tells the sinks that it opens.

    Attributes:
        heads: Labels by head, in the order of the model; the first is ``emotion``.
        info: Size and times of the frames to come, and the file that they come from, if any.
        live: Whether frames come by the clock: what was written must then survive a killed process.
        force: Replace files that are there.
        faceless_rows: Write a row for a frame without faces too.
        encoding: Of a labelled video.
    """

    heads: Mapping[str, tuple[str, ...]]
    info: VideoInfo
    live: bool = False
    force: bool = False
    faceless_rows: bool = False
    encoding: EncodingSettings = field(default_factory=EncodingSettings)

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions."""
        return self.heads["emotion"]

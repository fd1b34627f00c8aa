"""The protocol of a source of frames."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from livemood.core.types import Frame
from livemood.core.video_info import VideoInfo


class Source(Protocol):
    """Delivers frames of one size; a context manager that closes itself.

    Implementations subclass it and inherit the defaults; ``info``, ``frames`` and ``close`` are theirs to define.

    Attributes:
        name: For messages and titles, such as ``camera 0``.
        live: Whether frames come in real time; frames that are not taken in time are dropped.
        mirrored: Whether the window shows the picture mirrored by default.
        trouble: The current problem in a few words, such as ``no picture for more than 3 s``; empty if there is none.
            Any thread may read it.
        warnings: One line for each irregularity; complete when ``frames`` has ended.
    """

    name: str = "source"
    live: bool = False
    mirrored: bool = False
    warnings: Sequence[str] = ()

    @property
    @abstractmethod
    def info(self) -> VideoInfo:
        """Size, rate and times of the source."""
        ...

    @property
    def trouble(self) -> str:
        """The current problem; see above."""
        return ""

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; to be called once.

        Raises:
            SourceError: The source was lost or can no longer be read.
        """
        ...

    @abstractmethod
    def close(self) -> None:
        """End ``frames`` and free the file or device; a second call does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

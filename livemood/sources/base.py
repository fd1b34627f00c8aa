"""What every source is: a giver of frames."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from livemood.core.types import Frame
from livemood.core.video_info import VideoInfo


class Source(Protocol):
    """Delivers frames of one size; a context manager that is closed at its end.

    Subclass it: what a source has nothing to say about is then there already.

    Attributes:
        name: For messages and titles, such as ``camera 0``.
        live: Whether frames come by the clock, so that what is not taken in time is lost.
        mirrored: Whether people expect to see themselves as in a mirror.
        trouble: What is wrong right now, in a few words; empty when all is well. Any thread may ask.
        warnings: One line for everything that was not as it should be; complete when ``frames`` has ended.
    """

    name: str = "source"
    live: bool = False
    mirrored: bool = False
    warnings: Sequence[str] = ()

    @property
    def info(self) -> VideoInfo:
        """Size, rate and times, for whoever writes a copy."""
        ...

    @property
    def trouble(self) -> str:
        """What is wrong right now; see above."""
        return ""

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; to be called once.

        Raises:
            SourceError: The source was lost or cannot be read on.
        """
        ...

    def close(self) -> None:
        """End ``frames`` and free the file or device; again does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

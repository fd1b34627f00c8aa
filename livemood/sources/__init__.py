"""Where frames come from: a video file, a camera or stream, still images."""

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from livemood.core.types import Frame


class Source(Protocol):
    """Delivers frames of one size; a context manager that is closed at its end."""

    @property
    def live(self) -> bool:
        """Whether frames come by the clock, so that what is not taken in time is lost."""
        ...

    @property
    def width(self) -> int:
        """Width of every frame, px, upright."""
        ...

    @property
    def height(self) -> int:
        """Height of every frame, px, upright."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; to be called once."""
        ...

    def close(self) -> None:
        """Free the file or device; again does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

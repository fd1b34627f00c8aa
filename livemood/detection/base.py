"""What every face detector can do."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from livemood.core.geometry import Box
from livemood.core.types import Detection, Frame


class Detector(Protocol):
    """Whatever finds faces in a frame; a video's frames come from a thread of its own."""

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first."""
        ...

    def close(self) -> None:
        """Free what the detector holds."""
        ...


@runtime_checkable
class SupportsRoi(Protocol):
    """A detector for the frames of a source: it can look at a part of one, and search one at a bounded cost."""

    @property
    def follows(self) -> bool:
        """Whether looking at a part is worth while."""
        ...

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first."""
        ...

    def search(
        self, frame: Frame, known: Sequence[Box], fine: bool, turns: int = 0
    ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
        """Return the faces of a whole frame beside the known ones, and for each known one whether it may stay.

        ``fine`` looks for small faces too, ``turns`` at the frame turned clockwise by so many quarter turns.
        """
        ...

    def detect_in_roi(self, frame: Frame, window: Box, turns: int = 0) -> tuple[Detection, ...]:
        """Return the faces in a square window of a frame, which is turned clockwise by ``turns`` quarter turns."""
        ...

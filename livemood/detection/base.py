"""The protocols of face detectors."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from livemood.core.geometry import Box
from livemood.core.types import Detection, Frame


class Detector(Protocol):
    """Finds the faces of a frame. ``detect`` may be called from another thread than the one that made the detector."""

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first.

        Raises:
            FullSizeNeeded: The frame was decoded at a reduced size, and its faces need more detail.
        """
        ...

    def close(self) -> None:
        """Free the detector's resources."""
        ...


@runtime_checkable
class SupportsRoi(Protocol):
    """A detector that can also search a window of a frame, and a whole frame at a bounded cost."""

    @property
    def supports_roi(self) -> bool:
        """Whether searching a window is cheaper than searching the whole frame."""
        ...

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first."""
        ...

    def search(
        self, frame: Frame, known: Sequence[Box], fine: bool, turns: int = 0
    ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
        """Search a whole frame; see ``FaceDetector.search``.

        Args:
            frame: The frame.
            known: Boxes of the known faces, px of the frame.
            fine: Detect small faces too.
            turns: Number of clockwise quarter turns by which the frame is rotated for the search.

        Returns:
            The new faces, and for each known face whether to keep it.
        """
        ...

    def detect_in_roi(self, frame: Frame, window: Box, turns: int = 0) -> tuple[Detection, ...]:
        """Return the faces in a square window, px of the frame, rotated clockwise by ``turns`` quarter turns."""
        ...

"""The two BlazeFace networks behind one protocol, and detection in a window of a picture."""

from typing import Literal, Protocol

from livemood.bundles.shipped import face_model
from livemood.core.geometry import Box
from livemood.core.types import Detection, Image
from livemood.detection.blazeface import BlazeFace
from livemood.detection.mediapipe_runner import MediaPipeFace
from livemood.detection.roi import corner_and_side, crop_roi
from livemood.detection.transforms import moved, turned, turned_back

Range = Literal["near", "far"]


class FaceNetwork(Protocol):
    """Finds faces in pictures of any size."""

    @property
    def side(self) -> int:
        """Side of the square to which a window should be scaled, px."""
        ...

    def find(self, image: Image) -> tuple[Detection, ...]:
        """Return the faces of (H, W, 3) uint8 BGR in its pixels, highest score first."""
        ...

    def close(self) -> None:
        """Free the network."""
        ...


def open_network(which: Range, min_score: float) -> FaceNetwork:
    """Open a network with LiteRT, or with MediaPipe where LiteRT has no wheel for the platform.

    Args:
        which: The short-range (``near``) or the full-range network (``far``).
        min_score: Faces below this score (0..1) are dropped.

    Raises:
        ModelMissing: Its file is not there.
        ModelIncompatible: Its file is damaged or not a face detector.
    """
    file = face_model(which)
    try:
        return BlazeFace(file, min_score)
    except ImportError:
        return MediaPipeFace(file, min_score)


def find_in_window(network: FaceNetwork, image: Image, window: Box, turns: int = 0) -> tuple[Detection, ...]:
    """Return the faces in a window, which is scaled to the network's input, in px of the picture.

    Args:
        network: The network.
        image: (H, W, 3) uint8 BGR.
        window: Square, px of the image; may extend beyond it.
        turns: Number of clockwise quarter turns by which the window is rotated first.
    """
    part = turned(crop_roi(image, window, network.side), turns)
    left, top, side = corner_and_side(window)
    faces = (turned_back(face, turns, network.side, network.side) for face in network.find(part))
    return tuple(moved(face, left, top, side / network.side) for face in faces)

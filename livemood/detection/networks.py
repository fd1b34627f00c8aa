"""The two BlazeFace networks, whatever runs them, and how they look at a part of a picture."""

from typing import Literal, Protocol

from livemood.bundles.manifest import face_model
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
        """Side of the square windows that it sees best, px."""
        ...

    def find(self, image: Image) -> tuple[Detection, ...]:
        """Return the faces of (H, W, 3) uint8 BGR, in its pixels."""
        ...

    def close(self) -> None:
        """Free the network."""
        ...


def open_network(which: Range, min_score: float) -> FaceNetwork:
    """Return a network, run by LiteRT, or by MediaPipe where LiteRT has no wheel for the platform.

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
    """Return the faces in a part of a picture, which is brought to the network's own size.

    Args:
        network: Looks.
        image: (H, W, 3) uint8 BGR.
        window: Square part of it, px; may poke outside.
        turns: Turn the part clockwise by so many quarter turns first.
    """
    part = turned(crop_roi(image, window, network.side), turns)
    left, top, side = corner_and_side(window)
    faces = (turned_back(face, turns, network.side, network.side) for face in network.find(part))
    return tuple(moved(face, left, top, side / network.side) for face in faces)

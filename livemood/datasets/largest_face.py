"""The largest face of a photo, cropped for a model."""

from livemood.core.crop_spec import CropSpec
from livemood.core.types import FaceCrop, Frame, Image, Track
from livemood.detection.base import Detector
from livemood.emotion.crop import crop_track


def largest_face(image: Image, detector: Detector, spec: CropSpec) -> FaceCrop | None:
    """Return the crop of a photo's largest face, with its detection in px of the photo; None where none is found.

    Args:
        image: (H, W, 3) uint8 BGR.
        detector: Finds the faces.
        spec: How the face is cropped.
    """
    frame = Frame(0, 0.0, image)
    faces = detector.detect(frame)
    return crop_track(frame, Track(1, faces[0], 0.0), spec) if faces else None

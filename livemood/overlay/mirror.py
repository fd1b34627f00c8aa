"""Mirror a frame and its moods."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from livemood.core.geometry import Box
from livemood.core.types import Frame, Keypoint, Mood

# Keypoints are the person's own left and right: in a mirror the right eye is where a left eye would be seen.
_SWAPPED = [
    Keypoint.LEFT_EYE,
    Keypoint.RIGHT_EYE,
    Keypoint.NOSE_TIP,
    Keypoint.MOUTH,
    Keypoint.LEFT_EAR,
    Keypoint.RIGHT_EAR,
]


def mirrored(frame: Frame, moods: Sequence[Mood]) -> tuple[Frame, tuple[Mood, ...]]:
    """Return the mirrored frame, and the moods with mirrored boxes and keypoints."""
    image = np.asarray(cv2.flip(frame.image, 1), np.uint8)
    return Frame(frame.index, frame.time_s, image), tuple(_mirrored(mood, frame.width) for mood in moods)


def _mirrored(mood: Mood, width: int) -> Mood:
    face = mood.track.detection
    box = Box(width - face.box.right, face.box.top, width - face.box.left, face.box.bottom)
    points = (np.array([width, 0], np.float32) + face.keypoints * np.array([-1, 1], np.float32))[_SWAPPED]
    return replace(mood, track=replace(mood.track, detection=replace(face, box=box, keypoints=points)))

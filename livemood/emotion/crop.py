"""Crop an aligned face from a picture, with the same function in serving and in training.

All padding, resizing and colour conversion of faces happens here, so that a model gets the same pixels in both.
"""

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import CropSpec
from livemood.core.types import FaceCrop, Frame, Image, Keypoint, Track

_ALIGNED = (Keypoint.RIGHT_EYE, Keypoint.LEFT_EYE, Keypoint.NOSE_TIP, Keypoint.MOUTH)
MAX_SUPERSAMPLING: Final = 16
"""Largest number of samples per px of the crop, in each direction."""


def similarity(keypoints: npt.NDArray[np.float32], spec: CropSpec) -> npt.NDArray[np.float64]:
    """Fit the similarity (rotation, scale, shift) that maps a face's keypoints to the template.

    Least squares after S. Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", PAMI 1991; in two dimensions it has this closed form, which excludes reflections.

    Args:
        keypoints: (6, 2) float32, px of the picture.
        spec: The crop wanted.

    Returns:
        (2, 3) float64: picture px to crop px, both with the origin in the first pixel's centre.
    """
    # With points as complex numbers x + iy, rotation and scale are one factor.
    source = [complex(*keypoints[point]) for point in _ALIGNED]
    target = [complex(x, y) * spec.size_px - (0.5 + 0.5j) for x, y in spec.template]
    source_mean, target_mean = sum(source) / len(source), sum(target) / len(target)
    pairs = [(p - source_mean, q - target_mean) for p, q in zip(source, target, strict=True)]
    spread = max(sum(abs(p) ** 2 for p, _ in pairs), 1e-6)  # avoids division by zero if all keypoints coincide
    factor = sum(p.conjugate() * q for p, q in pairs) / spread
    shift = target_mean - factor * source_mean
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def crop_face(image: Image, keypoints: npt.NDArray[np.float32], spec: CropSpec) -> npt.NDArray[np.uint8]:
    """Crop a face so that its keypoints match the template.

    Border pixels are repeated beyond the picture's edge. A large face is sampled several times per crop pixel and
    averaged, because plain bilinear sampling keeps the noise of the sensor.

    Args:
        image: (H, W, 3) uint8 BGR.
        keypoints: (6, 2) float32, px of ``image``.
        spec: The crop wanted.

    Returns:
        (S, S, C) uint8; C is 1 for grey, 3 for BGR.
    """
    matrix = similarity(keypoints, spec)
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    # A scale slightly below 1 counts as 1: two samples per pixel would only blur the crop.
    samples = min(max(math.ceil(1 / max(scale, 1e-6) - 0.01), 1), MAX_SUPERSAMPLING)
    # Pixel centres: crop pixel u covers samples u*n .. u*n+n-1, whose centres are n*(u+0.5)-0.5.
    finer = matrix * samples
    finer[:, 2] += (samples - 1) / 2
    side = spec.size_px * samples
    warped = cv2.warpAffine(image, finer, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _finish(np.asarray(warped, np.uint8), spec)


def resize_crop(image: Image, spec: CropSpec) -> npt.NDArray[np.uint8]:
    """Resize a picture that already is a face crop.

    Args:
        image: (H, W, 3) uint8 BGR.
        spec: The crop wanted.

    Returns:
        (S, S, C) uint8.
    """
    return _finish(image, spec)


def crop_track(frame: Frame, track: Track, spec: CropSpec) -> FaceCrop:
    """Crop a track's face from its frame."""
    return FaceCrop(crop_face(frame.image, track.detection.keypoints, spec), track)


def _finish(image: npt.NDArray[np.uint8], spec: CropSpec) -> npt.NDArray[np.uint8]:
    side = spec.size_px
    if image.shape[:2] != (side, side):
        interpolation = cv2.INTER_AREA if min(image.shape[:2]) > side else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, (side, side), interpolation=interpolation), np.uint8)
    if spec.colour == "grey":
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    return image.reshape(spec.shape)

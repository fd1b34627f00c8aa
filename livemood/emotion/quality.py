"""How well a face can be read: FaceCrop -> Quality, from its keypoints and the crop's pixels."""

import math
from dataclasses import replace
from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from livemood.bundles.shipped import DoubtNetwork, doubt_model
from livemood.core.crop_spec import FER2013_TEMPLATE, CropSpec
from livemood.core.types import FaceCrop, Keypoint, Quality
from livemood.emotion.crop import similarity

REFERENCE_PX: Final = 48
"""Side to which crops are scaled before they are measured, px."""
NOSE_DISTANCE: Final = 1.5
"""Distance of the nose tip from the axis between the ears, in half ear distances."""
SHARPNESS_LEAST: Final = 1e-3
"""Added to the divisor and to the ratio of ``sharpness``, so that a flat crop has a sharpness too."""
NOISE_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Laplacian difference mask of ``noise``, (3, 3)."""
NOISE_OF_RESPONSE: Final = math.sqrt(math.pi / 2) / 6
"""Noise per mean absolute response to that mask."""
NOISE_STEADY: Final = 1.0
"""Added to the divisor of ``noise``, grey levels, so that it stays small in a crop of little contrast."""
NOISE_LEAST: Final = 0.01
"""Added to the ratio of ``noise``, so that a flat crop has a noise too."""
BLACK_TO: Final = 2
"""Grey levels up to this are black."""
WHITE_FROM: Final = 253
"""Grey levels from this on are white."""
NETWORK_SIDE_PX: Final = 24
"""Side of the input of the networks for covered and tilted faces, px."""
NETWORK_STEADY: Final = 4.0
"""Added to the standard deviation that divides that input, grey levels, so that little contrast is not amplified."""
NOT_MEASURED: Final = -9.0
"""``covered`` and ``tilted`` of crops whose framing those networks do not know; below any threshold."""

# Largest difference of a template's coordinates from FER2013's: the networks for covered and tilted faces were trained
# with faces up to 14 % larger and smaller.
_SAME_FRAMING = 0.05


def measure(crop: FaceCrop, spec: CropSpec, chosen: float) -> Quality:
    """Measure a crop.

    Args:
        crop: (S, S, C) uint8.
        spec: How it was cropped.
        chosen: Total probability of the selected emotions before renormalisation, 0..1.
    """
    keypoints = crop.track.detection.keypoints
    matrix = similarity(keypoints, spec)
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    side_px = spec.size_px / max(scale, 1e-6)
    return replace(of_pixels(crop.image, spec), side_px=side_px, yaw_deg=yaw_deg(keypoints), chosen=chosen)


def of_pixels(pixels: npt.NDArray[np.uint8], spec: CropSpec) -> Quality:
    """Measure (S, S, C) uint8 pixels whose keypoints are not known: taken as large and facing the camera."""
    grey = _grey(pixels)
    covered = tilted = NOT_MEASURED
    if has_trained_framing(spec):
        inputs = _network_input(grey)
        covered, tilted = _logit("covered", inputs), _logit("tilted", inputs)
    return Quality(spec.size_px, 0.0, sharpness(grey), noise(grey), clipped(grey), covered, tilted, 1.0)


def yaw_deg(keypoints: npt.NDArray[np.float32]) -> float:
    """Return the angle by which a head is turned to the side, 0..90 degrees.

    Ears and nose tip are modelled as points on a sphere: when it turns, the projected nose moves towards an ear, and
    the projected ears towards each other.

    Args:
        keypoints: (6, 2) float32, rows as in ``Keypoint``.
    """
    points = keypoints.astype(np.float64)
    right, left = points[Keypoint.RIGHT_EAR], points[Keypoint.LEFT_EAR]
    across = (left - right) / 2
    width = float(np.hypot(*across))
    aside = abs(float(np.dot(points[Keypoint.NOSE_TIP] - (left + right) / 2, across)))
    return math.degrees(math.atan2(aside, NOSE_DISTANCE * max(width, 1e-6) ** 2))


def sharpness(grey: npt.NDArray[np.float32]) -> float:
    """Return the logarithm of RMS gradient over standard deviation; higher is sharper.

    Args:
        grey: (48, 48) float32.
    """
    across, down = grey[:, 1:], grey[1:]
    squares = cv2.norm(across, grey[:, :-1], cv2.NORM_L2SQR) / across.size
    squares += cv2.norm(down, grey[:-1], cv2.NORM_L2SQR) / down.size
    return math.log(math.sqrt(squares / 4) / (_mean_and_deviation(grey)[1] + SHARPNESS_LEAST) + SHARPNESS_LEAST)


def noise(grey: npt.NDArray[np.float32]) -> float:
    """Return the logarithm of estimated noise over standard deviation; higher is noisier.

    The noise is estimated from the response to a Laplacian difference mask (Immerkaer, "Fast noise variance
    estimation", 1996).

    Args:
        grey: (48, 48) float32.
    """
    inner = cv2.filter2D(grey, cv2.CV_32F, NOISE_KERNEL)[1:-1, 1:-1]
    response = cv2.norm(inner, cv2.NORM_L1) / inner.size
    deviation = _mean_and_deviation(grey)[1]
    return math.log(NOISE_OF_RESPONSE * response / (deviation + NOISE_STEADY) + NOISE_LEAST)


def clipped(grey: npt.NDArray[np.float32]) -> float:
    """Return the share of black and white pixels, 0..1, of (48, 48) float32."""
    between = cv2.countNonZero(cv2.inRange(grey, BLACK_TO + 0.5, WHITE_FROM - 0.5))
    return 1 - float(between) / grey.size


@cache
def has_trained_framing(spec: CropSpec) -> bool:
    """Return whether faces are framed about as those that the networks were trained on."""
    difference = np.abs(np.array(spec.template) - np.array(FER2013_TEMPLATE))
    return bool(difference.max() < _SAME_FRAMING)


def network_weights(which: DoubtNetwork) -> bytes:
    """Return a network as little-endian float32: weights and biases of its hidden layer, then of its output."""
    return b"".join(array.astype("<f4").tobytes() for array in _network(which))


def _grey(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return a crop (S, S, C) as (48, 48) float32."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.shape[2] == 3 else image[..., 0]
    if grey.shape != (REFERENCE_PX, REFERENCE_PX):
        interpolation = cv2.INTER_AREA if grey.shape[0] > REFERENCE_PX else cv2.INTER_LINEAR
        grey = cv2.resize(grey, (REFERENCE_PX, REFERENCE_PX), interpolation=interpolation)
    return np.asarray(grey, np.float32)


def _mean_and_deviation(grey: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return mean and standard deviation; OpenCV takes a fifth of NumPy's time for so few pixels."""
    (mean,), (deviation,) = cv2.meanStdDev(grey)
    return float(mean[0]), float(deviation[0])


def _network_input(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (48, 48) grey levels as (2, 576) standardised ones: of the crop and of its mirror image."""
    side = NETWORK_SIDE_PX, NETWORK_SIDE_PX
    small = np.asarray(cv2.resize(grey, side, interpolation=cv2.INTER_AREA), np.float32)
    mean, deviation = _mean_and_deviation(small)
    small = (small - np.float32(mean)) / np.float32(deviation + NETWORK_STEADY)
    return np.stack([small.ravel(), small[:, ::-1].ravel()])


def _logit(which: DoubtNetwork, inputs: npt.NDArray[np.float32]) -> float:
    """Return the logit that a face is covered or tilted, the mean over the crop and its mirror image."""
    hidden_weights, hidden_bias, output_weights, output_bias = _network(which)
    hidden = np.maximum(inputs @ hidden_weights + hidden_bias, 0)
    return float((hidden @ output_weights).mean() + output_bias[0])


@cache
def _network(which: DoubtNetwork) -> tuple[npt.NDArray[np.float32], ...]:
    """Return the weights of a small network with one hidden layer."""
    with np.load(doubt_model(which), allow_pickle=False) as stored:
        names = ("hidden_weights", "hidden_bias", "output_weights", "output_bias")
        return tuple(stored[name].astype(np.float32) for name in names)

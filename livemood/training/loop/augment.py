"""Augmentation of face crops: geometry, light, camera. Training only, after the crop; uint8 in, uint8 out.

Without it, noise and blur, as of a webcam, cost much of the accuracy.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

Crop = npt.NDArray[np.uint8]

_MAX_ROLL_DEG = 20.0
_MAX_SHIFT = 0.09
_ZOOM = (0.84, 1.28)


def augment(image: Crop, rng: np.random.Generator, strength: float = 1.0) -> Crop:
    """Return an augmented copy of one crop.

    Args:
        image: (S, S, C) uint8.
        rng: The only source of randomness, so that a run can be repeated.
        strength: Scales how often pictures are degraded, 0 (never) to 1.

    Returns:
        (S, S, C) uint8.
    """
    shape = image.shape
    changed = _move(image, rng)
    changed = _light(changed, rng)
    changed = _degrade(changed, rng, strength)
    if rng.random() < 0.25:
        changed = _erase(changed, rng)
    return changed.reshape(shape)


def _move(image: Crop, rng: np.random.Generator) -> Crop:
    """Mirror, rotate, zoom and shift in one resampling."""
    side = image.shape[0]
    centre = (side - 1) / 2
    roll = rng.uniform(-_MAX_ROLL_DEG, _MAX_ROLL_DEG)
    zoom = math.exp(rng.uniform(math.log(_ZOOM[0]), math.log(_ZOOM[1])))
    matrix = cv2.getRotationMatrix2D((centre, centre), roll, zoom)
    if rng.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, side - 1], [0, 1, 0], [0, 0, 1]])
    matrix[:, 2] += rng.uniform(-_MAX_SHIFT, _MAX_SHIFT, 2) * side
    return _u8(cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _light(image: Crop, rng: np.random.Generator) -> Crop:
    """Change gamma and contrast, and sometimes add light from one side."""
    if rng.random() < 0.4:
        gamma = math.exp(rng.uniform(-1.0, 1.0))
        table = (np.linspace(0, 1, 256) ** gamma * 255).round().astype(np.uint8)
        image = _u8(cv2.LUT(image, table))
    if rng.random() < 0.25:
        image = _u8(cv2.convertScaleAbs(image, alpha=rng.uniform(0.7, 1.3), beta=rng.uniform(0, 30)))
    if rng.random() < 0.15:
        side = image.shape[0]
        angle, dark = rng.uniform(0, 2 * math.pi), rng.uniform(0.25, 0.8)
        ramp = np.linspace(-0.5, 0.5, side, dtype=np.float32)
        field = np.clip(math.cos(angle) * ramp[None] + math.sin(angle) * ramp[:, None] + 0.5, 0, 1)
        shade = (dark + (1 - dark) * field).reshape(side, side, *[1] * (image.ndim - 2))
        image = (image * shade).astype(np.uint8)
    return image


def _degrade(image: Crop, rng: np.random.Generator, strength: float) -> Crop:
    """Blur, downscale, add sensor noise and compress, in the order of a camera."""
    side = image.shape[0]
    if rng.random() < 0.1 * strength:
        image = _u8(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.8)))
    if rng.random() < 0.08 * strength:
        small = round(side * rng.uniform(0.3, 0.85))
        image = _u8(cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA))
        image = _u8(cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.15 * strength:
        noise = rng.standard_normal(image.shape, np.float32) * rng.uniform(1, 17)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.06 * strength:
        coded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))))[1]
        image = _u8(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED))
    return image


def _erase(image: Crop, rng: np.random.Generator) -> Crop:
    """Cover a patch, as a hand or a microphone would (Zhong et al., "Random erasing", 2017)."""
    side = image.shape[0]
    height, width = rng.integers(side // 8, side // 2, 2)
    top, left = rng.integers(0, side - height), rng.integers(0, side - width)
    covered = image.copy()
    covered[top : top + height, left : left + width] = rng.integers(0, 256)
    return covered


def _u8(image: object) -> Crop:
    return np.asarray(image, np.uint8)

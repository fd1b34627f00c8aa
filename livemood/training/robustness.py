"""What cameras do to pictures, each by a fixed amount: how many points does a model lose?"""

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Crop = npt.NDArray[np.uint8]

_NOISE_SIGMA = 15
_REFERENCE_PX = 48


def _noise(image: Crop, rng: np.random.Generator) -> Crop:
    noisy = image + rng.standard_normal(image.shape, np.float32) * _NOISE_SIGMA
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _blur(image: Crop, _: np.random.Generator) -> Crop:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5 * len(image) / _REFERENCE_PX), np.uint8)


def _small(image: Crop, _: np.random.Generator) -> Crop:
    side = len(image)
    half = cv2.resize(image, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(half, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _gamma(image: Crop, _: np.random.Generator) -> Crop:
    table = (np.linspace(0, 1, 256) ** 3 * 255).round().astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def _moved(roll_deg: float, zoom: float) -> Callable[[Crop, np.random.Generator], Crop]:
    def move(image: Crop, _: np.random.Generator) -> Crop:
        side = len(image)
        matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), roll_deg, zoom)
        moved = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    return move


DEGRADATIONS: Final[Mapping[str, Callable[[Crop, np.random.Generator], Crop]]] = {
    "noise 15/255": _noise,
    "blur 1.5 px": _blur,
    "24-px faces": _small,
    "gamma 3": _gamma,
    "roll 20°": _moved(20, 1.0),
    "zoom 1.3": _moved(0, 1.3),
}
"""By name: one crop (S, S, C) uint8 to a worse one. Pixels are those of a 48-px crop."""


def degraded(crops: Crop, name: str) -> Crop:
    """Return (N, S, S, C) uint8 crops after one of ``DEGRADATIONS``; the same every time."""
    rng = np.random.default_rng(0)
    return np.stack([DEGRADATIONS[name](crop, rng).reshape(crop.shape) for crop in crops])

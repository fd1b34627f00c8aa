"""Corruptions of face pictures (light, camera, occlusion) of fixed severities, for crops and for whole photos."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import CropSpec
from livemood.core.types import Image

Points = npt.NDArray[np.float64]

_REFERENCE_PX = 48
_CLOTH, _GLASS = (200, 200, 200), (25, 25, 25)


@dataclass(frozen=True, slots=True, eq=False)
class FaceSample:
    """A picture of a face, to be corrupted.

    Attributes:
        image: (H, W, C) uint8.
        points: (4, 2) right eye, left eye, nose tip and mouth, px.
        unit: Pixels of this picture per pixel of a 48-px crop.
    """

    image: Image
    points: Points
    unit: float

    @classmethod
    def of_crop(cls, crop: Image, spec: CropSpec) -> "FaceSample":
        """Return a sample for a crop, (S, S, C) uint8, whose points are those of the spec's template."""
        return cls(crop, np.array(spec.template) * spec.size_px, spec.size_px / _REFERENCE_PX)


Corruption = Callable[[FaceSample, np.random.Generator], Image]
"""Returns a corrupted picture of the same shape."""


def brightness(steps: int) -> Corruption:
    """Add ``steps`` of 255 to every value."""
    return lambda sample, _: _u8(sample.image + np.float32(steps))


def contrast(factor: float) -> Corruption:
    """Scale the deviation of values from their mean."""
    return lambda sample, _: _u8((sample.image - sample.image.mean()) * np.float32(factor) + sample.image.mean())


def gamma(power: float) -> Corruption:
    """Apply a gamma curve: above 1 it darkens, below 1 it lightens."""
    table = (np.linspace(0, 1, 256) ** power * 255).round().astype(np.uint8)
    return lambda sample, _: _like(cv2.LUT(sample.image, table), sample)


def noise(sigma: float) -> Corruption:
    """Add independent normal noise to every value."""
    return lambda sample, rng: _u8(sample.image + rng.standard_normal(sample.image.shape, np.float32) * sigma)


def blur(sigma: float) -> Corruption:
    """Blur by a Gaussian, sigma in pixels of a 48-px crop."""
    return lambda sample, _: _like(cv2.GaussianBlur(sample.image, (0, 0), sigma * sample.unit), sample)


def jpeg(quality: int) -> Corruption:
    """Compress and decompress."""

    def apply(sample: FaceSample, _: np.random.Generator) -> Image:
        coded = cv2.imencode(".jpg", sample.image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        return _like(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), sample)

    return apply


def resolution(face_px: int) -> Corruption:
    """Shrink the picture until a face's crop has a side of ``face_px`` pixels, and enlarge it again."""

    def apply(sample: FaceSample, _: np.random.Generator) -> Image:
        height, width = sample.image.shape[:2]
        scale = face_px / (_REFERENCE_PX * sample.unit)
        small = (max(round(width * scale), 1), max(round(height * scale), 1))
        shrunk = cv2.resize(sample.image, small, interpolation=cv2.INTER_AREA)
        return _like(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR), sample)

    return apply


def transform(roll_deg: float = 0.0, zoom: float = 1.0, shift: float = 0.0) -> Corruption:
    """Rotate and scale around the centre, and shift by a share of the side in a random direction."""

    def apply(sample: FaceSample, rng: np.random.Generator) -> Image:
        height, width = sample.image.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), roll_deg, zoom)
        if shift:
            angle = rng.uniform(0, 2 * np.pi)
            matrix[:, 2] += shift * width * np.array([np.cos(angle), np.sin(angle)])
        size = (width, height)
        image = cv2.warpAffine(sample.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return _like(image, sample)

    return apply


def mask(sample: FaceSample, _: np.random.Generator) -> Image:
    """Draw a face mask over nose, mouth and chin."""
    right, left, _nose, mouth = sample.points
    across, middle = left - right, (left + right) / 2
    down = mouth - middle
    places = ((-0.75, 0.45), (0.0, 0.35), (0.75, 0.45), (0.7, 1.1), (0.35, 1.6), (-0.35, 1.6), (-0.7, 1.1))
    outline = np.array([middle + x * across + y * down for x, y in places])
    covered = np.ascontiguousarray(sample.image.copy())
    cv2.fillPoly(covered, [outline.round().astype(np.int32)], _CLOTH, cv2.LINE_AA)
    return _like(covered, sample)


def sunglasses(sample: FaceSample, _: np.random.Generator) -> Image:
    """Draw dark glasses over both eyes."""
    right, left = sample.points[:2]
    across = left - right
    width, angle = float(np.hypot(*across)), float(np.degrees(np.arctan2(across[1], across[0])))
    covered = np.ascontiguousarray(sample.image.copy())
    for eye in (right, left):
        cv2.ellipse(covered, (tuple(map(float, eye)), (0.78 * width, 0.6 * width), angle), _GLASS, -1, cv2.LINE_AA)
    ends = [tuple(map(int, point.round())) for point in (right, left)]
    cv2.line(covered, ends[0], ends[1], _GLASS, max(round(0.1 * width), 1), cv2.LINE_AA)
    return _like(covered, sample)


CORRUPTIONS: Final[Mapping[str, Mapping[str, Corruption]]] = {
    "brightness": {f"{steps:+}": brightness(steps) for steps in (-80, -40, 40, 80)},
    "contrast": {f"x {factor}": contrast(factor) for factor in (0.25, 0.5, 2.0)},
    "blur": {f"{sigma} px": blur(sigma) for sigma in (0.75, 1.5, 2.5)},
    "noise": {f"{sigma}/255": noise(sigma) for sigma in (8, 15, 25)},
    "JPEG quality": {f"{quality}": jpeg(quality) for quality in (50, 20, 10)},
    "resolution": {f"{side}-px faces": resolution(side) for side in (32, 24, 16)},
    "roll": {f"{angle}°": transform(angle) for angle in (10, 20, 40)},
    "covered": {"mask": mask, "sunglasses": sunglasses},
    "crop jitter": {
        "shift 5 %": transform(shift=0.05),
        "shift 10 %": transform(shift=0.1),
        "zoom 1.3": transform(zoom=1.3),
    },
}
"""Corruptions by kind and severity. Sizes are in pixels of a 48-px crop."""

STANDARD_CORRUPTIONS: Final[Mapping[str, Corruption]] = {
    "noise 15/255": noise(15),
    "blur 1.5 px": blur(1.5),
    "24-px faces": resolution(24),
    "gamma 3": gamma(3),
    "roll 20°": transform(20),
    "zoom 1.3": transform(zoom=1.3),
}
"""The six corruptions that every evaluation includes."""


def corrupt(crops: Image, spec: CropSpec, corruption: Corruption) -> Image:
    """Return (N, S, S, C) uint8 crops after a corruption; deterministic."""
    rng = np.random.default_rng(0)
    return np.stack([corruption(FaceSample.of_crop(crop, spec), rng) for crop in crops])


def one_pixel_shifts(crops: Image) -> list[Image]:
    """Return (N, S, S, C) crops shifted by one pixel to each of the four sides; the edge is repeated."""
    padded = np.pad(crops, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    side = crops.shape[1]
    corners = ((0, 1), (2, 1), (1, 0), (1, 2))
    return [np.ascontiguousarray(padded[:, y : y + side, x : x + side]) for y, x in corners]


def _u8(values: npt.NDArray[np.float32]) -> Image:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _like(image: object, sample: FaceSample) -> Image:
    """Restore the channel axis that OpenCV drops of a grey picture."""
    return np.asarray(image, np.uint8).reshape(sample.image.shape)

"""Conversion of a picture with an ICC profile to sRGB."""

from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import cv2
import numpy as np

from livemood.core.types import Image

_MAX_PROFILE: Final = 4 << 20
_SPACE: Final = slice(16, 20)
_MODES: Final = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
_WHITE: Final = 255
_SAMPLES: Final = 17  # of each channel
_SAME: Final = 3  # levels; sRGB profiles in use change a colour by 1 at most


def mode_of(icc: bytes | None) -> str:
    """Return Pillow's mode of the colours that a profile describes: RGB, L or CMYK; empty for others and for None."""
    return _MODES.get(icc[_SPACE], "") if icc and len(icc) <= _MAX_PROFILE else ""


def is_rgb(icc: bytes | None) -> bool:
    """Return whether a profile describes RGB, and is not damaged."""
    return icc is not None and mode_of(icc) == "RGB" and _transform(icc) is not None


def to_srgb(image: Image, icc: bytes | None) -> Image:
    """Return a picture in sRGB.

    Args:
        image: (H, W, 3) uint8 BGR, in the colours of the profile.
        icc: Profile of RGB or grey. The picture is returned unchanged if that is sRGB, damaged or of other colours.
    """
    mode = mode_of(icc)
    if icc is None or mode not in ("RGB", "L") or _is_srgb(icc):
        return image
    from PIL import Image as PillowImage

    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if mode == "L" and (rgb != rgb[..., :1]).any():
        return image
    converted = to_rgb(PillowImage.fromarray(rgb if mode == "RGB" else rgb[..., 0]), icc)
    return image if converted is None else np.asarray(cv2.cvtColor(np.asarray(converted), cv2.COLOR_RGB2BGR), np.uint8)


def to_rgb(picture: Any, icc: bytes) -> Any:
    """Return a Pillow picture of the profile's mode as RGB in sRGB; None where the profile is damaged.

    A picture of mode RGB is changed itself.
    """
    from PIL import ImageCms

    if (transform := _transform(icc)) is None:
        return None
    return ImageCms.applyTransform(picture, transform, inPlace=picture.mode == "RGB") or picture


@lru_cache(maxsize=8)
def _transform(icc: bytes) -> Any:
    """Return the transform to sRGB; None where the profile is damaged."""
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode_of(icc), "RGB")
    except Exception:  # noqa: BLE001  # a damaged profile may make the library raise anything
        return None


@lru_cache(maxsize=8)
def _is_srgb(icc: bytes) -> bool:
    """Return whether a profile is of sRGB, by what becomes of colours; names are no guide: there is a linear sRGB."""
    from PIL import Image as PillowImage

    if not is_rgb(icc):
        return False
    levels = np.linspace(0, _WHITE, _SAMPLES).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, _SAMPLES, 3)
    converted = np.asarray(to_rgb(PillowImage.fromarray(colours), icc), np.int16)
    return bool(np.abs(converted - colours).max() <= _SAME)

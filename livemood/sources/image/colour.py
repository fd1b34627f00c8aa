"""Conversion of a picture with an ICC profile to sRGB."""

from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import cv2
import numpy as np

from livemood.core.types import Image

_SRGB: Final = (b"sRGB", "sRGB".encode("utf-16-be"))
_MAX_PROFILE: Final = 4 << 20
_RGB_SPACE: Final = b"RGB "
_SPACE: Final = slice(16, 20)


def needs_conversion(icc: bytes | None) -> bool:
    """Return whether a profile is of an RGB space other than sRGB, such as Display P3 (phones) or Adobe RGB."""
    return (
        icc is not None
        and len(icc) <= _MAX_PROFILE
        and icc[_SPACE] == _RGB_SPACE
        and not any(name in icc for name in _SRGB)
    )


def to_srgb(image: Image, icc: bytes) -> Image:
    """Return (H, W, 3) uint8 BGR in sRGB; unchanged where the profile is damaged."""
    from PIL import Image as PillowImage
    from PIL import ImageCms

    try:
        transform = _transform(icc)
        rgb = PillowImage.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        done = ImageCms.applyTransform(rgb, transform, inPlace=True)
    except Exception:  # noqa: BLE001  # a damaged profile may make the library raise anything
        return image
    return np.asarray(cv2.cvtColor(np.asarray(done or rgb), cv2.COLOR_RGB2BGR), np.uint8)


@lru_cache(maxsize=8)
def _transform(icc: bytes) -> Any:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(BytesIO(icc))
    return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")

"""Pictures that Pillow decodes, with its plugins: HEIC, AVIF, JPEG XL, TIFFs with alpha or of few bits, and CMYK."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from threading import Lock
from typing import Any, Final, TypeVar

import cv2
import numpy as np

from livemood.core.types import Image
from livemood.runtime.exif import TAG, UPRIGHT, orientation
from livemood.sources.image.colour import mode_of, to_rgb
from livemood.sources.image.formats import DECODERS

T = TypeVar("T")
_without_limit: Final = Lock()
_WITH_ALPHA: Final = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_OF_UNKNOWN_WHITE: Final = frozenset({"I", "F"})
_BITS: Final = 258  # TIFF's tag for bits per level


@dataclass(frozen=True, slots=True)
class Stored:
    """A decoded picture in its stored orientation.

    Attributes:
        image: (H, W, 3) uint8 BGR, alpha composited over white, not yet upright.
        orientation: EXIF orientation, 1 to 8.
        exif: EXIF data as in the file.
        icc: Colour profile.
    """

    image: Image
    orientation: int = 1
    exif: bytes | None = None
    icc: bytes | None = None


def decode(data: bytes, kind: str) -> Stored | None:
    """Return a picture's first frame; None where Pillow cannot decode the bytes.

    Raises:
        ModuleNotFoundError: The decoder of this kind is not installed.
        MemoryError: The picture is too large.
    """
    if kind in DECODERS:
        plugin: Any = import_module(DECODERS[kind][0])
        if kind == "heif":
            plugin.register_heif_opener()
    return _read(data, _stored)


def decode_where_better(data: bytes) -> Stored | None:
    """Return a TIFF or JPEG that has alpha, or CMYK and its profile; None for others, or if Pillow cannot decode it.

    OpenCV would lose the alpha, and read CMYK without its profile.

    Raises:
        MemoryError: The picture is too large.
    """
    return _read(data, lambda picture: _stored(picture) if picture.mode in _WITH_ALPHA or _cmyk(picture) else None)


def profile(data: bytes) -> bytes | None:
    """Return the colour profile of a TIFF, from its header."""
    return _read(data, lambda picture: picture.info.get("icc_profile"))


def open_unlimited(data: bytes, formats: tuple[str, ...] | None = None) -> Any:
    """Open a picture with Pillow, without its limit of pixels, a global of the process; livemood has its own.

    Args:
        data: Content of the file.
        formats: Pillow's names of the formats to try; None tries all.
    """
    from PIL import Image as PillowImage

    with _without_limit:
        theirs, PillowImage.MAX_IMAGE_PIXELS = PillowImage.MAX_IMAGE_PIXELS, None
        try:
            return PillowImage.open(BytesIO(data), formats=formats)
        finally:
            PillowImage.MAX_IMAGE_PIXELS = theirs


def over_white(layers: Any) -> Any:
    """Return an RGBA picture of Pillow's with its alpha composited over white."""
    from PIL import Image as PillowImage

    white = PillowImage.new("RGBA", layers.size, "white")
    white.alpha_composite(layers)
    return white


def _read(data: bytes, what: Callable[[Any], T | None]) -> T | None:
    """Return what is read from an opened picture; None where Pillow cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged metadata
            with open_unlimited(data) as picture:
                return what(picture)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # plugins raise anything for damaged data, AVIF's a RuntimeError
        return None


def _stored(picture: Any) -> Stored:
    exif, icc = picture.info.get("exif"), picture.info.get("icc_profile")
    image = _bgr(picture)
    # Plugins that turn the picture upright, some of them as it is loaded, change their own copy of the EXIF data, not
    # the file's.
    turned = int(picture.getexif().get(TAG, UPRIGHT))
    return Stored(image, turned if 1 <= turned <= 8 else orientation(exif), exif, icc)


def _bgr(picture: Any) -> Image:
    if picture.mode in _OF_UNKNOWN_WHITE:
        raise ValueError("the level of white is not known")
    if picture.mode.startswith("I;16"):
        bits = getattr(picture, "tag_v2", {}).get(_BITS, (16,))[0]
        return _grey(np.asarray(picture) >> (bits - 8))
    if picture.mode in _WITH_ALPHA or "transparency" in picture.info:
        picture = over_white(picture.convert("RGBA"))
    elif icc := _cmyk(picture):
        picture = to_rgb(picture, icc) or picture
    return np.asarray(cv2.cvtColor(np.asarray(picture.convert("RGB")), cv2.COLOR_RGB2BGR), np.uint8)


def _cmyk(picture: Any) -> bytes | None:
    """Return the profile of a picture if both are of CMYK."""
    icc: bytes | None = picture.info.get("icc_profile")
    return icc if picture.mode == mode_of(icc) == "CMYK" else None


def _grey(levels: Any) -> Image:
    return np.asarray(cv2.cvtColor(levels.astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)

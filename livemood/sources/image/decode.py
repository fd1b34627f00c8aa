"""Decoding of still pictures: bytes or files to arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.errors import FullSizeNeeded, ImageUnreadable, one_line_about
from livemood.core.types import Image
from livemood.runtime import exif as tags
from livemood.runtime.native_output import native_stderr_held
from livemood.runtime.paths import is_folder
from livemood.sources.image import pillow
from livemood.sources.image.colour import is_rgb, mode_of, to_srgb
from livemood.sources.image.formats import kind_of, missing_decoder, other_kind
from livemood.sources.image.size_guard import MAX_PIXELS, pnm_white, size

T = TypeVar("T")

MAX_BYTES: Final = 1 << 30
"""Largest picture file that is read."""
# Longer sides that a large photo keeps, px, without and with small faces; at these hardly a face is lost
# (``tests.tools.scaled_decoding``).
_SIDE: Final = 1600
_SIDE_FOR_SMALL_FACES: Final = 3840

_MAX_MILLIONS: Final = MAX_PIXELS // 1_000_000
_BY_PILLOW: Final = frozenset({"heif", "avif", "jxl"})
_REDUCED: Final = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
_PNM_AS_STORED: Final = (b"P5", b"P6")  # OpenCV scales the 8-bit levels of the others
_ALWAYS_OPAQUE: Final = (b"\xff\xd8", b"BM")  # JPEG, BMP
_PNG_WITH_ALPHA: Final = (b"\4", b"\6")
_WHITE: Final = 255
_NO_PICTURE: Final = "is not a picture that can be read, or is cut off"
_RARE_TIFF: Final = "is a TIFF of a rare kind, or is cut off; export it as PNG"


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded picture with the metadata of its file.

    Attributes:
        image: (H, W, 3) uint8 BGR, upright, in sRGB; a reduced size if ``least_side`` allowed it.
        width: Of the full-size photo, upright, px.
        height: Of the full-size photo, upright, px.
        orientation: EXIF orientation in the file, 1 to 8; 1 for HEIC and AVIF, which turn the picture by other means.
        exif: EXIF data as in the file, without its prefix; None where there are none.
        icc: Colour profile of ``own_colours``; None where they are sRGB without one.
        own_colours: ``image`` before its conversion to sRGB, if ``icc`` describes RGB; otherwise the same.
    """

    image: Image
    width: int
    height: int
    orientation: int
    exif: bytes | None
    icc: bytes | None
    own_colours: Image

    @property
    def scale(self) -> float:
        """Width of the photo over that of ``image``."""
        return float(self.width / self.image.shape[1])


def read_image(path: Path) -> Image:
    """Read a picture of any common kind.

    The EXIF orientation is applied, colours are converted to sRGB, 16 bits to 8, grey and CMYK to BGR; of an animation
    the first frame is taken; alpha is composited over white.

    Args:
        path: Picture file.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageUnreadable: The file is missing, empty, truncated, too large or no picture.
    """
    return read_photo(path).image


def read_photo(path: Path, least_side: int | None = None) -> Photo:
    """Read a picture as ``read_image`` does, with the metadata of its file.

    Args:
        path: Picture file.
        least_side: A JPEG may be decoded at a half, a quarter or an eighth of its size, which is faster, as long as its
            longer side keeps this many px; None decodes it in full.

    Raises:
        ImageUnreadable: As ``read_image``.
    """
    with one_line_about(path, ImageUnreadable):
        return decode_photo(_content(path), str(path), least_side)


def decode_photo(data: bytes, name: str, least_side: int | None = None) -> Photo:
    """Decode a picture file's content; ``name`` is for messages.

    Raises:
        ImageUnreadable: As ``read_image``.
    """
    if not data:
        raise ImageUnreadable(f"{name} is empty")
    width, height = size(data)
    if width * height > MAX_PIXELS:
        millions = width * height / 1e6
        raise ImageUnreadable(
            f"{name} says it has {millions:,.0f} million pixels; {_MAX_MILLIONS} million is the limit"
        )
    if not width * height:
        raise _no_picture(name)
    if package := missing_decoder(kind_of(data)):
        raise ImageUnreadable(f"{name} is a {kind_of(data).upper()} photo", f"to read it: pip install {package}")
    step = _step(max(width, height), least_side) if data.startswith(b"\xff\xd8") else 1
    try:
        with native_stderr_held():
            stored = _stored(data, step)
    except (cv2.error, MemoryError) as error:
        raise ImageUnreadable(f"{name} is too large or damaged") from error
    if stored is None:
        raise ImageUnreadable(f"{name} {_RARE_TIFF}") if kind_of(data) == "tiff" else _no_picture(name)
    own = tags.turned_upright(stored.image, stored.orientation)
    full = (width, height) if stored.orientation < 5 else (height, width)
    if step == 1:
        full = own.shape[1], own.shape[0]
    in_srgb = to_srgb(own, stored.icc)
    own, icc = (own, stored.icc) if is_rgb(stored.icc) else (in_srgb, None)
    by_kind = {"tiff": tags.orientation(data), "avif": tags.UPRIGHT}  # OpenCV turns TIFFs; AVIF turns itself, as HEIC
    turned = by_kind.get(kind_of(data), stored.orientation)
    return Photo(in_srgb, *full, turned, stored.exif, icc, own)


def read_reduced(decode: Callable[[int], Photo], read: Callable[[Image, bool], T]) -> tuple[Photo, T]:
    """Decode a photo at the size that its faces need, and read it; return it and what was read.

    Args:
        decode: Decodes the photo, at a reduced size if its longer side keeps so many px.
        read: Gets (H, W, 3) uint8 BGR, and whether its size is reduced. Raises ``FullSizeNeeded`` if it is, and there
            are small faces.

    Raises:
        ImageUnreadable: As ``read_image``.
    """
    photo = decode(_SIDE)
    try:
        return photo, read(photo.image, photo.scale > 1)
    except FullSizeNeeded:
        photo = decode(_SIDE_FOR_SMALL_FACES)
        return photo, read(photo.image, False)


def _no_picture(name: str) -> ImageUnreadable:
    if other := other_kind(name):
        return ImageUnreadable(f"{name} {_NO_PICTURE}; by its ending it is a {other[0]}", other[1])
    return ImageUnreadable(f"{name} {_NO_PICTURE}")


def decoded(data: bytes) -> Image | None:
    """Return a picture file's content as ``read_image`` does, or None where it is not a picture.

    Raises:
        cv2.error: It is damaged.
        MemoryError: It is too large.
    """
    stored = None if missing_decoder(kind_of(data)) else _stored(data, 1)
    if stored is None:
        return None
    image = tags.turned_upright(stored.image, stored.orientation)
    return to_srgb(image, stored.icc)


def _step(side: int, least_side: int | None) -> int:
    """Return the factor by which a JPEG may be decoded smaller: 1, 2, 4 or 8."""
    return 1 if least_side is None else max((step for step in (1, 2, 4, 8) if side // step >= least_side), default=1)


def _stored(data: bytes, step: int) -> pillow.Stored | None:
    kind = kind_of(data)
    if kind in _BY_PILLOW:
        return pillow.decode(data, kind)
    if kind == "tiff":
        return _tiff(data)
    if kind == "pnm":
        return _pnm(data)
    coded = np.frombuffer(data, np.uint8)
    flags = _REDUCED.get(step, cv2.IMREAD_COLOR) | cv2.IMREAD_IGNORE_ORIENTATION
    read: Any = cv2.imdecodeWithMetadata  # its stubs do not allow for None
    image, kinds, contents = read(coded, flags=flags)
    if image is None:
        return None
    found = {int(kind): content.tobytes() for kind, content in zip(kinds, contents, strict=True)}
    exif, icc = found.get(cv2.IMAGE_METADATA_EXIF), found.get(cv2.IMAGE_METADATA_ICCP)
    if mode_of(icc) == "CMYK" and (better := pillow.decode_where_better(data)):
        return better
    layers = None
    if _may_have_alpha(data):
        layers = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    return pillow.Stored(_over_white(np.asarray(image, np.uint8), layers), tags.orientation(exif), exif, icc)


def _tiff(data: bytes) -> pillow.Stored | None:
    """Decode a TIFF with OpenCV, which also applies its orientation; with Pillow if it has alpha, 2, 4 or 12 bits.

    OpenCV composites alpha over black in 8 bits, and leaves it out beside grey. Whole numbers of 32 bits or with a sign
    are refused: which of them is white is not known.
    """
    if better := pillow.decode_where_better(data):
        return better
    coded = np.frombuffer(data, np.uint8)
    layers = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)
    if layers is None:
        return pillow.decode(data, "tiff")
    if layers.dtype in (np.float32, np.float64):
        image = _from_floats(layers)
    elif layers.dtype not in (np.uint8, np.uint16):
        return None
    else:
        levels = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        if levels is None:
            return pillow.decode(data, "tiff")
        image = _over_white(np.asarray(levels, np.uint8), layers)
    return pillow.Stored(image, icc=pillow.profile(data))


def _pnm(data: bytes) -> pillow.Stored | None:
    """Decode a picture of the PNM family; white may be any level in it."""
    as_stored = data.startswith(_PNM_AS_STORED)
    ended = data if as_stored else data + b"\n"  # else OpenCV takes levels as text for cut off
    layers = cv2.imdecode(np.frombuffer(ended, np.uint8), cv2.IMREAD_UNCHANGED)
    if layers is None:
        return None
    if layers.dtype == np.float32:
        return pillow.Stored(_from_floats(layers))
    white = _WHITE if layers.dtype == np.uint8 and not as_stored else pnm_white(data)
    if not white:
        return None
    image = cv2.convertScaleAbs(layers, alpha=_WHITE / white)
    return pillow.Stored(np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image, np.uint8))


def _from_floats(levels: npt.NDArray[Any]) -> Image:
    """Return floats in 0..1 or 0..255 as uint8; if the largest value is above 255, it becomes white."""
    finite = np.nan_to_num(levels, nan=0.0, posinf=0.0, neginf=0.0)
    most = float(finite.max(initial=0.0))
    finite = np.clip(finite * (_WHITE if most <= 1 else 1 if most <= _WHITE else _WHITE / most), 0, _WHITE)
    image = np.rint(finite).astype(np.uint8)
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    return _over_white(np.ascontiguousarray(image[..., :3]), image)


def _content(path: Path) -> bytes:
    if is_folder(path):
        raise ImageUnreadable(f"{path} is a folder", "name a picture in it")
    try:
        length = path.stat().st_size
        if not path.is_file():
            raise ImageUnreadable(f"{path} is a device or a pipe", "name a picture file")
        if length > MAX_BYTES:
            raise ImageUnreadable(f"{path} has {length / 1e9:.1f} GB; a picture has {MAX_BYTES / 1e9:.1f} GB at most")
        return path.read_bytes()
    except ImageUnreadable:
        raise
    except FileNotFoundError as error:
        raise ImageUnreadable(f"{path} is not there", "check the name") from error
    except OSError as error:
        remedy = "check its permissions" if isinstance(error, PermissionError) else ""
        raise ImageUnreadable(f"{path} cannot be read ({error.strerror})", remedy) from error
    except ValueError as error:  # a null byte in the name
        raise ImageUnreadable(f"{path!s:.80} is not a file name") from error


def _may_have_alpha(data: bytes) -> bool:
    """Return whether a picture may have alpha, by its header; if so, it is decoded a second time, with alpha."""
    if data.startswith(b"\x89PNG"):
        return data[25:26] in _PNG_WITH_ALPHA or b"tRNS" in data[: data.find(b"IDAT")]
    return not data.startswith(_ALWAYS_OPAQUE)


def _over_white(image: Image, layers: Any) -> Image:
    """Return the picture with its fourth channel, alpha, composited over white; unchanged without alpha."""
    if layers is None or layers.ndim != 3 or layers.shape[2] != 4 or layers.shape[:2] != image.shape[:2]:
        return image
    alpha = layers[..., 3]
    if alpha.dtype not in (np.uint8, np.uint16):
        return image
    share = (alpha >> 8 if alpha.dtype == np.uint16 else alpha).astype(np.uint16)[..., None]
    # In integers: as floats, a photo of 48 million pixels would need gigabytes.
    return np.asarray((image * share + _WHITE * (_WHITE - share) + _WHITE // 2) // _WHITE, np.uint8)

"""Still pictures: files to arrays, folders to files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.errors import ImageUnreadable, one_line_about
from livemood.core.types import Image
from livemood.runtime.native_output import native_stderr_held
from livemood.sources.image.size_guard import MAX_PIXELS, pixels

PICTURE_SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".gif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Endings, in lower case, that make a file in a folder count as a picture."""

MAX_BYTES: Final = 1 << 30
"""Largest picture file that is read."""

_NEVER_SEE_THROUGH: Final = (b"\xff\xd8", b"BM")  # JPEG, BMP
_PNG_WITH_ALPHA: Final = (b"\4", b"\6")
_WHITE: Final = 255
_NO_PICTURE: Final = "is not a picture that can be read, or is cut off"


def read_image(path: Path) -> Image:
    """Read a picture of any common kind.

    The orientation that a camera noted (EXIF) is applied, 16 bits become 8, grey and CMYK become BGR, of a moving
    picture the first frame is taken, and what is see-through lies on white.

    Args:
        path: Picture file.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageUnreadable: The file is missing, empty, cut off, too large or no picture.
    """
    with one_line_about(path, ImageUnreadable):
        return _read(path)


def _read(path: Path) -> Image:
    data = _content(path)
    size = pixels(data)
    if size > MAX_PIXELS:
        raise ImageUnreadable(
            f"{path} says it has {size / 1e6:,.0f} million pixels; {MAX_PIXELS / 1e6:.0f} million are the most"
        )
    if not size:
        raise ImageUnreadable(f"{path} {_NO_PICTURE}")
    try:
        with native_stderr_held():
            image = decoded(data)
    except (cv2.error, MemoryError) as error:
        raise ImageUnreadable(f"{path} is too large or damaged") from error
    if image is None:
        raise ImageUnreadable(f"{path} {_NO_PICTURE}")
    return image


def decoded(data: bytes) -> Image | None:
    """Return a picture file's content as ``read_image`` does, or None where it is no picture.

    Raises:
        cv2.error: It is damaged.
        MemoryError: It is too large.
    """
    coded = np.frombuffer(data, np.uint8)
    image = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if image is None:
        return None
    layers = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED) if _may_be_see_through(data) else None
    if layers is not None and layers.ndim == 3 and layers.shape[2] == 4:
        return _on_white(np.asarray(image, np.uint8), layers[..., 3])
    return np.asarray(image, np.uint8)


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise ImageUnreadable(f"{path} is a folder; name a picture in it")
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise ImageUnreadable(f"{path} is a device or a pipe; name a picture file")
        if size > MAX_BYTES:
            raise ImageUnreadable(f"{path} has {size / 1e9:.1f} GB; a picture has {MAX_BYTES / 1e9:.1f} GB at most")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ImageUnreadable(f"{path} is not there; check the name") from error
    except OSError as error:
        if isinstance(error, ImageUnreadable):
            raise
        raise ImageUnreadable(f"{path} may not be read ({error.strerror}); check its permissions") from error
    except ValueError as error:  # a null byte in the name
        raise ImageUnreadable(f"{path!s:.80} is no file name") from error
    if not data:
        raise ImageUnreadable(f"{path} is empty")
    return data


def image_paths(paths: Sequence[Path]) -> list[Path]:
    """Replace folders by the pictures in them and below, sorted by name; hidden files are left out.

    Args:
        paths: Files, taken as they are, and folders.

    Returns:
        Each file once, in order.

    Raises:
        ImageUnreadable: A folder holds no picture.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".") and file.is_file()
        )
        if not inside:
            raise ImageUnreadable(f"{path} holds no pictures")
        found += inside
    return list(dict.fromkeys(found))


def _may_be_see_through(data: bytes) -> bool:
    """Tell from its head whether a picture is worth decoding a second time for its alpha."""
    if data.startswith(b"\x89PNG"):
        return data[25:26] in _PNG_WITH_ALPHA or b"tRNS" in data[: data.find(b"IDAT")]
    return not data.startswith(_NEVER_SEE_THROUGH)


def _on_white(image: npt.NDArray[np.uint8], alpha: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Lay a picture on white; one that was turned by its EXIF tag no longer matches its alpha and is left as it is."""
    if alpha.shape != image.shape[:2] or alpha.dtype not in (np.uint8, np.uint16):
        return image
    share = (alpha >> 8 if alpha.dtype == np.uint16 else alpha).astype(np.uint16)[..., None]
    # In whole numbers: as floats, a photo of 48 million pixels would need gigabytes.
    return ((image * share + _WHITE * (_WHITE - share) + _WHITE // 2) // _WHITE).astype(np.uint8)

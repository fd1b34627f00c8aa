"""The orientation entry of EXIF data."""

import struct
from typing import Final

import cv2

from livemood.core.types import Image

UPRIGHT: Final = 1
TAG: Final = 0x0112
"""Number of the entry."""

_PREFIX: Final = b"Exif\0\0"
_MOST_ENTRIES: Final = 4096


def orientation(exif: bytes | None) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) where the data have none.

    Args:
        exif: TIFF structure with or without the ``Exif`` prefix; a TIFF file is one too.
    """
    place = _place(exif or b"")
    if place is None or exif is None:
        return UPRIGHT
    order, at = place
    value: int = struct.unpack_from(order + "H", exif, at)[0]
    return value if 1 <= value <= 8 else UPRIGHT


def upright_exif(exif: bytes) -> bytes:
    """Return the same data with the orientation set to 1, for a picture that was turned upright."""
    place = _place(exif)
    if place is None:
        return exif
    order, at = place
    changed = bytearray(exif)
    struct.pack_into(order + "H", changed, at, UPRIGHT)
    return bytes(changed)


def turned_upright(image: Image, value: int) -> Image:
    """Return a picture upright.

    Args:
        image: (H, W, C) uint8, as stored.
        value: EXIF orientation, 1 to 8.

    Returns:
        (H, W, C) uint8, or (W, H, C) for orientations 5 to 8.
    """
    if value >= 5:  # rows are stored as columns
        image = cv2.transpose(image)  # type: ignore[assignment]
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(value)
    return image if flip is None else cv2.flip(image, flip)  # type: ignore[return-value]


def _place(exif: bytes) -> tuple[str, int] | None:
    """Return byte order and offset of the orientation's value in the first directory."""
    start = len(_PREFIX) if exif.startswith(_PREFIX) else 0
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[start : start + 4])
    if order is None:
        return None
    try:
        directory = start + struct.unpack_from(order + "I", exif, start + 4)[0]
        count = struct.unpack_from(order + "H", exif, directory)[0]
        for entry in range(directory + 2, directory + 2 + 12 * min(count, _MOST_ENTRIES), 12):
            tag, kind = struct.unpack_from(order + "HH", exif, entry)
            if (tag, kind) == (TAG, 3):
                struct.unpack_from(order + "H", exif, entry + 8)
                return order, entry + 8
    except struct.error:  # truncated
        return None
    return None

"""Writing pictures to files."""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from livemood.core.errors import SinkError
from livemood.core.types import Image
from livemood.runtime.atomic_io import atomic_write
from livemood.runtime.exif import upright_exif
from livemood.runtime.native_output import native_stderr_held

_JPEG: Final = (".jpg", ".jpeg", ".jpe", ".jfif")
_WITH_PROFILE: Final = (*_JPEG, ".png", ".webp")
_WITH_EXIF: Final = (*_WITH_PROFILE, ".avif")
_PREFIX: Final = b"Exif\0\0"
_SEGMENT: Final = 65_519  # bytes of a profile, or of EXIF data, that a segment of a JPEG holds beside its headings


def keeps_profile(path: Path, icc: bytes) -> bool:
    """Return whether a picture with this suffix can be written with a colour profile.

    JPEG holds one of up to 64 KB, and PNG none whose length is not what it states.
    """
    stated = int.from_bytes(icc[:4], "big")
    return path.suffix.lower() in _WITH_PROFILE and stated == len(icc) and _fits(path, icc)


def _fits(path: Path, data: bytes) -> bool:
    return path.suffix.lower() not in _JPEG or len(data) <= _SEGMENT


def write_image(path: Path, image: Image, *, exif: bytes | None = None, icc: bytes | None = None) -> None:
    """Write a picture in the format of the file's suffix; an old file is replaced, missing folders are made.

    The file appears under its name only when it is complete.

    Args:
        path: Ends in .jpg, .png or another suffix that OpenCV can write.
        image: (H, W, 3) uint8 BGR, upright.
        exif: EXIF data of the original photo; written, with orientation 1, where the format can hold it: JPEG up to
            64 KB.
        icc: Profile of the colours; written where ``keeps_profile``.

    Raises:
        SinkError: Another suffix, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    ending = ".jpg" if suffix in _JPEG else suffix
    metadata: dict[int, bytes] = {}
    if exif and suffix in _WITH_EXIF and _fits(path, exif):
        metadata[cv2.IMAGE_METADATA_EXIF] = upright_exif(exif).removeprefix(_PREFIX)
    if icc and keeps_profile(path, icc):
        metadata[cv2.IMAGE_METADATA_ICCP] = icc
    kept = {kind: np.frombuffer(data, np.uint8)[None] for kind, data in metadata.items()}
    encode: Any = cv2.imencodeWithMetadata
    try:
        with native_stderr_held():
            if kept:
                done, data = encode(ending, image, list(kept), list(kept.values()))
            else:
                done, data = cv2.imencode(ending, image)
    except cv2.error as error:
        raise SinkError(
            f"{path} does not end in a suffix of pictures that can be written", "use .jpg or .png"
        ) from error
    if not done:
        raise SinkError(f"{path} could not be encoded as {path.suffix}", "use .png")
    with atomic_write(path, "out", force=True) as part:
        part.write_bytes(data.tobytes())

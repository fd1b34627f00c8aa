"""Pictures to files."""

from pathlib import Path

import cv2

from livemood.core.errors import SinkError
from livemood.core.types import Image
from livemood.runtime.atomic_io import atomic_write
from livemood.runtime.native_output import native_stderr_held


def write_image(path: Path, image: Image) -> None:
    """Write a picture in the form that the file's ending names; an old file is replaced, missing folders are made.

    The file appears under its name only when it is whole.

    Args:
        path: Ends in .jpg, .png or another ending that OpenCV can write.
        image: (H, W, 3) uint8 BGR.

    Raises:
        SinkError: Another ending, or the file cannot be written.
    """
    try:
        with native_stderr_held():
            done, data = cv2.imencode(path.suffix, image)
    except cv2.error as error:
        raise SinkError(f"{path} ends in no form of picture that can be written; use .jpg or .png") from error
    if not done:
        raise SinkError(f"{path} could not be encoded as {path.suffix}; use .jpg or .png")
    with atomic_write(path, "out", force=True) as part:
        part.write_bytes(data.tobytes())

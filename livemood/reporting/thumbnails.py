"""Thumbnails of faces at the moments of change, cut from the video, as data URIs."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from livemood.core.errors import CutEmpty, VideoUnreadable
from livemood.core.types import Image
from livemood.records import Record
from livemood.reporting.changes import Change
from livemood.reporting.document import data_uri

SIDE_PX: Final = 192
"""Twice the displayed size, for high-resolution screens."""

# Factor by which the face box is enlarged, for hair and chin.
_WIDEN: Final = 1.5
_JPEG_QUALITY: Final = 80
# Decoding continues this long after the second picture, in case its time was rounded up.
_SLACK_S: Final = 1.0


def thumbnails(video: Path, change: Change) -> tuple[str | None, str | None]:
    """Return the faces before and after a change as data URIs; None where the face is outside the picture.

    Raises:
        VideoUnreadable: The video cannot be read, or has no frame at the time of the change.
    """
    from livemood.sources.video.file import VideoSource

    found: list[str | None] = []
    wanted = [change.before, change.after]
    start_s, end_s = change.before.time_s, change.after.time_s
    try:
        source = VideoSource(video, start_s, end_s - start_s + _SLACK_S)
    except CutEmpty as error:
        raise VideoUnreadable(
            f"{video} has no frame at {start_s:g} s, where the records have a face", "give the video of these records"
        ) from error
    with source:
        for frame in source.frames():
            # Records round times to a microsecond.
            while len(found) < 2 and frame.time_s >= wanted[len(found)].time_s - 1e-6:
                found.append(_face(frame.image, wanted[len(found)]))
            if len(found) == 2:
                break
    before, after = (*found, None, None)[:2]
    return before, after


def _face(image: Image, record: Record) -> str | None:
    if record.box is None:
        return None
    left, top, right, bottom = record.box
    x, y, half = (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top) * _WIDEN / 2
    height, width = image.shape[:2]
    rows = slice(max(round(y - half), 0), min(round(y + half), height))
    columns = slice(max(round(x - half), 0), min(round(x + half), width))
    face = image[rows, columns]
    if not face.size:
        return None
    scale = SIDE_PX / max(face.shape[:2])
    size = max(round(face.shape[1] * scale), 1), max(round(face.shape[0] * scale), 1)
    small = cv2.resize(face, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return jpeg_uri(np.asarray(small, np.uint8), _JPEG_QUALITY)


def jpeg_uri(image: Image, quality: int) -> str:
    """Return a picture, (H, W, 3) uint8 BGR, as the data URI of a JPEG of this quality, 0..100."""
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data_uri(jpeg.tobytes(), "jpeg")

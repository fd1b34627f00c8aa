"""Reads one photo from file to moods, with its annotated copy and thumbnail."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2

from livemood.apps.photo import PhotoJob, PhotoOptions, PhotoResult
from livemood.apps.session import Session
from livemood.core.errors import ImageUnreadable, LivemoodError, SinkError, one_line_about
from livemood.core.types import Frame, Image, Mood
from livemood.detection.transforms import moved
from livemood.sources.image.decode import Photo, decode_photo, read_photo, read_reduced

_THUMBNAIL_SIDE: Final = 192
_THUMBNAIL_QUALITY: Final = 70


class PhotoReader:
    """Reads one photo after another; an error is part of the result and does not stop the others.

    Attributes:
        session: The models.
        annotator: Draws their labels.
    """

    def __init__(self, session: Session, options: PhotoOptions) -> None:
        self.session, self._options = session, options
        self.annotator = session.annotator(options.style)

    def read(self, job: PhotoJob) -> PhotoResult:
        """Read a photo, and write its annotated copy if one is wanted."""
        return self._result(job, lambda least_side: read_photo(Path(job.path), least_side))

    def read_content(self, name: str, data: bytes | None) -> PhotoResult:
        """Read a photo, from its file or from its content if given."""
        if data is None:
            return self.read(PhotoJob(name))

        def decode(least_side: int | None) -> Photo:
            with one_line_about(name, ImageUnreadable):
                return decode_photo(data, name, least_side)

        return self._result(PhotoJob(name), decode)

    def _result(self, job: PhotoJob, decode: Callable[[int | None], Photo]) -> PhotoResult:
        try:
            photo, found = read_reduced(decode, self.session.read_photo)
            full = decode(None) if job.copy and photo.scale > 1 else photo
        except ImageUnreadable as error:
            return PhotoResult(job.path, error=error)
        moods = tuple(_enlarged(mood, photo.scale) for mood in found)
        refused = job.refused or self._copied(job, full, moods)
        result = PhotoResult(
            job.path,
            photo.width,
            photo.height,
            moods,
            photo.orientation,
            refused,
            None if refused else job.copy,
        )
        if not self._options.thumbnails:
            return result
        return replace(result, thumbnail=thumbnail(photo.image), fingerprint=_fingerprint(photo.image))

    def _copied(self, job: PhotoJob, photo: Photo, moods: Sequence[Mood]) -> LivemoodError | None:
        from livemood.runtime.atomic_io import refuse_to_overwrite
        from livemood.sinks.image import keeps_profile, write_image

        if not job.copy:
            return None
        try:
            refuse_to_overwrite(job.copy, "out", self._options.force or job.replaces)
            icc = photo.icc if photo.icc and keeps_profile(job.copy, photo.icc) else None
            drawn = self.annotator.draw(Frame(0, 0.0, photo.own_colours if icc else photo.image), moods)
            write_image(job.copy, drawn, exif=photo.exif, icc=icc)
        except SinkError as error:
            return error
        return None


def open_photo_reader(options: PhotoOptions) -> PhotoReader:
    """Open the models in a process that has one core for them."""
    cv2.setNumThreads(1)
    return PhotoReader(Session(options.reader), options)


def thumbnail(image: Image) -> bytes:
    """Return a small JPEG of (H, W, 3) uint8 BGR."""
    scale = min(_THUMBNAIL_SIDE / max(image.shape[:2]), 1.0)
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY])
    return data.tobytes() if done else b""


def thumbnail_of(path: Path) -> tuple[bytes, bytes]:
    """Return the thumbnail and the perceptual hash of a photo; both empty if it can no longer be read."""
    try:
        image = read_photo(path, _THUMBNAIL_SIDE).image
    except ImageUnreadable:
        return b"", b""
    return thumbnail(image), _fingerprint(image)


def _fingerprint(image: Image) -> bytes:
    from livemood.datasets.dedup import fingerprint

    return fingerprint(image).tobytes()


def _enlarged(mood: Mood, scale: float) -> Mood:
    """Return the mood with its face in px of the full-size photo."""
    if scale == 1.0:
        return mood
    return replace(mood, track=replace(mood.track, detection=moved(mood.track.detection, 0, 0, scale)))

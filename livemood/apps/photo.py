"""One photo of a run: its settings and its result, and the functions that worker processes run.

What runs networks is imported by the processes that read photos, so that the others start sooner.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from livemood.core.errors import LivemoodError, SinkError
from livemood.core.settings import DrawStyle, ReaderSettings
from livemood.core.types import Frame, Image, Mood
from livemood.records.inputs import Group, Input
from livemood.sinks.rows import record_of

if TYPE_CHECKING:
    from livemood.apps.photo_reader import PhotoReader

_PIXEL: Final[Image] = np.zeros((1, 1, 3), np.uint8)
_reader: "PhotoReader | None" = None


@dataclass(frozen=True, slots=True)
class PhotoOptions:
    """Settings for every photo of a run.

    Attributes:
        reader: How faces are found and read.
        style: How annotated copies are drawn.
        thumbnails: Make a thumbnail and a perceptual hash of each.
        force: Replace annotated copies that are there.
    """

    reader: ReaderSettings
    style: DrawStyle
    thumbnails: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class PhotoJob:
    """One photo.

    Attributes:
        path: Its path; may be a URL if its content is given.
        copy: Path of its annotated copy, if requested.
        replaces: Replace a file of that path: there was none when the run came to the photo, and a process of it was
            killed.
        refused: Why a requested copy cannot be written.
    """

    path: Path | str
    copy: Path | None = None
    replaces: bool = False
    refused: SinkError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PhotoResult:
    """The result of one photo.

    Attributes:
        path: As given.
        width: Of the upright photo, px; None where it could not be read.
        height: Likewise.
        moods: Largest face first, in px of the full-size photo.
        orientation: EXIF orientation of the file, 1 to 8; 1 for HEIC and AVIF.
        error: Why it could not be read, or an output not written.
        copy: Path of the annotated copy that was written.
        thumbnail: A small JPEG.
        fingerprint: (4,) uint64 as bytes, see ``livemood.datasets.dedup``.
        place: Where the photo is now, if it was sorted.
    """

    path: Path | str
    width: int | None = None
    height: int | None = None
    moods: tuple[Mood, ...] = ()
    orientation: int = 1
    error: LivemoodError | None = None
    copy: Path | None = None
    thumbnail: bytes = b""
    fingerprint: bytes = b""
    place: Path | None = None

    def group(self, error: str | None) -> Group:
        """Return the content of its rows.

        Args:
            error: Text of its error, in the words of the front end.
        """
        frame = Frame(0, 0.0, _PIXEL)
        faces = tuple(record_of(frame, mood) for mood in self.moods)
        return Input(str(self.path), self.width, self.height, len(faces), error), faces


def set_up(options: PhotoOptions) -> None:
    """Open the models in this process, once for all its photos."""
    from livemood.apps.photo_reader import open_photo_reader

    global _reader
    _reader = open_photo_reader(options)


def read_here(job: PhotoJob) -> PhotoResult:
    """Read a photo with the models of this process."""
    assert _reader is not None
    return _reader.read(job)

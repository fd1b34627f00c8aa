"""Crop faces from photos and videos, for labelling and training."""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from livemood.apps.session import Session
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import LivemoodError, SinkError, SourceError
from livemood.core.types import Detection, Frame
from livemood.datasets.crop_index import COLUMNS, CropIndex
from livemood.emotion.crop import crop_face
from livemood.runtime.atomic_io import claimed_folder, refuse_file_as_folder
from livemood.runtime.paths import real_path
from livemood.sinks.image import write_image
from livemood.sources.image.formats import PICTURE_SUFFIXES
from livemood.sources.image.scan import Skipped, photos_of_each


@dataclass(frozen=True, slots=True)
class CropJob:
    """Settings of one run.

    Attributes:
        paths: Photos, folders of photos, or videos.
        out: Folder for the crops and ``index.csv``.
        sort: Put each crop into a folder named after the emotion that the model predicts.
        every_s: Time between the frames taken of a video, s.
        size_px: Side of the crops.
        force: Add to the crops that are there; those of the same source are replaced.
    """

    paths: Sequence[Path]
    out: Path
    sort: bool = False
    every_s: float = 1.0
    size_px: int = 192
    force: bool = False


@dataclass(frozen=True, slots=True)
class Cropped:
    """The result of a run.

    Attributes:
        count: Number of crops.
        index: The ``index.csv`` that lists them; None if no face was found, and nothing was written.
        skipped: Files of folders that were not read.
    """

    count: int
    index: Path | None
    skipped: Sequence[Skipped]


def crop_faces(job: CropJob, session: Session, on_skipped: Callable[[LivemoodError], None]) -> Cropped:
    """Crop every face, aligned as for the model, in colour.

    Args:
        job: What to do.
        session: Detector and model.
        on_skipped: Called with the error of each photo that cannot be read, and of each photo or video whose name is
            too long for those of its crops.

    Raises:
        SourceError: A video cannot be read.
        SinkError: The crops cannot be written, or another run writes into their folder.
    """
    refuse_file_as_folder(job.out, "out")
    with claimed_folder(job.out, "out"):
        index = CropIndex(job.out, (*COLUMNS, "label", "confidence") if job.sort else COLUMNS, job.force)
        listed = photos_of_each(job.paths, index.holds)
        with index:
            for source in listed.photos:
                try:
                    _crop_source(source, job, session, index)
                except SourceError as error:
                    if source.suffix.lower() not in PICTURE_SUFFIXES:
                        raise
                    on_skipped(error)
                except SinkError as error:
                    if not _is_about_a_long_name(error):
                        raise
                    on_skipped(SinkError(f"{source} has a name that is too long to name its crops after", "shorten it"))
    return Cropped(index.added, index.file if index.is_written else None, listed.skipped)


def _crop_source(source: Path, job: CropJob, session: Session, index: CropIndex) -> None:
    for frame in _frames(source, job.every_s, session):
        index.begin(source)  # not before: what cannot be read any more keeps its crops
        for found in session.detector.detect(frame):
            index.open()
            if not index.was_moved(source, frame.time_s, found.box):
                _crop(source, frame, found, job, session, index)


def _crop(source: Path, frame: Frame, found: Detection, job: CropJob, session: Session, index: CropIndex) -> None:
    reading: dict[str, str] = {}
    folder = ""
    if job.sort:
        label, confidence = session.read_face(frame, found)
        folder, reading = f"{label}/", {"label": label, "confidence": f"{confidence:.4f}"}
    name = index.name(source, folder)
    wanted = CropSpec(job.size_px, "bgr", session.crop_spec.template)
    write_image(job.out / name, crop_face(frame.image, found.keypoints, wanted))
    box = [f"{side:.1f}" for side in (found.box.left, found.box.top, found.box.right, found.box.bottom)]
    values = (name, str(real_path(source)), f"{frame.time_s:.3f}", *box, f"{found.score:.3f}")
    index.add(dict(zip(COLUMNS, values, strict=True)) | reading)


def _is_about_a_long_name(error: SinkError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENAMETOOLONG


def _frames(path: Path, every_s: float, session: Session) -> Iterator[Frame]:
    """Yield a photo, or the frames of a video that are due."""
    from livemood.sources.image.decode import read_image

    if path.suffix.lower() in PICTURE_SUFFIXES - {".gif"}:
        yield Frame(0, 0.0, read_image(path))
        return
    with session.open_video(path) as clip:
        due = 0.0
        for frame in clip.frames():
            if frame.time_s >= due:
                due = frame.time_s + every_s
                yield frame

"""Crop faces from photos and videos, for labelling and training."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from livemood.apps.session import Session
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import SourceError
from livemood.core.types import Frame
from livemood.datasets.crop_index import CropIndex
from livemood.emotion.crop import crop_face
from livemood.runtime.atomic_io import refuse_file_as_folder
from livemood.sinks.image import write_image

_COLUMNS = ("file", "source", "time_s", "left", "top", "right", "bottom", "score")


@dataclass(frozen=True, slots=True)
class CropJob:
    """Settings of one run.

    Attributes:
        paths: Photos, folders of photos, or videos.
        out: Folder for the crops and ``index.csv``.
        sort: Put each crop into a folder named after the emotion that the model predicts.
        every_s: Time between the frames taken of a video, s.
        size_px: Side of the crops.
        force: Add to the crops that are there.
    """

    paths: Sequence[Path]
    out: Path
    sort: bool = False
    every_s: float = 1.0
    size_px: int = 192
    force: bool = False


def crop_faces(job: CropJob, session: Session, on_skipped: Callable[[SourceError], None]) -> int:
    """Crop every face, aligned as for the model, in colour; return the number of crops.

    Args:
        job: What to do.
        session: Detector and model.
        on_skipped: Called with the error of each photo that cannot be read.

    Raises:
        SourceError: A video cannot be read.
        SinkError: The crops cannot be written.
    """
    refuse_file_as_folder(job.out, "out")
    columns = (*_COLUMNS, "label", "confidence") if job.sort else _COLUMNS
    index = CropIndex(job.out, columns, job.force)
    wanted = CropSpec(job.size_px, "bgr", session.crop_spec.template)
    frames = _frames(job, session, on_skipped, index.holds)
    first = list(islice(frames, 1))  # an unreadable input raises before anything is written
    with index:
        for source, frame in chain(first, frames):
            for face in session.detector.detect(frame):
                reading: list[str] = []
                folder = ""
                if job.sort:
                    label, confidence = session.read_face(frame, face)
                    folder, reading = f"{label}/", [label, f"{confidence:.4f}"]
                name = index.name(source, folder)
                write_image(job.out / name, crop_face(frame.image, face.keypoints, wanted))
                box = [f"{side:.1f}" for side in (face.box.left, face.box.top, face.box.right, face.box.bottom)]
                row = [name, str(source), f"{frame.time_s:.3f}", *box, f"{face.score:.3f}", *reading]
                index.add(dict(zip(columns, row, strict=True)))
    return index.added


def _frames(
    job: CropJob, session: Session, on_skipped: Callable[[SourceError], None], is_crop: Callable[[Path], bool]
) -> Iterator[tuple[Path, Frame]]:
    from livemood.sources.image.decode import read_image
    from livemood.sources.image.formats import PICTURE_SUFFIXES
    from livemood.sources.image.scan import image_paths

    for path in image_paths(job.paths, is_crop):
        suffix = path.suffix.lower()
        try:
            if suffix in PICTURE_SUFFIXES - {".gif"}:
                yield path, Frame(0, 0.0, read_image(path))
            else:
                yield from ((path, frame) for frame in _moments(path, job.every_s, session))
        except SourceError as error:
            if suffix not in PICTURE_SUFFIXES:
                raise
            on_skipped(error)


def _moments(path: Path, every_s: float, session: Session) -> Iterator[Frame]:
    with session.open_video(path) as clip:
        due = 0.0
        for frame in clip.frames():
            if frame.time_s >= due:
                due = frame.time_s + every_s
                yield frame

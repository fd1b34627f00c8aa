"""A collection of photos: read on one or more cores, with records, annotated copies, sidecars and sorting."""

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livemood.apps.photo import PhotoJob, PhotoOptions, PhotoResult, read_here, set_up
from livemood.core.errors import ImageUnreadable, LivemoodError, SinkError
from livemood.core.labels import EMOTION, NO_FACE, UNSURE
from livemood.core.settings import SortBy
from livemood.records import Origin, Record
from livemood.records.inputs import Group, Heads
from livemood.runtime.atomic_io import note_written
from livemood.runtime.numbered import NumberedPaths
from livemood.runtime.paths import bytes_of, is_folder, is_there, real_path
from livemood.runtime.workers import KILLED, on_processes
from livemood.sinks.collection_records import CollectionRecords
from livemood.sinks.sorted_folder import How, SortedFolder, folder_for, is_made_by_sorting, read_steps
from livemood.sinks.xmp import Sidecars
from livemood.sources.image.scan import Found, Skipped, find_photos, kinds_of

if TYPE_CHECKING:
    from livemood.apps.photo_reader import PhotoReader

_STRONGEST: Final = 10
_CALM: Final = ("neutral", UNSURE)
# Formats that cannot be written here, at least not in colour; their annotated copies are JPEGs.
_COPIED_AS_JPEG: Final = frozenset({".heic", ".heif", ".hif", ".jxl", ".pbm", ".pgm"})


@dataclass(frozen=True, slots=True)
class CollectionJob:
    """The settings of a run over a collection.

    Attributes:
        photos: To read, in order.
        options: Of reading and drawing.
        processes: Number of processes; 1 means this one.
        copies: Folder for annotated copies.
        records: File for a row of every face.
        sort_into: Folder under which each photo is put into the folder of its emotion.
        how: Copy, move or link.
        by: Which emotion names the folder.
        xmp: Write a sidecar beside each photo.
        resume: Append to ``records``, and skip the photos that it has.
        force: Replace files that are there; never a photo.
        origin: Who makes the records, and of what.
    """

    photos: Sequence[Path]
    options: PhotoOptions
    processes: int = 1
    copies: Path | None = None
    records: Path | None = None
    sort_into: Path | None = None
    how: How = "copy"
    by: SortBy = "most"
    xmp: bool = False
    resume: bool = False
    force: bool = False
    origin: Origin | None = None


def scan(paths: Sequence[Path], made_in: Sequence[Path | None] = ()) -> Found:
    """Find the photos of files and folders; files that livemood itself wrote to ``made_in`` are skipped."""
    folders = [folder for folder in made_in if folder]
    tops = {real_path(path) for path in paths if is_folder(path)}
    whole = {real_path(folder) for folder in folders} - tops
    listed = [is_made_by_sorting(folder) for folder in folders]
    return find_photos(paths, lambda path: real_path(path) in whole or any(made(path) for made in listed))


def no_pictures(paths: Sequence[Path], skipped: Sequence[Skipped]) -> ImageUnreadable:
    """Return the error to raise when files and folders hold no photo."""
    return ImageUnreadable(f"{', '.join(map(str, paths))} contains no pictures{kinds_of(skipped)}")


def read_collection(
    job: CollectionJob,
    heads: Heads,
    phrase: Callable[[LivemoodError], str] = str,
    earlier: Callable[[Iterator[tuple[Group, Path]]], None] | None = None,
    open_reader: "Callable[[], PhotoReader] | None" = None,
) -> Generator[PhotoResult, None, None]:
    """Read photos in their order; yield each when all its outputs are written.

    After an interrupt or an error, every photo that was yielded is in the records.

    Args:
        job: The settings.
        heads: Labels by head of the model.
        phrase: Returns the text of an error.
        earlier: Called with the photos that the records already hold, and where they are now, when resuming.
        open_reader: Returns the ``PhotoReader`` of this process.

    Raises:
        SinkError: The records cannot be written, or another run writes them or sorts into the folder, or copies would
            be written among the sorted photos.
    """
    _refuse_copies_among_sorted(job, {*heads[EMOTION], UNSURE, NO_FACE})
    with ExitStack() as stack:
        sorter = stack.enter_context(SortedFolder(job.sort_into, job.how)) if job.sort_into else None
        rows = None
        if job.records:
            photos = map(str, job.photos)
            rows = stack.enter_context(
                CollectionRecords(
                    job.records, heads, force=job.force, resume=job.resume, origin=job.origin, photos=photos
                )
            )
            if earlier and rows.done:
                place_of = sorter.place_of if sorter else Path
                earlier((group, place_of(Path(group[0].path))) for group in rows.groups())
        done = rows.done if rows else {}
        placer = _Placer(job, done)
        todo = (placer.job(photo) for photo in job.photos if str(photo) not in done)
        sidecars = Sidecars() if job.xmp else None
        for result in _results(job, todo, placer.again, open_reader):
            result = _finished(result, job, sidecars, sorter)
            if rows:
                rows.write(result.group(phrase(result.error) if result.error else None))
            yield result


def _refuse_copies_among_sorted(job: CollectionJob, labels: Collection[str]) -> None:
    if job.copies and job.sort_into:
        copies, sorted_into = real_path(job.copies), real_path(job.sort_into)
        if copies.is_relative_to(sorted_into) and {*copies.relative_to(sorted_into).parts[:1]} & {*labels}:
            raise SinkError(f"{job.copies} is where photos are sorted into", "choose another {out}")


def _results(
    job: CollectionJob,
    todo: Iterator[PhotoJob],
    again: Callable[[PhotoJob], PhotoJob],
    open_reader: "Callable[[], PhotoReader] | None",
) -> Iterator[PhotoResult]:
    if job.processes == 1 and open_reader:
        photo_reader = open_reader()
        yield from map(photo_reader.read, todo)
        return
    read = on_processes(
        todo, read_here, job.processes, set_up, (job.options,), cost=lambda one: bytes_of(one.path), again=again
    )
    for one, result in read:
        yield result or PhotoResult(one.path, error=ImageUnreadable(f"{one.path}: {KILLED}", "try fewer {jobs}"))


def _finished(
    result: PhotoResult, job: CollectionJob, sidecars: Sidecars | None, sorter: SortedFolder | None
) -> PhotoResult:
    """Write the sidecar of a photo and sort it, as requested; record what went wrong first."""
    if result.copy:
        note_written(result.copy)  # another process wrote it
    if result.width is None or result.height is None:
        return result
    photo, error, place = Path(result.path), result.error, result.place
    if sidecars:
        try:
            sidecars.write(photo, result.moods, result.width, result.height, result.orientation)
        except SinkError as failed:
            error = error or failed
    if sorter:
        try:
            place = sorter.put(photo, folder_for(result.moods, job.by))
        except SinkError as failed:
            error = error or failed
    return replace(result, error=error, place=place)


class _Placer:
    """Chooses paths of annotated copies: numbered if another one has the name, never that of a photo, read or sorted.

    Args:
        job: The settings.
        done: Photos that were read before, in their order; their copies keep their names.
    """

    def __init__(self, job: CollectionJob, done: Iterable[str]) -> None:
        self._folder = job.copies
        self._photos: dict[Path, str] = {}
        self._made: set[Path] = set()
        self._there: set[Path] = set()  # places of copies at which there was a file before
        self._places = NumberedPaths(self._made.__contains__)
        if job.copies:
            for folder in (job.copies, *job.copies.absolute().parents):
                self._photos |= {real_path(folder / step.target): "a sorted photo" for step in read_steps(folder)}
            self._photos |= {real_path(path): "one of the inputs" for path in job.photos}
            for path in done:
                self._place(job.copies, Path(path))

    def job(self, photo: Path) -> PhotoJob:
        if self._folder is None:
            return PhotoJob(photo)
        place = self._place(self._folder, photo)
        if what := self._photos.get(real_path(place)):
            return PhotoJob(photo, refused=SinkError(f"{place} is {what}", "choose another {out}"))
        if is_there(place):
            self._there.add(place)
        return PhotoJob(photo, place)

    def again(self, job: PhotoJob) -> PhotoJob:
        """Return a job as it is done a second time, after a process was killed that had perhaps made its copy."""
        return replace(job, replaces=job.copy is not None and job.copy not in self._there)

    def _place(self, folder: Path, photo: Path) -> Path:
        suffix = ".jpg" if photo.suffix.lower() in _COPIED_AS_JPEG else photo.suffix
        place = self._places.free(folder / f"{photo.stem}{suffix}")
        self._made.add(place)
        return place


@dataclass(frozen=True, slots=True)
class Strong:
    """A face with a clear emotion."""

    path: str
    label: str
    confidence: float


@dataclass(slots=True)
class CollectionSummary:
    """Counts over a collection, updated photo by photo, in constant memory.

    Attributes:
        photos: Read or failed.
        earlier: Of those, photos that the records had already.
        failed: Photos with an error.
        faceless: Photos that were read and hold no face.
        faces: In all photos.
        labels: Faces by label.
        strongest: Faces that are neither neutral nor unsure, highest confidence first.
    """

    photos: int = 0
    earlier: int = 0
    failed: int = 0
    faceless: int = 0
    faces: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    strongest: list[Strong] = field(default_factory=list)

    def add(self, group: Group) -> None:
        """Count one photo."""
        photo, faces = group
        self.photos += 1
        self.failed += photo.error is not None
        self.faceless += photo.error is None and not faces
        self.faces += len(faces)
        self.labels.update(str(face.label) for face in faces)
        found = [Strong(photo.path, str(face.label), face.confidence or 0.0) for face in faces if _is_strong(face)]
        if found:
            ranked = sorted([*self.strongest, *found], key=lambda one: -one.confidence)
            self.strongest = ranked[:_STRONGEST]

    @property
    def shares(self) -> Mapping[str, float]:
        """Share of the faces by label, most frequent first."""
        return {label: count / self.faces for label, count in self.labels.most_common()}


def _is_strong(face: Record) -> bool:
    return face.label not in _CALM

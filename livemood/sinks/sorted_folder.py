"""Photos sorted into folders named after their emotion, with a log with which the sorting can be undone."""

import filecmp
import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from livemood.core.errors import LivemoodError, SinkError
from livemood.core.labels import NO_FACE, UNSURE
from livemood.core.settings import SortBy
from livemood.core.text_tables import NOT_UTF8, json_line
from livemood.core.types import Mood
from livemood.runtime.atomic_io import atomic_write, claimed_folder, note_written, unwritable
from livemood.runtime.closeable import Closeable
from livemood.runtime.numbered import NumberedPaths
from livemood.runtime.paths import is_file, real_path
from livemood.sinks.xmp import sidecars_of

How = Literal["copy", "move", "link"]
"""How a photo gets into its folder."""

MANIFEST: Final = "livemood-sorted.jsonl"
"""Name of the log, in the folder that photos were sorted into."""

_SETTING: Final = "sort_into"
_VERSION: Final = 1
_MAX_STEP: Final = 1 << 16  # bytes of a line; a path has 4,096 at most


def folder_for(moods: Sequence[Mood], by: SortBy) -> str:
    """Return the name of the folder for a photo: an emotion, ``unsure`` or ``no-face``.

    Args:
        moods: Largest face first.
        by: ``most``: the most frequent emotion, ``unsure`` faces not counted; of equally frequent ones, that of the
            largest face. ``largest``: the label of the largest face. ``smile``: as ``most``, and happy photos in
            ``happy/open`` and ``happy/closed`` by the most frequent kind of smile, if there is one.
    """
    if not moods:
        return NO_FACE
    if by == "largest":
        return moods[0].label
    counts = Counter(mood.label for mood in moods if mood.label != UNSURE)
    if not counts:
        return UNSURE
    label = _most_frequent(counts)
    kinds = Counter(mood.smile_kind for mood in moods if mood.label == label and mood.smile_kind)
    return f"{label}/{_most_frequent(kinds)}" if by == "smile" and kinds else label


def _most_frequent(counts: Mapping[str, int]) -> str:
    return max(counts, key=counts.__getitem__)  # of equals the first, and the largest face comes first


@dataclass(frozen=True, slots=True)
class Step:
    """One file that was copied, moved or linked.

    Attributes:
        how: Which of these.
        source: Its path before, absolute.
        target: Its path now, relative to the sorted folder.
        size: Bytes.
        mtime_ns: Time of its last change.
        v: Version of the log's format.
        link: Text of the symbolic link that was moved; None for a file.
    """

    how: How
    source: str
    target: str
    size: int
    mtime_ns: int
    v: int = _VERSION
    link: str | None = None

    def fits(self, file: Path) -> bool:
        """Return whether a file has the size and time that the source had."""
        about = file.stat()
        return (about.st_size, about.st_mtime_ns) == (self.size, self.mtime_ns)


class SortedFolder(Closeable):
    """Puts photos into ``folder``/LABEL/ with their names and times; no file there is replaced. A context manager.

    A step is logged before it is done, so that an interrupted one can be undone too; one that fails leaves nothing. A
    photo that is here already is skipped; another one at the path of an earlier photo is not. The folder is locked
    against other runs.

    Args:
        folder: The sorted folder; made, and removed again if nothing is put there.
        how: ``copy``, ``move`` or ``link`` (a hard link; between two disks a symbolic one).

    Raises:
        SinkError: Another run sorts into the folder or undoes a sorting there, or it cannot be made.
        LivemoodError: Its log is damaged or from a newer livemood.
    """

    def __init__(self, folder: Path, how: How) -> None:
        self._folder, self._how = folder, how
        self._steps: defaultdict[str, list[Step]] = defaultdict(list)
        self._places = NumberedPaths(os.path.lexists)
        with ExitStack() as lock:
            lock.enter_context(claimed_folder(folder, _SETTING))
            for step in read_steps(folder):
                self._steps[step.source].append(step)
            self._lock = lock.pop_all()

    def close(self) -> None:
        """Unlock the folder."""
        self._lock.close()

    def place_of(self, photo: Path) -> Path:
        """Return where a photo is now: in this folder if it was moved here."""
        moved = [step for step in self._steps_of(photo) if step.how == "move"]
        return self._folder / moved[-1].target if moved and not os.path.lexists(photo) else photo

    def put(self, photo: Path, label: str) -> Path:
        """Put a photo, and any sidecar beside it, into the folder of a label.

        The sidecar of a photo that is here already is put beside it, in place of an earlier one that was not changed.

        Returns:
            Where the photo is now: another path only if it was moved.

        Raises:
            SinkError: It cannot be written, or not be removed from its old path.
        """
        try:
            earlier = self._held(photo)
            if earlier:
                self._put_sidecars(photo, self._folder / earlier.target, earlier.how)
                return photo
            wanted = self._folder / label / photo.name
            if _absolute(wanted) == _absolute(photo):
                raise SinkError(f"{photo} is one of the inputs", f"choose another {{{_SETTING}}}")
            target = self._places.free(wanted)
            self._step(photo, target, self._how)
            self._put_sidecars(photo, target, self._how)
            return target if self._how == "move" else photo
        except LivemoodError:
            raise
        except OSError as error:
            raise unwritable(self._folder / label / photo.name, _SETTING, error) from error

    def _steps_of(self, file: Path) -> Sequence[Step]:
        return self._steps.get(str(_absolute(file)), ())

    def _held(self, file: Path) -> Step | None:
        """Return the step that put a file, and not another one that had its path, where it still is."""
        for step in self._steps_of(file):
            target = self._folder / step.target
            if step.how == "move":  # what is at its old path by now is another one
                holds = os.path.lexists(target) and not os.path.lexists(file)
            else:
                holds = target.exists() and (step.fits(file) or same_content(file, target))
            if holds:
                return step
        return None

    def _put_sidecars(self, photo: Path, target: Path, how: How) -> None:
        """Put the sidecars of a photo beside ``target``, in place of earlier ones that were not changed."""
        for file in sidecars_of(photo):
            if self._held(file):
                continue
            place = target.with_name(file.name.replace(photo.name, target.name, 1))
            before = [step for step in self._steps_of(file) if self._folder / step.target == place]
            if before and is_file(place) and before[-1].fits(place):
                place.unlink()
            self._step(file, self._places.free(place), how)

    def _step(self, source: Path, target: Path, how: How) -> None:
        about = source.stat()
        relative = target.relative_to(self._folder).as_posix()
        link = str(source.readlink()) if how == "move" and source.is_symlink() else None
        step = Step(how, str(_absolute(source)), relative, about.st_size, about.st_mtime_ns, link=link)
        length = _append(self._folder / MANIFEST, step)
        note_written(self._folder / MANIFEST)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if how == "link":
                _link(source, target)
            elif how == "move":
                move(source, target, str(source.resolve()))
            else:
                with atomic_write(target, _SETTING) as part:
                    shutil.copy2(source, part)
        except OSError:
            remove_empty(target.parent, self._folder)
            _shorten(self._folder / MANIFEST, length)
            raise
        self._steps[step.source].append(step)


def remove_empty(place: Path, top: Path) -> None:
    """Remove a folder, and those that it lies in below ``top``, as far as they are empty."""
    with suppress(OSError):
        while place != top:
            place.rmdir()
            place = place.parent


def _append(manifest: Path, step: Step) -> int:
    """Add a step to the log; an incomplete last line is removed, because its step was never done.

    Returns:
        The length of the log before, in bytes.
    """
    with manifest.open("a+b") as file:
        end = file.tell()
        file.seek(max(end - _MAX_STEP, 0))
        tail = file.read()
        whole = end - len(tail) + tail.rfind(b"\n") + 1
        file.truncate(whole)
    try:
        with manifest.open("ab") as file:
            file.write(_line(step))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        _shorten(manifest, whole)
        raise
    return whole


def _shorten(manifest: Path, length: int) -> None:
    """Take the last step out of the log, which had ``length`` bytes before; it is removed if it had none."""
    with suppress(OSError):
        if length:
            os.truncate(manifest, length)
        else:
            manifest.unlink()


def read_steps(folder: Path) -> list[Step]:
    """Return the steps of a sorted folder, first step first; empty if it has no log.

    Raises:
        LivemoodError: The log is damaged or from a newer livemood, or cannot be read.
    """
    manifest = folder / MANIFEST
    if not is_file(manifest):
        return []
    try:
        lines = manifest.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise LivemoodError(f"{manifest} could not be read ({error.strerror or error})") from error
    steps: list[Step] = []
    for line in lines:
        if not line.endswith(b"\n"):  # incomplete, so its step was never done
            break
        try:
            steps.append(_step_from(json.loads(line.decode(errors=NOT_UTF8))))
        except (ValueError, TypeError, RecursionError) as error:
            raise LivemoodError(f"{manifest} is damaged or from another livemood; nothing was changed") from error
    return steps


def _step_from(data: dict[str, object]) -> Step:
    step = Step(**data)  # type: ignore[arg-type]
    texts = (step.how, step.source, step.target, step.link or "")
    are_names = all(isinstance(text, str) and "\0" not in text for text in texts)
    target = Path(step.target if are_names else "")
    inside = target.name and not target.is_absolute() and ".." not in target.parts
    if step.v != _VERSION or not inside or step.how not in ("copy", "move", "link"):
        raise ValueError(f"no step of ours: {data}")
    return step


def write_steps(folder: Path, steps: Sequence[Step]) -> None:
    """Replace the steps of a sorted folder.

    Raises:
        SinkError: The log cannot be written.
    """
    with atomic_write(folder / MANIFEST, None, force=True) as part:
        part.write_bytes(b"".join(map(_line, steps)))


def _line(step: Step) -> bytes:
    return json_line(asdict(step)).encode(errors=NOT_UTF8)


def is_made_by_sorting(folder: Path) -> Callable[[Path], bool]:
    """Return a function that returns whether an earlier run put a file into ``folder``."""
    made = {_absolute(folder / step.target) for step in read_steps(folder)}
    manifest = _absolute(folder / MANIFEST)
    return lambda path: _absolute(path) in made or _absolute(path) == manifest


def _absolute(path: Path) -> Path:
    """Return the absolute path with links in its folders resolved; the last part may be a link."""
    return real_path(path.parent) / path.name


def same_content(one: Path, other: Path) -> bool:
    """Return whether two files hold the same bytes, or are the same file."""
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or a file system without hard links
        target.symlink_to(source.resolve())


def move(source: Path, target: Path, link: str | None = None) -> None:
    """Move a file, replacing none; between disks, the copy is complete before the original is removed.

    Args:
        source: The file, or a symbolic link.
        target: Its new path.
        link: Text of a symbolic link at its new path; by default the same.

    Raises:
        SinkError: It cannot be written, or the original cannot be removed; it is not at its new path then.
    """
    if source.is_symlink():
        try:
            target.symlink_to(link or source.readlink())
        except OSError as error:
            raise unwritable(target, _SETTING, error) from error
    else:
        _place(source, target)
    try:
        source.unlink(missing_ok=True)
    except OSError as error:
        with suppress(OSError):
            target.unlink()
        raise SinkError(f"{source} could not be removed ({error.strerror or error})", "use {copy} or {link}") from error


def _place(source: Path, target: Path) -> None:
    """Give a file a second path, or a new one, or a copy there; unlike a renaming alone, this replaces no file."""
    with suppress(OSError):
        os.link(source, target)
        return
    if not os.path.lexists(target):  # no hard links here, or another disk
        with suppress(OSError):
            os.rename(source, target)  # noqa: PTH104  # fails between disks, which Path.replace does not promise
            return
    with atomic_write(target, _SETTING) as part:
        shutil.copy2(source, part)

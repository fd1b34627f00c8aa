"""Photos sorted into folders named after their emotion, with a log with which the sorting can be undone."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from livemood.core.errors import LivemoodError, SinkError
from livemood.core.labels import UNSURE
from livemood.core.settings import SortBy
from livemood.core.text_tables import NOT_UTF8
from livemood.core.types import Mood
from livemood.runtime.atomic_io import atomic_write, note_written, unwritable
from livemood.runtime.paths import is_file, real_path

How = Literal["copy", "move", "link"]
"""How a photo gets into its folder."""

NO_FACE: Final = "no-face"
MANIFEST: Final = "livemood-sorted.jsonl"
"""Name of the log, in the folder that photos were sorted into."""

_SETTING: Final = "sort_into"
_VERSION: Final = 1
_MAX_STEP: Final = 1 << 16  # bytes of a line; a path has 4,096 at most
_SIDECARS: Final = (".xmp", ".XMP")


def folder_for(moods: Sequence[Mood], by: SortBy = "most") -> str:
    """Return the name of the folder for a photo: an emotion, ``unsure`` or ``no-face``.

    Args:
        moods: Largest face first.
        by: ``most``: the most frequent emotion, ``unsure`` faces not counted; of equally frequent ones, that of the
            largest face. ``largest``: the label of the largest face. ``smile``: as ``most``, and happy photos in
            ``happy/open`` and ``happy/closed`` by the most frequent kind of smile, if it is told.
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
    """

    how: How
    source: str
    target: str
    size: int
    mtime_ns: int
    v: int = _VERSION


class SortedFolder:
    """Puts photos into ``folder``/LABEL/ with their names and times; no file there is replaced.

    A step is logged before it is done, so that an interrupted one can be undone too. A photo that the log already has
    is skipped.

    Args:
        folder: The sorted folder.
        how: ``copy``, ``move`` or ``link`` (a hard link; between two disks a symbolic one).
    """

    def __init__(self, folder: Path, how: How) -> None:
        self._folder, self._how = folder, how
        self._done = {step.source for step in read_steps(folder) if (folder / step.target).exists()}

    def put(self, photo: Path, label: str) -> None:
        """Put a photo, and any sidecar beside it, into the folder of a label.

        Raises:
            SinkError: It cannot be written.
        """
        try:
            if str(_absolute(photo)) in self._done:
                return
            wanted = self._folder / label / photo.name
            if _absolute(wanted) == _absolute(photo):
                raise SinkError(f"{photo} is a photo to be read", f"choose another {{{_SETTING}}}")
            target = self._free(wanted)
            sidecars = [
                (file, target.with_name(file.name.replace(photo.name, target.name, 1))) for file in _sidecars(photo)
            ]
            self._step(photo, target)
            for file, place in sidecars:
                self._step(file, self._free(place))
        except OSError as error:
            if isinstance(error, LivemoodError):
                raise
            raise unwritable(self._folder / label / photo.name, _SETTING, error) from error

    def _free(self, target: Path) -> Path:
        """Return an unused path: with the photo's own name, or with a number added."""
        place, count = target, 1
        while os.path.lexists(place):
            count += 1
            place = target.with_stem(f"{target.stem}-{count}")
        return place

    def _step(self, source: Path, target: Path) -> None:
        about = source.stat()
        target.parent.mkdir(parents=True, exist_ok=True)
        relative = target.relative_to(self._folder).as_posix()
        step = Step(self._how, str(_absolute(source)), relative, about.st_size, about.st_mtime_ns)
        _append(self._folder / MANIFEST, step)
        note_written(self._folder / MANIFEST)
        self._done.add(step.source)
        if self._how == "link":
            _link(source, target)
        elif self._how == "move":
            _move(source, target)
        else:
            with atomic_write(target, _SETTING) as part:
                shutil.copy2(source, part)


def _append(manifest: Path, step: Step) -> None:
    """Add a step to the log; an incomplete last line is removed, because its step was never done."""
    with manifest.open("a+b") as file:
        end = file.tell()
        file.seek(max(end - _MAX_STEP, 0))
        tail = file.read()
        whole = end - len(tail) + tail.rfind(b"\n") + 1
        file.truncate(whole)
        file.seek(whole)
        try:
            file.write((json.dumps(asdict(step), ensure_ascii=False) + "\n").encode(errors=NOT_UTF8))
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                file.truncate(whole)
            raise


def read_steps(folder: Path) -> list[Step]:
    """Return the steps of a sorted folder, first step first; empty if it has no log.

    Raises:
        LivemoodError: The log is damaged or from a newer livemood.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return []
    steps: list[Step] = []
    for line in manifest.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):  # incomplete, so its step was never done
            break
        try:
            steps.append(_step_from(json.loads(line.decode(errors=NOT_UTF8))))
        except (ValueError, TypeError, KeyError) as error:
            raise LivemoodError(f"{manifest} is damaged or from another livemood; nothing was changed") from error
    return steps


def _step_from(data: dict[str, object]) -> Step:
    step = Step(**data)  # type: ignore[arg-type]
    texts = all(isinstance(text, str) for text in (step.how, step.source, step.target))
    inside = texts and not Path(step.target).is_absolute() and ".." not in Path(step.target).parts
    if step.v != _VERSION or not inside or step.how not in ("copy", "move", "link"):
        raise ValueError(f"no step of ours: {data}")
    return step


@dataclass(frozen=True, slots=True)
class Undone:
    """The outcome of undoing one step; ``kept`` says why it was not undone, None if it was."""

    step: Step
    kept: str | None = None


def undo(folder: Path) -> Iterator[Undone]:
    """Undo the steps of a sorted folder, last step first; empty folders and an empty log are removed.

    A photo that was moved is moved back, unless its old path is taken. A copy or link is removed, unless it was changed
    or is the only one left. Steps that were not undone stay in the log.

    Raises:
        LivemoodError: The folder has no log, or a damaged one.
        SinkError: The log cannot be written.
    """
    steps = read_steps(folder)
    if not steps:
        raise LivemoodError(f"{folder} has no {MANIFEST}", "name a folder that photos were sorted into")
    undone: set[int] = set()
    try:
        for place in reversed(range(len(steps))):
            kept = _undo(folder, steps[place])
            if kept is None:
                undone.add(place)
            yield Undone(steps[place], kept)
    finally:
        _rewrite(folder, [step for place, step in enumerate(steps) if place not in undone])


def _undo(folder: Path, step: Step) -> str | None:
    """Undo one step; return why it was not undone, None if it was."""
    source, target = Path(step.source), folder / step.target
    try:
        if not os.path.lexists(target):
            gone = step.how == "move" and not os.path.lexists(source)
            return f"{target} and {source} are not there any more" if gone else None
        if step.how == "move":
            if os.path.lexists(source):
                return f"{source} is there already; {target} stays where it is"
            source.parent.mkdir(parents=True, exist_ok=True)
            _move(target, source)
        elif not source.exists():
            return f"{target} stays: {source} is not there any more"
        else:
            now = target.stat()
            if (now.st_size, now.st_mtime_ns) != (step.size, step.mtime_ns) and not target.samefile(source):
                return f"{target} was changed, and stays"
            target.unlink()
        _remove_empty(target.parent, folder)
    except OSError as error:
        return f"{target} could not be put back ({error.strerror or error})"
    return None


def _remove_empty(place: Path, top: Path) -> None:
    with suppress(OSError):
        while place != top:
            place.rmdir()
            place = place.parent


def _rewrite(folder: Path, steps: Sequence[Step]) -> None:
    manifest = folder / MANIFEST
    if steps:
        with atomic_write(manifest, _SETTING, force=True) as part:
            lines = (json.dumps(asdict(step), ensure_ascii=False) + "\n" for step in steps)
            part.write_bytes("".join(lines).encode(errors=NOT_UTF8))
        return
    with suppress(OSError):
        manifest.unlink()
        folder.rmdir()


def is_made_by_sorting(folder: Path) -> Callable[[Path], bool]:
    """Return a function that returns whether an earlier run put a file into ``folder``."""
    made = {_absolute(folder / step.target) for step in read_steps(folder)}
    manifest = _absolute(folder / MANIFEST)
    return lambda path: _absolute(path) in made or _absolute(path) == manifest


def _absolute(path: Path) -> Path:
    """Return the absolute path with links in its folders resolved; the last part may be a link."""
    return real_path(path.parent) / path.name


def _sidecars(photo: Path) -> list[Path]:
    """Return the sidecars named after a photo's full name; ``NAME.xmp`` may belong to another photo ``NAME.*``."""
    return [file for ending in _SIDECARS if is_file(file := photo.with_name(photo.name + ending))]


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or a file system without hard links
        target.symlink_to(source.resolve())


def _move(source: Path, target: Path) -> None:
    """Move a file; between disks, the copy is complete before the original is removed."""
    try:
        os.rename(source, target)  # noqa: PTH104  # fails between disks, which Path.replace does not promise
    except OSError:
        with atomic_write(target, _SETTING) as part:
            shutil.copy2(source, part, follow_symlinks=False)
        if not target.exists():
            raise SinkError(f"{target} could not be written; {source} stays where it is") from None
        source.unlink()

"""The photos of folders, and which files are skipped and why."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livemood.core.errors import ImageUnreadable
from livemood.runtime.paths import is_file, is_folder, is_link
from livemood.sources.image.formats import skip_reason

_BROKEN_LINK: Final = ("broken link", "it points to no file that can be reached")
_DEVICE: Final = ("no file", "it is a device or a pipe, or its folder may not be entered")
_KINDS_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file in a folder that is not read.

    Attributes:
        path: The file.
        kind: Such as ``raw photo``.
        why: The reason, or what to do.
    """

    path: Path
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """The photos to read, without duplicates, and the skipped files."""

    photos: list[Path]
    skipped: list[Skipped]


def find_photos(paths: Sequence[Path], is_ours: Callable[[Path], bool] = lambda _: False) -> Found:
    """Replace folders by the pictures in them and below, sorted by name.

    Links to folders are not followed, so that a loop of links ends.

    Args:
        paths: Files, taken as they are, and folders.
        is_ours: Whether livemood made a file or folder itself; inside folders, these are skipped.
    """
    photos: list[Path] = []
    skipped: list[Skipped] = []
    for path in _once(paths):
        if not is_folder(path):
            photos.append(path)
            continue
        inside: list[Path] = []
        for file, why in walk(path, is_ours, skip_reason):
            if why is None:
                inside.append(file)
            else:
                skipped.append(Skipped(file, *why))
        photos += sorted(inside)
    return Found(_once(photos), sorted(skipped, key=lambda one: one.path))


def photos_of_each(paths: Sequence[Path], is_ours: Callable[[Path], bool] = lambda _: False) -> Found:
    """Return what ``find_photos`` does, if each folder holds a picture.

    Raises:
        ImageUnreadable: A folder holds none.
    """
    each = {path: find_photos([path], is_ours) for path in _once(paths)}
    for path, found in each.items():
        if not found.photos:
            raise ImageUnreadable(f"{path} contains no pictures{kinds_of(found.skipped)}")
    photos = _once(photo for found in each.values() for photo in found.photos)
    return Found(photos, [one for found in each.values() for one in found.skipped])


def kinds_of(skipped: Iterable[Skipped]) -> str:
    """Return the most frequent kinds of skipped files, such as `` (2 x raw photo, 1 x video)``; empty without any."""
    kinds = Counter(one.kind for one in skipped).most_common(_KINDS_TOLD)
    return f" ({', '.join(f'{count} x {kind}' for kind, count in kinds)})" if kinds else ""


def _once(paths: Iterable[Path]) -> list[Path]:
    """Return the paths without those that name a file again; two links to one file are two files."""
    once: dict[Path, Path] = {}
    for path in paths:
        once.setdefault(path.absolute(), path)
    return list(once.values())


def walk(
    folder: Path, is_ours: Callable[[Path], bool], skip_reason: Callable[[Path], tuple[str, str] | None]
) -> Iterator[tuple[Path, tuple[str, str] | None]]:
    """Yield the files in a folder and below, each with its kind and why it is not read; None where it is.

    Args:
        folder: Links to folders in it are not followed.
        is_ours: Whether livemood made a file or folder itself; these are not read.
        skip_reason: The same for any other file.
    """
    unreadable: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=unreadable.append):
        here = Path(place)
        for name in list(folders):
            inner = here / name
            why = _why_no_entry(inner, is_ours)
            if why:
                folders.remove(name)
                yield inner, why
        for name in files:
            file = here / name
            if is_ours(file):
                yield file, ("made by livemood", "livemood does not read its own output")
            elif not is_file(file):
                yield file, _BROKEN_LINK if is_link(file) else _DEVICE
            else:
                yield file, skip_reason(file)
    for error in unreadable:
        yield Path(error.filename or folder), ("unreadable folder", f"it cannot be read ({error.strerror})")


def _why_no_entry(folder: Path, is_ours: Callable[[Path], bool]) -> tuple[str, str] | None:
    if is_link(folder):
        return "link to a folder", "links are not followed; name the folder itself"
    if folder.name.startswith("."):
        return "hidden folder", "its name begins with a dot"
    if is_ours(folder):
        return "made by livemood", "livemood does not read its own output"
    return None

"""The photos of folders, and which files are skipped and why."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livemood.core.errors import ImageUnreadable
from livemood.sources.image.formats import why_passed_over

_BROKEN_LINK: Final = ("broken link", "what it points to is not there")
_DEVICE: Final = ("no file", "it is a device or a pipe")


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
    for path in paths:
        if not path.is_dir():
            photos.append(path)
            continue
        inside: list[Path] = []
        for file, why in walk(path, is_ours, why_passed_over):
            if why is None:
                inside.append(file)
            else:
                skipped.append(Skipped(file, *why))
        photos += sorted(inside)
    return Found(list(dict.fromkeys(photos)), sorted(skipped, key=lambda one: one.path))


def image_paths(paths: Sequence[Path], is_ours: Callable[[Path], bool] = lambda _: False) -> list[Path]:
    """Replace folders by the pictures in them and below, sorted by name; hidden files are left out.

    Args:
        paths: Files, taken as they are, and folders.
        is_ours: See ``find_photos``.

    Returns:
        Each file once, in order.

    Raises:
        ImageUnreadable: A folder holds no picture.
    """
    found: list[Path] = []
    for path in paths:
        inside = find_photos([path], is_ours).photos
        if not inside:
            raise ImageUnreadable(f"{path} holds no pictures")
        found += inside
    return list(dict.fromkeys(found))


def walk(
    folder: Path, is_ours: Callable[[Path], bool], why_passed_over: Callable[[Path], tuple[str, str] | None]
) -> Iterator[tuple[Path, tuple[str, str] | None]]:
    """Yield the files in a folder and below, each with its kind and why it is not read; None where it is.

    Args:
        folder: Links to folders in it are not followed.
        is_ours: Whether livemood made a file or folder itself; these are not read.
        why_passed_over: The same for any other file.
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
            elif not file.is_file():
                broken = file.is_symlink()
                yield (
                    file,
                    ("broken link", "what it points to is not there") if broken else ("no file", "it is a device"),
                )
            else:
                yield file, why_passed_over(file)
    for error in unreadable:
        yield Path(error.filename or folder), ("folder", f"it may not be read ({error.strerror})")


def _why_no_entry(folder: Path, is_ours: Callable[[Path], bool]) -> tuple[str, str] | None:
    if folder.is_symlink():
        return "link to a folder", "links are not followed; name the folder itself"
    if is_ours(folder):
        return "made by livemood", "livemood does not read its own output"
    return None

"""The videos of folders with their relative paths, and which files are skipped and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livemood.core.errors import VideoUnreadable
from livemood.runtime.paths import is_folder, real_path
from livemood.sources.image.formats import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from livemood.sources.image.scan import Skipped, kinds_of, walk

SUFFIXES: Final = VIDEO_SUFFIXES | {".3g2", ".asf", ".dv", ".f4v", ".flv", ".m2v", ".mpeg", ".ts", ".vob"}
"""Suffixes, in lower case, of the files that are read from folders; any other file can be given by its path."""
COPY_ENDING: Final = "-moods"
"""Suffix of the default name of a labelled copy."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A video to read.

    Attributes:
        path: The file.
        place: Path relative to the given folder; its name alone if the file itself was given.
    """

    path: Path
    place: Path


@dataclass(frozen=True, slots=True)
class Clips:
    """The videos to read, without duplicates, and the skipped files."""

    clips: list[Clip]
    skipped: list[Skipped]


def find_videos(paths: Sequence[Path], made_in: Sequence[Path] = ()) -> Clips:
    """Replace folders by the videos in them and below, sorted by name.

    With several folders, places begin with the folder's own name, so that ``P01/clip.mp4`` and ``P02/clip.mp4`` differ.
    Links to folders are not followed; hidden files and folders are skipped.

    Args:
        paths: Files, taken as they are, and folders.
        made_in: Folders for results; files in them are skipped.

    Raises:
        VideoUnreadable: A folder holds no video.
    """
    folders = [path for path in paths if is_folder(path)]
    tops = {real_path(top) for top in folders}
    # A folder for results that is around the videos, or is their folder, hides none of them.
    ours = {made for made in map(real_path, made_in) if not any(made in (top, *top.parents) for top in tops)}
    clips: list[Clip] = []
    skipped: list[Skipped] = []
    for path in paths:
        if path not in folders:
            clips.append(Clip(path, Path(path.name)))
            continue
        above = Path(real_path(path).name) if len(folders) > 1 else Path()
        inside, left = _inside(path, lambda one: real_path(one) in ours or _is_copy(one))
        if not inside:
            raise VideoUnreadable(f"{path} contains no videos{kinds_of(left)}")
        clips += (Clip(one, above / one.relative_to(path)) for one in inside)
        skipped += left
    once: dict[Path, Clip] = {}
    for clip in clips:  # two links to one file are two videos
        once.setdefault(clip.path.absolute(), clip)
    return Clips(list(once.values()), skipped)


def _inside(folder: Path, is_ours: Callable[[Path], bool]) -> tuple[list[Path], list[Skipped]]:
    files = [
        (file, why)
        for file, why in walk(folder, is_ours, _skip_reason)
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    return sorted(file for file, why in files if not why), [Skipped(file, *why) for file, why in files if why]


def _skip_reason(path: Path) -> tuple[str, str] | None:
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return None
    if suffix == ".gif":
        return "GIF", "name it, if it is to be read as a video"
    if suffix in PICTURE_SUFFIXES:
        return "photo", "livemood image reads it"
    return "other file", "its suffix is not that of a video"


def _is_copy(path: Path) -> bool:
    """Return whether a file is the labelled copy of a video beside it, under its default name."""
    if not path.stem.endswith(COPY_ENDING) or path.suffix.lower() != ".mp4":
        return False
    stem = path.stem.removesuffix(COPY_ENDING)
    return any(path.with_name(f"{stem}{suffix}").exists() for suffix in SUFFIXES)

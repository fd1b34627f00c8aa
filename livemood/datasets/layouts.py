"""Recognise the layout of a data set: class folders, a table beside the pictures, or labels in file names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from livemood.core.counts import counted
from livemood.core.labels import EMOTIONS
from livemood.datasets.class_names import NUMBERED, usual
from livemood.datasets.crop_index import INDEX
from livemood.datasets.files import Files
from livemood.datasets.head_labels import HEADS
from livemood.datasets.label_tables import LabelTable, table_names, tables_of
from livemood.datasets.samples import SplitName
from livemood.sources.image.formats import PICTURE_SUFFIXES

# In lower case; people also write Train and TEST.
_SPLIT_FOLDERS: dict[str, SplitName] = {
    **{"train": "train", "training": "train"},
    **{"valid": "valid", "validation": "valid", "val": "valid"},
    **{"test": "test", "testing": "test"},
}
_PASSED_OVER = frozenset({"__pycache__", "thumbs", "thumbnails", "@eadir", "$recycle.bin", "lost+found"})

# RAF-DB calls pictures train_00001.jpg, and aligned ones train_00001_aligned.jpg; its list has lines train_00001.jpg 5.
_RAF_NAME = re.compile(r"(train|test)_\d+(_aligned)?", re.ASCII)
_RAF_LINE = re.compile(r"((train|test)_\d+)\.\w+ +([1-7])", re.ASCII)
_CODES = {"AN": "angry", "DI": "disgust", "FE": "fear", "AF": "fear", "HA": "happy", "NE": "neutral", "SA": "sad"}
_CODES["SU"] = "surprise"
# JAFFE: KA.AN1.39; KDEF: AF01ANS. The first group is the person.
_CODED = (
    re.compile(r"([A-Z]{2})\.(AN|DI|FE|HA|NE|SA|SU)\d\.\d+"),
    re.compile(r"[AB]([FM]\d\d)(AF|AN|DI|HA|NE|SA|SU)(?:S|HL|HR|FL|FR)"),
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture, the name of its class as in the data, and its split and group if the data gives them."""

    file: str
    name: str
    split: SplitName | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The labelled pictures found in a folder or an archive.

    Attributes:
        found: Labelled pictures.
        skipped: Skipped files, with the reason.
        notes: Notes for the user.
        unread: Notes on files that may hold labels but were not read.
    """

    found: tuple[Labelled, ...]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def read_layout(files: Files) -> Layout:
    """Read the labels from the first of these that fits: RAF-DB's list, class folders, a table, names of files.

    Raises:
        DatasetError: The table is the one that fits, and its labels are ambiguous.
    """
    pictures, skipped = _pictures(files)
    if listed := _raf_db(files, pictures):
        return Layout(listed, skipped, ("labels were read from RAF-DB's list",))
    tables = tables_of(files, pictures)
    folders, unsorted = _class_folders(pictures)
    names = {picture.name for picture in folders}
    no_emotions = len({usual(name) for name in names} - {None}) < 2
    table = next((table for table in tables if 2 * len(table.labels) >= len(pictures) > 0), None)
    if table and no_emotions:
        found = tuple(Labelled(file, name, _split_of(file)) for file, name in table.checked().items())
        without = _without(pictures, found, f"{table.name} does not name it")
        skipped = tuple(line for line in skipped if line != _no_picture(table.name))
        notes = (f"labels were read from {table.name}",)
        return Layout(found, (*skipped, *without), notes, _unread(files, tables, pictures, table.name))
    unread = _unread(files, tables, pictures)
    if (len(names) < 2 or (no_emotions and _are_coded(pictures))) and (named := _file_names(pictures)):
        without = _without(pictures, named, "its name says no class")
        return Layout(named, (*skipped, *without), ("labels were read from the names of the files",), unread)
    return Layout(folders, (*skipped, *unsorted), (), unread)


def _no_picture(name: str) -> str:
    return f"{name}: not a picture"


def _without(pictures: Iterable[str], found: Iterable[Labelled], why: str) -> tuple[str, ...]:
    """Return lines about pictures that have no label."""
    return tuple(f"{file}: {why}" for file in sorted(set(pictures) - {picture.file for picture in found}))


def _pictures(files: Files) -> tuple[list[str], tuple[str, ...]]:
    """Return the pictures, and lines about other files, empty folders and pictures in ignored folders."""
    pictures, skipped = [], []
    for name in files.names:
        path = PurePosixPath(name)
        if ignored := next((part for part in path.parts[:-1] if part.lower() in _PASSED_OVER), None):
            skipped.append(f"{name}: lies in {ignored}")
        elif path.suffix.lower() not in PICTURE_SUFFIXES:
            if path.name not in (INDEX, HEADS):
                skipped.append(_no_picture(name))
        else:
            pictures.append(name)
    full = {above.as_posix() for inside in (*files.names, *files.folders) for above in PurePosixPath(inside).parents}
    skipped += [
        f"{folder}: {files.closed.get(folder, 'an empty folder')}" for folder in files.folders if folder not in full
    ]
    return pictures, tuple(skipped)


def _class_folders(pictures: list[str]) -> tuple[tuple[Labelled, ...], tuple[str, ...]]:
    """Return the pictures with the names of their class folders, and lines about those that lie in none.

    The class folder is the innermost one named after an emotion, so that there may be folders of people in it; where
    fewer than two emotions are named, it is the innermost one.
    """
    above = {name: PurePosixPath(name).parts[:-1] for name in pictures}
    emotions = {name: next(filter(usual, reversed(parts)), None) for name, parts in above.items()}
    if len({usual(folder) for folder in emotions.values() if folder}) < 2:
        emotions = {}
    found, unsorted = [], []
    for name, parts in above.items():
        folder = emotions.get(name) or next(iter(parts[-1:]), "")
        if not folder or is_split_folder(folder):
            unsorted.append(f"{name}: lies in no class folder")
        else:
            found.append(Labelled(name, folder, _split_of(name)))
    raf = NUMBERED["RAF-DB"]
    if found and all(picture.name in raf and _RAF_NAME.fullmatch(_stem(picture.file)) for picture in found):
        found = [Labelled(picture.file, raf[picture.name], picture.split) for picture in found]
    return tuple(found), tuple(unsorted)


def _raf_db(files: Files, pictures: list[str]) -> tuple[Labelled, ...]:
    """Return the pictures with labels from RAF-DB's list, the aligned ones if there are any."""
    for name in files.names:
        if not name.lower().endswith(".txt") or "label" not in name.lower():
            continue
        lines = files.read(name).decode("ascii", errors="replace").splitlines()
        matches = [match for line in lines if (match := _RAF_LINE.fullmatch(line.strip()))]
        if not matches or len(matches) * 2 < len(lines):
            continue
        by_stem = {_stem(file): file for file in pictures}
        found = []
        for match in matches:
            file = by_stem.get(f"{match[1]}_aligned") or by_stem.get(match[1])
            if file:
                found.append(Labelled(file, NUMBERED["RAF-DB"][match[3]], _SPLIT_FOLDERS[match[2]]))
        if found:
            return tuple(found)
    return ()


def _are_coded(pictures: list[str]) -> bool:
    """Return whether most names have a code of JAFFE or KDEF, whose folders are people."""
    return 2 * sum(any(pattern.fullmatch(_stem(file)) for pattern in _CODED) for file in pictures) > len(pictures)


def _file_names(pictures: list[str]) -> tuple[Labelled, ...]:
    """Return labels from file names such as ``anger_0.jpg`` or JAFFE's ``KA.AN1.39.tiff``, if most names have one."""
    found = []
    for file in pictures:
        coded = next((match for pattern in _CODED if (match := pattern.fullmatch(_stem(file)))), None)
        if coded:
            found.append(Labelled(file, _CODES[coded[2]], _split_of(file), f"person {coded[1]}"))
            continue
        emotions = {usual(word) for word in re.split(r"[\W\d_]+", _stem(file))} - {None}
        if len(emotions) == 1:
            found += [Labelled(file, emotion, _split_of(file)) for emotion in emotions if emotion]
    return tuple(found) if 2 * len(found) >= len(pictures) and len({p.name for p in found}) > 1 else ()


def _unread(
    files: Files, tables: Iterable[LabelTable], pictures: list[str], read: str | None = None
) -> tuple[str, ...]:
    """Return notes on files that may hold labels or pictures but were not read; ``read`` is the table that was."""
    notes = []
    if files.outside:
        notes.append(
            f"{counted(len(files.outside), 'file')} left out, whose paths lead out of the zip, such as "
            f"{files.outside[0]!r}"
        )
    notes += [f"{table.name} was not read: {table.why_not(pictures, read)}" for table in tables if table.name != read]
    if read is None:
        known = {table.name for table in tables}
        lists = [name for name in files.names if name.lower().endswith(".txt") and "label" in name.lower()]
        notes += [
            f"{name} was not read; to use it, name its columns file and label in its first line, or put pictures into "
            f"folders such as {EMOTIONS[1]}/"
            for name in (*lists, *table_names(files))
            if name not in known
        ]
    return tuple(notes[:3])


def _split_of(file: str) -> SplitName | None:
    parts = (part.lower() for part in PurePosixPath(file).parts[:-1])
    return next((_SPLIT_FOLDERS[part] for part in parts if part in _SPLIT_FOLDERS), None)


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def is_split_folder(name: str) -> bool:
    """Return whether a folder's name is that of a split."""
    return name.lower() in _SPLIT_FOLDERS

"""Recognise the layout of a data set: class folders, a table beside the pictures, or labels in file names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTIONS
from livemood.datasets.class_names import NUMBERED, usual
from livemood.datasets.crop_index import INDEX
from livemood.datasets.files import Files
from livemood.datasets.head_labels import HEADS
from livemood.datasets.samples import SplitName
from livemood.sources.image.formats import PICTURE_SUFFIXES

# In lower case; people also write Train and TEST.
_SPLIT_FOLDERS: dict[str, SplitName] = {
    **{"train": "train", "training": "train"},
    **{"valid": "valid", "validation": "valid", "val": "valid"},
    **{"test": "test", "testing": "test"},
}
_PASSED_OVER = frozenset({"__pycache__", "thumbs", "thumbnails", "@eadir", "$recycle.bin", "lost+found"})

_FILE_COLUMNS = ("file", "filename", "image", "path", "name", "picture", "img", "imagename", "pic", "filepath")
_LABEL_COLUMNS = ("emotion", "label", "expression", "class", "category")
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
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture, the name of its class as in the data, and its split and group if the data gives them."""

    file: str
    name: str
    split: SplitName | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Attributes:
    found: Labelled pictures.
    skipped: Skipped files, with the reason.
    notes: Notes for the user.
    """

    found: tuple[Labelled, ...]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_layout(files: Files) -> Layout:
    """Read the labels from the first of these that fits: RAF-DB's list, class folders, a table, names of files."""
    pictures, skipped = _pictures(files)
    if listed := _raf_db(files, pictures):
        return Layout(listed, skipped, ("labels were read from RAF-DB's list",))
    folders, unsorted = _class_folders(pictures)
    names = {picture.name for picture in folders}
    by_table = _table(files, pictures)
    if by_table and len({usual(name) for name in names} - {None}) < 2:
        table, found = by_table
        unnamed = sorted(set(pictures) - {picture.file for picture in found})
        without = tuple(f"{file}: {table} does not name it" for file in unnamed)
        return Layout(found, (*skipped, *without), (f"labels were read from {table}",))
    notes = (f"{by_table[0]} was not read: the class folders say what the pictures show",) if by_table else ()
    if len(names) < 2 and (named := _file_names(pictures)):
        unnamed = sorted(set(pictures) - {picture.file for picture in named})
        without = tuple(f"{file}: its name says no class" for file in unnamed)
        return Layout(named, (*skipped, *without), (*notes, "labels were read from the names of the files"))
    return Layout(folders, (*skipped, *unsorted), (*notes, *_unread(files, by_table)))


def _pictures(files: Files) -> tuple[list[str], tuple[str, ...]]:
    """Return the pictures, and lines about other files, empty folders and pictures in ignored folders."""
    pictures, skipped = [], []
    for name in files.names:
        path = PurePosixPath(name)
        if ignored := next((part for part in path.parts[:-1] if part.lower() in _PASSED_OVER), None):
            skipped.append(f"{name}: lies in {ignored}")
        elif path.suffix.lower() not in PICTURE_SUFFIXES:
            if path.name not in (INDEX, HEADS):
                skipped.append(f"{name}: not a picture")
        else:
            pictures.append(name)
    full = {above.as_posix() for inside in (*files.names, *files.folders) for above in PurePosixPath(inside).parents}
    skipped += [f"{folder}: an empty folder" for folder in files.folders if folder not in full]
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


def _table(files: Files, pictures: list[str]) -> tuple[str, tuple[Labelled, ...]] | None:
    """Return the table that names at least half of the pictures, and the pictures with its labels."""
    for table in files.names:
        if not table.lower().endswith((".csv", ".tsv")) or PurePosixPath(table).name in (INDEX, HEADS):
            continue
        found = _labelled(files, table, pictures)
        if found and 2 * len(found) >= len(pictures):
            return table, tuple(Labelled(file, name, _split_of(file)) for file, name in found.items())
    return None


def _labelled(files: Files, table: str, pictures: list[str]) -> dict[str, str]:
    try:
        rows = iter(list(files.rows(table)))
    except DatasetError:  # it may hold something else
        return {}
    columns = [re.sub(r"[\s._-]+", "", cell).lower() for cell in next(rows, [])]
    file_at = next((columns.index(name) for name in _FILE_COLUMNS if name in columns), None)
    label_at = next((columns.index(name) for name in _LABEL_COLUMNS if name in columns), None)
    if file_at is None or label_at is None:
        return {}
    by_name = _by_name(pictures, PurePosixPath(table).parent.as_posix())
    found = {}
    for row in rows:
        if len(row) > max(file_at, label_at):
            file, label = by_name.get(row[file_at].strip().replace("\\", "/")), row[label_at].strip()
            if file and 0 < len(label) < _LONGEST_LABEL:
                found[file] = label
    return found


def _by_name(pictures: list[str], folder: str) -> Mapping[str, str]:
    """Return pictures by full path, by path relative to a folder, and by name alone where it is unique."""
    names: dict[str, list[str]] = {}
    for picture in pictures:
        names.setdefault(PurePosixPath(picture).name, []).append(picture)
    short = {name: found[0] for name, found in names.items() if len(found) == 1}
    inside = {p.removeprefix(f"{folder}/"): p for p in pictures if p.startswith(f"{folder}/")}
    return {**short, **inside, **{picture: picture for picture in pictures}}


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


def _unread(files: Files, read: object) -> tuple[str, ...]:
    """Return notes on files that may hold labels but were not recognised."""
    if read:
        return ()
    tables = [n for n in files.names if n.lower().endswith((".csv", ".tsv", ".txt")) and "label" in n.lower()]
    return tuple(
        f"{name} was not read; to use it, name its columns file and label, or put pictures into folders such as "
        f"{EMOTIONS[1]}/"
        for name in tables[:3]
    )


def _split_of(file: str) -> SplitName | None:
    parts = (part.lower() for part in PurePosixPath(file).parts[:-1])
    return next((_SPLIT_FOLDERS[part] for part in parts if part in _SPLIT_FOLDERS), None)


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def is_split_folder(name: str) -> bool:
    """Return whether a folder's name is that of a split."""
    return name.lower() in _SPLIT_FOLDERS

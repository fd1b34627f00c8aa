"""Recognise the layout of a data set: class folders, a table beside the pictures, or labels in file names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from livemood.core.counts import counted
from livemood.core.labels import EMOTIONS
from livemood.datasets.class_names import NUMBERED, usual
from livemood.datasets.crop_index import INDEX
from livemood.datasets.files import Files
from livemood.datasets.head_labels import HEADS
from livemood.datasets.label_tables import PIXELS, LabelTable, holds_pixels, read_together, table_names, tables_of
from livemood.datasets.samples import SPLIT_WORDS, SplitName, split_of_folder
from livemood.sources.image.formats import PICTURE_SUFFIXES

_IGNORED_FOLDERS = frozenset({"__pycache__", "thumbs", "thumbnails", "@eadir", "$recycle.bin", "lost+found"})
# Files in which labels are handed out, besides tables.
_MAY_LABEL = frozenset({".lst", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".mat", ".npy", ".npz", ".pkl", ".parquet"})
_MAY_LABEL |= {".txt", ".xls", ".xlsx", ".ods"}
_FOLDERS_SAY = "the class folders say what the pictures show"
_SAYS_LABELS = re.compile("label|annotation|emotion|expression", re.IGNORECASE)
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".xz", ".7z", ".rar")
_NO_LABELS = re.compile("readme|licen[cs]e|requirements|citation", re.IGNORECASE)

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
    """Read the labels from the first of these that fits: RAF-DB's list, class folders, tables, names of files.

    Raises:
        DatasetError: Tables are what fits, and their labels are ambiguous.
    """
    pictures, skipped = _pictures(files)
    if raf := _raf_db(files, pictures):
        listed, name = raf
        return Layout(listed, _without(skipped, [name]), ("labels were read from RAF-DB's list",))
    tables = tables_of(files, pictures)
    folders, unsorted = _class_folders(pictures)
    names = {picture.name for picture in folders}
    no_emotions = len({usual(name) for name in names} - {None}) < 2
    together = read_together(tables, pictures)
    if together and no_emotions:
        found, read = _from_tables(together), [table.name for table in together]
        unlabelled = _unlabelled(pictures, found, f"{', '.join(read)} {'do' if read[1:] else 'does'} not name it")
        notes = (f"labels were read from {', '.join(read)}",)
        return Layout(found, (*_without(skipped, read), *unlabelled), notes, _unread(files, tables, pictures, read))
    if (len(names) < 2 or (no_emotions and _are_coded(pictures))) and (named := _file_names(pictures)):
        unlabelled = _unlabelled(pictures, named, "its name says no class")
        notes = ("labels were read from the names of the files",)
        return Layout(named, (*skipped, *unlabelled), notes, _unread(files, tables, pictures, label_found=True))
    unread = _unread(files, tables, pictures, in_folders=not no_emotions, label_found=len(names) > 1)
    return Layout(folders, (*skipped, *unsorted), (), unread)


def _from_tables(tables: Sequence[LabelTable]) -> tuple[Labelled, ...]:
    """Return the pictures of tables; their splits are those of a column, the path, or the tables' own names."""
    apart = len({table.split for table in tables}) > 1
    return tuple(
        Labelled(file, name, table.splits.get(file) or _split_of(file) or (table.split if apart else None))
        for table in tables
        for file, name in table.checked().items()
    )


def _without(skipped: Iterable[str], read: Iterable[str]) -> tuple[str, ...]:
    """Return the lines about skipped files, without those of files that were read."""
    lines = {_no_picture(name) for name in read}
    return tuple(line for line in skipped if line not in lines)


def _no_picture(name: str) -> str:
    return f"{name}: not a picture"


def _unlabelled(pictures: Iterable[str], found: Iterable[Labelled], why: str) -> tuple[str, ...]:
    """Return lines about pictures that have no label."""
    return tuple(f"{file}: {why}" for file in sorted(set(pictures) - {picture.file for picture in found}))


def _pictures(files: Files) -> tuple[list[str], tuple[str, ...]]:
    """Return the pictures, and lines about other files, empty folders and pictures in ignored folders."""
    pictures, skipped = [], []
    for name in files.names:
        path = PurePosixPath(name)
        if ignored := next((part for part in path.parts[:-1] if part.lower() in _IGNORED_FOLDERS), None):
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
    fewer than two emotions are named, it is the innermost one. FERG repeats the person's folder in it: ``aia/aia_joy``.
    """
    above = {name: PurePosixPath(name).parts[:-1] for name in pictures}
    emotions = _emotions(above) or _emotions({name: _own_names(parts) for name, parts in above.items()})
    found, unsorted = [], []
    for name, parts in above.items():
        folder = emotions.get(name) or next(iter(parts[-1:]), "")
        if not folder or split_of_folder(folder):
            unsorted.append(f"{name}: lies in no class folder")
        else:
            found.append(Labelled(name, folder, _split_of(name)))
    raf = NUMBERED["RAF-DB"]
    if found and all(picture.name in raf and _RAF_NAME.fullmatch(_stem(picture.file)) for picture in found):
        found = [Labelled(picture.file, raf[picture.name], picture.split) for picture in found]
    return tuple(found), tuple(unsorted)


def _emotions(above: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the innermost folder named after an emotion, by picture; empty if fewer than two emotions are named."""
    found = {name: next(filter(usual, reversed(parts)), "") for name, parts in above.items()}
    return found if len({usual(folder) for folder in found.values() if folder}) > 1 else {}


def _own_names(folders: Sequence[str]) -> tuple[str, ...]:
    """Return the names of nested folders, each without that of the folder above it: aia, joy for aia, aia_joy."""
    return tuple(
        name.removeprefix(f"{above}_") if above else name for above, name in zip(("", *folders), folders, strict=False)
    )


def _raf_db(files: Files, pictures: list[str]) -> tuple[tuple[Labelled, ...], str] | None:
    """Return the pictures with labels from RAF-DB's list, the aligned ones if there are any, and the list's name."""
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
                found.append(Labelled(file, NUMBERED["RAF-DB"][match[3]], SPLIT_WORDS[match[2]]))
        if found:
            return tuple(found), name
    return None


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
    files: Files,
    tables: Sequence[LabelTable],
    pictures: list[str],
    read: Sequence[str] = (),
    *,
    in_folders: bool = False,
    label_found: bool = False,
) -> tuple[str, ...]:
    """Return notes on files that may hold labels or pictures but were not read.

    Args:
        files: The data set.
        tables: Tables of files and labels in it.
        pictures: The pictures in it.
        read: The tables that were read.
        in_folders: The class folders are named after emotions, which goes before any table.
        label_found: The pictures have labels from elsewhere.
    """
    notes = []
    if files.outside:
        notes.append(
            f"{counted(len(files.outside), 'file')} left out, whose paths lead out of the zip, such as "
            f"{files.outside[0]!r}"
        )
    notes += [
        f"{table.name} was not read: {_FOLDERS_SAY if in_folders else table.why_not(pictures, read)}"
        for table in tables
        if table.name not in read
    ]
    if not read:
        known = {table.name for table in tables}
        others = [name for name in table_names(files) if name not in known]
        if pictures:
            others += _other_label_files(files, label_found)
        else:
            others += [name for name in files.names if name.lower().endswith(_ARCHIVES)]
        notes += [f"{name} was not read{_how_to_use(files, name, in_folders)}" for name in others]
    return tuple(notes[:3])


def _other_label_files(files: Files, label_found: bool) -> list[str]:
    """Return files that are no tables but may hold labels, likely ones first; the likely ones only if labels are found.

    Of the files of one folder and ending, such as an ``.npy`` for each picture, the first stands for all.
    """
    likely, others = dict[tuple[str, str], str](), dict[tuple[str, str], str]()
    for name in files.names:
        path = PurePosixPath(name)
        kind = (path.parent.as_posix(), path.suffix.lower())
        if kind[1] in _MAY_LABEL and not _NO_LABELS.search(path.stem):
            (likely if _SAYS_LABELS.search(name) else others).setdefault(kind, name)
    return [*likely.values(), *(() if label_found else others.values())]


def _how_to_use(files: Files, name: str, in_folders: bool) -> str:
    """Return why a file that may hold labels was not read, or how to use it."""
    is_table = name in table_names(files)
    if is_table and holds_pixels(files, name):
        here = f"{files.path / name}" if files.path.is_dir() else f"{name} unpacked"
        return f": it holds pictures as {PIXELS}; to use it, give {here} in place of {files.path}"
    if name.lower().endswith(_ARCHIVES):
        return ": it is an archive; unpack it, and give what is in it"
    if in_folders:
        return f": {_FOLDERS_SAY}"
    how = "name its columns file and label in its first line" if is_table else "save it as a .csv of file,label"
    return f"; to use it, {how}, or put pictures into folders such as {EMOTIONS[1]}/"


def _split_of(file: str) -> SplitName | None:
    return next(filter(None, map(split_of_folder, PurePosixPath(file).parts[:-1])), None)


def _stem(file: str) -> str:
    return PurePosixPath(file).stem

"""FER2013 and FER+ as they are handed out: folders with ``label.csv``, or ``fer2013.csv`` with ``fer2013new.csv``.

Faces by Goodfellow et al., "Challenges in representation learning", 2013; votes by Barsoum et al., "Training deep
networks for facial expression recognition with crowd-sourced label distribution", 2016.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.core.types import Image
from livemood.datasets.files import Files, decode
from livemood.datasets.samples import FER2013_HEAD, FER2013_LABELS, Collection, Sample, SplitName

_FOLDERS: dict[str, SplitName] = {"FER2013Train": "train", "FER2013Valid": "valid", "FER2013Test": "test"}
_USAGES: dict[str, SplitName] = {"training": "train", "publictest": "valid", "privatetest": "test"}
# Longest line of a fer2013.csv that is read: a picture of 600 px has 1.5 MB. Python's csv would stop at 128 kB a cell.
_MAX_LINE = 1 << 21
_COLUMNS = 12  # name, box, eight emotions, unknown, not-a-face
_MAX_VOTES = 1_000_000
_VOTE_COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
    *("unknown", "nf"),
)


def tables(files: Files) -> list[str]:
    """Return the FER+ label tables among the files."""
    return [name for name in files.names if name.rpartition("/")[2] == "label.csv"]


def from_folders(files: Files) -> Collection:
    """Read the layout of the FER+ project's generator, and ``fer2013_labels.csv`` where it lies beside.

    Raises:
        DatasetError: A table has other columns, lies in a folder of another name, or names pictures that are not there.
    """
    own: dict[str, str] = {}
    for name in files.names:
        if name.endswith("fer2013_labels.csv"):
            own = {row[0]: row[2] for row in files.rows(name) if len(row) > 2}
    samples = []
    for table in tables(files):
        folder = table.rpartition("/")[0]
        split = _FOLDERS.get(folder.rpartition("/")[2])
        if split is None:
            raise DatasetError(f"{table} lies in none of {', '.join(_FOLDERS)}; keep the FER+ folder names")
        for number, row in enumerate(files.rows(table), 1):
            if not row:
                continue
            votes = _votes(row[2:_COLUMNS])
            if votes is None:
                raise DatasetError(
                    f"{table} line {number}: expected name, box and ten vote counts, got {','.join(row)[:80]!r}"
                )
            label = own.get(row[0], "")
            others = {FER2013_HEAD: label} if label in FER2013_LABELS else {}
            samples.append(Sample(f"{folder}/{row[0]}" if folder else row[0], split, votes, others=others))
    here = set(files.names)
    missing = sum(sample.file not in here for sample in samples)
    if missing * 2 > len(samples):
        raise DatasetError(
            f"{files.path}: votes do not match the pictures, {missing} of {len(samples)} that label.csv names are "
            "not there; give votes and pictures of the same set"
        )
    return Collection(_heads(EMOTIONS), tuple(samples), lambda sample: decode(files.read(sample.file)))


def from_csv(path: Path, votes: Path | None) -> Collection:
    """Read ``fer2013.csv``: with FER+ votes eight classes, without them FER2013's own seven.

    Pixels stay in the file until they are asked for, so that memory holds one line at a time.

    Raises:
        DatasetError: Wrong columns, or votes of another set of pictures.
    """
    places, rows = _lines(path)
    names = {name: place for place, name in enumerate(_tidy(rows[0]))}
    if lacking := [name for name in ("emotion", "pixels", "usage") if name not in names]:
        raise DatasetError(
            f"{path} has no column {' and '.join(lacking)}; a fer2013.csv has emotion, pixels and Usage, "
            f"this has {', '.join(rows[0])[:80]}"
        )
    ballots = _ballots(votes, len(rows) - 1) if votes else None
    labels = EMOTIONS if ballots else tuple(name for name in EMOTIONS if name in FER2013_LABELS)
    samples, offsets, skipped = [], {}, []
    for number, (place, row) in enumerate(zip(places[1:], rows[1:], strict=True)):
        try:
            usage = _key(row[names["usage"]])
            split = _USAGES[usage]
            own = FER2013_LABELS[int(row[names["emotion"]])]
        except (ValueError, IndexError, KeyError) as error:
            raise DatasetError(
                f"{path} line {number + 2}: expected an emotion 0..6 and Training, PublicTest or PrivateTest"
            ) from error
        if ballots is None:
            name, counts = f"row {number + 1}", tuple(int(label == own) for label in labels)
        else:
            theirs, name, counts = ballots[number]
            if theirs != usage:
                raise DatasetError(
                    f"{votes} line {number + 2} says {theirs or 'nothing'} where {path} says {usage}: "
                    "votes do not match the pictures; give the fer2013new.csv of this fer2013.csv"
                )
            if not name or not any(counts):
                skipped.append(f"row {number + 1}: FER+ does not count it as a face")
                continue
        samples.append(Sample(name, split, counts, others={FER2013_HEAD: own}))
        offsets[name] = place
    column = names["pixels"]
    return Collection(
        _heads(labels), tuple(samples), lambda sample: _pixels(path, offsets[sample.file], column), tuple(skipped)
    )


def _heads(emotions: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the heads of FER2013's pictures: what voters said, and the label that they came with."""
    return {EMOTION: emotions, FER2013_HEAD: FER2013_LABELS}


def _lines(path: Path) -> tuple[list[int], list[list[str]]]:
    """Return where each line begins, and its cells with the long one (the pixels) cut short."""
    places, rows, place = list[int](), list[list[str]](), 0
    with path.open("rb") as stream:
        while line := stream.readline(_MAX_LINE):
            cells = _cells(line)
            if cells is None or len(line) == _MAX_LINE:
                raise DatasetError(f"{path} line {len(rows) + 1} cannot be read as CSV; give FER2013's fer2013.csv")
            if cells:
                places.append(place)
                rows.append([cell[:40] for cell in cells])
            place += len(line)
    if len(rows) < 2:
        raise DatasetError(f"{path} holds no pictures; a fer2013.csv has one line for each")
    return places, rows


def _cells(line: bytes) -> list[str] | None:
    """Return the cells of one line, or None where it is no CSV."""
    before = csv.field_size_limit(_MAX_LINE)
    try:
        return next(csv.reader([line.decode("utf-8-sig", errors="replace")]), [])
    except csv.Error:
        return None
    finally:
        csv.field_size_limit(before)


def _ballots(path: Path, wanted: int) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return usage, picture name and ten counts of every line of ``fer2013new.csv``."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read ({error}); give FER+'s fer2013new.csv") from error
    names = {name: place for place, name in enumerate(_tidy(rows[0]))} if rows else {}
    if lacking := [name for name in ("usage", "imagename", *_VOTE_COLUMNS) if name not in names]:
        raise DatasetError(f"{path} has no column {' and '.join(lacking)}; give FER+'s fer2013new.csv")
    if len(rows) - 1 != wanted:
        raise DatasetError(
            f"{path} has {len(rows) - 1} lines of votes for {wanted} pictures: votes do not match the pictures; "
            "give the fer2013new.csv of this fer2013.csv"
        )
    found = []
    for number, row in enumerate(rows[1:], 2):
        votes = _votes([row[names[name]] for name in _VOTE_COLUMNS] if len(row) >= len(rows[0]) else [], none_too=True)
        if votes is None:
            raise DatasetError(f"{path} line {number}: expected ten vote counts, got {','.join(row)[:80]!r}")
        found.append((_key(row[names["usage"]]), row[names["imagename"]].strip(), votes))
    return found


def _votes(cells: Sequence[str], none_too: bool = False) -> tuple[int, ...] | None:
    try:
        votes = tuple(int(cell) for cell in cells)
    except ValueError:
        return None
    good = len(votes) == len(_VOTE_COLUMNS) and min(votes) >= 0 and max(votes) <= _MAX_VOTES
    return votes if good and (any(votes) or none_too) else None


def _pixels(path: Path, place: int, column: int) -> Image | None:
    with path.open("rb") as stream:
        stream.seek(place)
        cells = _cells(stream.readline(_MAX_LINE)) or []
    try:
        grey = np.array([int(value) for value in cells[column].split()], np.uint8)
    except (ValueError, OverflowError, IndexError):
        return None
    side = round(len(grey) ** 0.5)
    if side == 0 or side * side != len(grey):
        return None
    return np.asarray(cv2.cvtColor(grey.reshape(side, side), cv2.COLOR_GRAY2BGR), np.uint8)


def _tidy(header: Sequence[str]) -> list[str]:
    return [_key(name) for name in header]


def _key(text: str) -> str:
    return text.strip().lower().replace(" ", "")

"""A CSV that holds the pixels of the pictures: ``fer2013.csv``, with or without votes, and tables of the same form."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.core.text_tables import separator_of
from livemood.core.types import Image
from livemood.datasets.class_names import FEWEST, ClassNames, check_counts, in_order, whole_number
from livemood.datasets.ferplus import read_votes
from livemood.datasets.files import table_of
from livemood.datasets.label_tables import LABEL_COLUMNS, PIXELS
from livemood.datasets.samples import (
    FER2013_HEAD,
    FER2013_LABELS,
    SPLIT_WORDS,
    Collection,
    Sample,
    SplitName,
)

# Longest line that is read: a picture of 600 px has 1.5 MB. Python's csv would stop at 128 kB a cell.
_MAX_LINE = 1 << 21
_VOTE_COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
    *("unknown", "nf"),
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a table: its number, the offset of its first byte, and its cells, with long ones cut off."""

    number: int
    place: int
    cells: list[str]

    def cell(self, column: int) -> str:
        """Return a cell without spaces around it; empty where the line is too short."""
        return self.cells[column].strip() if len(self.cells) > column else ""


def from_csv(path: Path, votes: Path | None, names: ClassNames, fewest: int = FEWEST) -> Collection:
    """Read a table with columns ``emotion`` (a number as in FER2013, or a word), ``pixels`` and optionally ``Usage``.

    Classes are FER+'s eight with votes, FER2013's seven with numbers, or else the words. Pixels are read from the file
    when a picture is, one line at a time.

    Args:
        path: The table.
        votes: FER+'s votes.
        names: How words are mapped to labels.
        fewest: See ``check_counts``; for words only.

    Raises:
        DatasetError: Missing columns, an unknown emotion or split, votes of another set of pictures, or a class to be
            renamed where classes are fixed.
    """
    first, *lines = _lines(path)
    header = _tidy(first.cells)
    label_at = next((header.index(name) for name in LABEL_COLUMNS if name in header), None)
    if label_at is None or PIXELS not in header:
        lacking = [name for name, at in (("emotion", label_at), (PIXELS, header.count(PIXELS) or None)) if at is None]
        raise DatasetError(
            f"{path} has no column {' and '.join(lacking)}, only {', '.join(header)[:80]}",
            "a fer2013.csv has emotion, pixels and Usage",
        )
    usages, places = _usages(path, lines, header), [line.place for line in lines]
    if votes:
        names.check_fixed("FER+")
        return _with_votes(path, places, header, votes, usages, _numbers(path, lines, label_at))
    values = [line.cell(label_at) for line in lines]
    notes: tuple[str, ...] = ()
    heads: dict[str, tuple[str, ...]] = {EMOTION: tuple(name for name in EMOTIONS if name in FER2013_LABELS)}
    if any(whole_number(cell) for cell in values):
        names.check_fixed("FER2013's numbers")
        labels = [FER2013_LABELS[number] for number in _numbers(path, lines, label_at)]
        heads[FER2013_HEAD] = FER2013_LABELS
    else:
        label_of, notes = names.labels(values)
        labels = [label_of[cell] for cell in values]
        check_counts(labels, str(path), fewest)
        heads = {EMOTION: in_order(labels)}
    samples = tuple(
        Sample(
            f"row {number}",
            split,
            tuple(int(one == label) for one in heads[EMOTION]),
            others={FER2013_HEAD: label} if FER2013_HEAD in heads else {},
        )
        for number, (label, (_, split)) in enumerate(zip(labels, usages, strict=True), 1)
    )
    collection = _collection(path, heads, samples, places, header, (), notes)
    return collection if FER2013_HEAD in heads else replace(collection, fewest=fewest)


def _with_votes(
    path: Path,
    places: list[int],
    header: list[str],
    votes: Path,
    usages: list[tuple[str, SplitName | None]],
    numbers: list[int],
) -> Collection:
    samples, kept, skipped = [], [], []
    rows = zip(_vote_rows(votes, len(places)), usages, numbers, places, strict=True)
    for number, ((line, theirs, name, counts), (usage, split), label, place) in enumerate(rows, 1):
        if theirs != usage:
            raise DatasetError(
                f"{votes} line {line} says {theirs or 'nothing'} where {path} says {usage or 'nothing'}: "
                "votes do not match the pictures",
                "give the fer2013new.csv of this fer2013.csv",
            )
        if not name or not any(counts):
            skipped.append(f"row {number}: FER+ does not count it as a face")
            continue
        samples.append(Sample(name, split, counts, others={FER2013_HEAD: FER2013_LABELS[label]}))
        kept.append(place)
    heads = {EMOTION: tuple(EMOTIONS), FER2013_HEAD: FER2013_LABELS}
    return _collection(path, heads, tuple(samples), kept, header, tuple(skipped), ())


def _collection(
    path: Path,
    heads: dict[str, tuple[str, ...]],
    samples: tuple[Sample, ...],
    places: list[int],
    header: list[str],
    skipped: tuple[str, ...],
    notes: tuple[str, ...],
) -> Collection:
    place_of, column = dict(zip((sample.file for sample in samples), places, strict=True)), header.index(PIXELS)
    return Collection(heads, samples, lambda sample: _pixels(path, place_of[sample.file], column), skipped, notes)


def _usages(path: Path, lines: list[_Line], header: list[str]) -> list[tuple[str, SplitName | None]]:
    """Return each line's ``Usage`` and its split; empty if the table has no such column."""
    if "usage" not in header:
        return [("", None)] * len(lines)
    found: list[tuple[str, SplitName | None]] = []
    for line in lines:
        cell = line.cell(header.index("usage"))
        usage = _key(cell)
        if usage not in SPLIT_WORDS:
            raise DatasetError(f"{path} line {line.number}: expected Training, PublicTest or PrivateTest, got {cell!r}")
        found.append((usage, SPLIT_WORDS[usage]))
    return found


def _numbers(path: Path, lines: list[_Line], column: int) -> list[int]:
    found = []
    for line in lines:
        cell = line.cell(column)
        digits = whole_number(cell)
        if digits is None or digits not in set("0123456"):
            raise DatasetError(
                f"{path} line {line.number}: expected an emotion 0..6 as FER2013 counts them, got {cell!r}",
                "write words, such as happy, if they mean something else",
            )
        found.append(int(digits))
    return found


def _lines(path: Path) -> list[_Line]:
    """Return the lines of a table, without empty ones: the header and at least one other."""
    found, number, place = list[_Line](), 0, 0
    with path.open("rb") as stream:
        while line := stream.readline(_MAX_LINE):
            number += 1
            cells = _cells(line)
            if cells is None or len(line) == _MAX_LINE:
                raise DatasetError(f"{path} line {number} cannot be read as CSV", "give FER2013's fer2013.csv")
            if cells:
                found.append(_Line(number, place, [cell[:40] for cell in cells]))
            place += len(line)
    if len(found) < 2:
        raise DatasetError(f"{path} contains no pictures; a fer2013.csv has one line for each")
    return found


def _cells(line: bytes) -> list[str] | None:
    """Return the cells of one line; None if it is not valid CSV."""
    before = csv.field_size_limit(_MAX_LINE)
    try:
        text = line.decode("utf-8-sig", errors="replace")
        return next(csv.reader([text], delimiter=separator_of(text)), [])
    except csv.Error:
        return None
    finally:
        csv.field_size_limit(before)


def _vote_rows(path: Path, wanted: int) -> list[tuple[int, str, str, tuple[int, ...]]]:
    """Return number, usage, picture name and ten counts of every line of ``fer2013new.csv``."""
    header, rows = table_of(path, "FER+'s fer2013new.csv")
    names = {name: place for place, name in enumerate(_tidy(header))}
    if lacking := [name for name in ("usage", "imagename", *_VOTE_COLUMNS) if name not in names]:
        raise DatasetError(f"{path} has no column {' and '.join(lacking)}", "give FER+'s fer2013new.csv")
    if len(rows) != wanted:
        raise DatasetError(
            f"{path} has {len(rows)} lines of votes for {wanted} pictures: votes do not match the pictures",
            "give the fer2013new.csv of this fer2013.csv",
        )
    found = []
    for number, row in rows:
        votes = read_votes(
            [row[names[name]] for name in _VOTE_COLUMNS] if len(row) >= len(header) else [], none_too=True
        )
        if votes is None:
            raise DatasetError(f"{path} line {number}: expected ten vote counts, got {','.join(row)[:80]!r}")
        found.append((number, _key(row[names["usage"]]), row[names["imagename"]].strip(), votes))
    return found


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

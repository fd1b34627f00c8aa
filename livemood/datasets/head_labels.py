"""``heads.csv``: labels of further heads, such as the kind of smile, in addition to the emotion labels."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from livemood.bundles.manifest import MAX_LABEL, is_label
from livemood.core.counts import counted
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.datasets.files import Files, rows_of
from livemood.datasets.picture_names import PictureNames
from livemood.datasets.samples import Collection
from livemood.records.inputs import is_field

HEADS = "heads.csv"
_COLUMNS = ("file", "head", "label")
_HEAD_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def with_head_labels(collection: Collection, files: Files | None, above: str, table: Path | None) -> Collection:
    """Return the collection with labels of further heads, or unchanged if there are none.

    The table has the columns ``file`` (a path in the data set or beside the table, or a name that only one picture
    has), ``head`` and ``label``. Classes of a head come in alphabetical order; a picture may have labels of several
    heads, or of none.

    Args:
        collection: Labelled pictures.
        files: May hold a ``heads.csv``; of several, only the uppermost is read.
        above: The folder in it that holds the pictures, such as ``faces/``.
        table: A table to use instead of a ``heads.csv``.

    Raises:
        DatasetError: The table cannot be read, has no row, other columns, an invalid name of a head or label, a head
            that the data already has, two labels of one head for one picture, a name that several pictures have, a head
            with a single class, or names none of the pictures.
    """
    inside = _tables(files) if files and not table else []
    if table:
        rows, where, folder = _rows(table), str(table), ""
    elif files and inside:
        rows, where = files.rows(inside[0]), f"{inside[0]} in {files.path}"
        folder = PurePosixPath(inside[0].removeprefix(above)).parent.as_posix()
    else:
        return collection
    pictures = PictureNames([sample.file for sample in collection.samples], folder)
    labels = _read(rows, where, set(collection.heads), pictures)
    samples = []
    for sample in collection.samples:
        samples.append(replace(sample, others={**sample.others, **labels.get(sample.file, {})}))
    heads = dict(collection.heads)
    for head in sorted({head for by_head in labels.values() for head in by_head}):
        classes = sorted({sample.others[head] for sample in samples if head in sample.others})
        if len(classes) < 2:
            raise DatasetError(
                f"{where} gives the pictures {counted(len(classes), 'class', 'classes')} of head {head}",
                "expected two or more, and files named as the pictures are",
            )
        heads[head] = tuple(classes)
    unread = [f"{name} was not read: labels of heads were read from {inside[0]}" for name in inside[1:4]]
    return replace(collection, heads=heads, samples=tuple(samples), notes=(*collection.notes, *unread))


def _tables(files: Files) -> list[str]:
    """Return every ``heads.csv``, the uppermost first."""
    return sorted((name for name in files.names if PurePosixPath(name).name == HEADS), key=lambda name: name.count("/"))


def _rows(table: Path) -> Iterator[list[str]]:
    try:
        return rows_of(table.read_bytes(), str(table))
    except OSError as error:
        raise DatasetError(
            f"{table} cannot be read ({error.strerror})", "give {heads} a table of file, head, label"
        ) from error


def _read(rows: Iterator[list[str]], table: str, taken: set[str], pictures: PictureNames) -> dict[str, dict[str, str]]:
    """Return label by head by picture; by what the table has in place of a picture where there is none."""
    columns = [cell.strip().lower() for cell in next(rows, [])]
    if lacking := [column for column in _COLUMNS if column not in columns]:
        raise DatasetError(
            f"{table} has no column {' and '.join(lacking)}; it lists labels of further heads as {', '.join(_COLUMNS)}"
        )
    places = [columns.index(column) for column in _COLUMNS]
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) <= max(places):
            raise DatasetError(f"{table} line {number}: expected {', '.join(_COLUMNS)}, got {','.join(row)[:80]!r}")
        file, head, label = (row[place].strip() for place in places)
        if not _HEAD_NAME.fullmatch(head) or head in taken or head == EMOTION or is_field(head):
            raise DatasetError(
                f"{table} line {number}: {head[:40]!r} cannot be a head of its own",
                "take a name in small letters that neither the data nor the records use yet",
            )
        if not is_label(label):
            raise DatasetError(
                f"{table} line {number}: {label[:MAX_LABEL]!r} cannot be a label",
                "take a name of at most {0} characters that a folder may have on every system",
                MAX_LABEL,
            )
        if labels[pictures.find(file, f"{table} line {number}") or file].setdefault(head, label) != label:
            raise DatasetError(f"{table} line {number}: {file} has another label of head {head} above", "keep one")
    if not labels:
        raise DatasetError(f"{table} has no row below its header", "add rows of file, head, label, or leave it out")
    return labels

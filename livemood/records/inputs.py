"""Records of many inputs in one file: each row also names its photo or video, and the error if that failed.

Five columns come first, then those of a video's records.
"""

import csv
import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import groupby
from math import inf
from pathlib import Path
from typing import Any, BinaryIO, Final

from livemood import records
from livemood.core.errors import LivemoodError
from livemood.core.labels import EMOTION
from livemood.core.text_tables import NOT_UTF8, encoding_of, separator_of
from livemood.records import reading
from livemood.records.files import SUFFIXES
from livemood.records.origin import KEY, is_origin
from livemood.records.parquet import PARQUET, check_sizes, whole_parquet
from livemood.records.schema import EVENT_NAME, REASON, Record, heads_of_columns
from livemood.runtime.optional_deps import required
from livemood.runtime.storage import Store

OWN_COLUMNS: Final = ("path", "width", "height", "faces", "error")
"""Columns in front of those of a video's records."""

PART: Final = "part-{}.parquet"
"""Name of a file of a data set, around its key."""

_MAX_LINE: Final = 1 << 20
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs"}
_REMEDY: Final = "save it as CSV with commas, in UTF-8, or give another file"


@contextmanager
def open_part(store: Store, name: str) -> Iterator[BinaryIO]:
    """Open a file of a data set, to be read in the block.

    Raises:
        SourceError: It cannot be read.
        LivemoodError: It is damaged.
    """
    where = f"{store.root}/{name}"
    with store.open(name) as file, whole_parquet(where, "delete it, and run the batch again"):
        yield file


@dataclass(frozen=True, slots=True)
class Input:
    """What a row says about the photo, or the frame of a video, that it is of.

    Attributes:
        path: As it was given.
        width: Upright, px; None where it could not be read.
        height: Likewise.
        faces: Number of faces; the photo or frame has as many rows, or one row if it has none.
        error: Why it could not be read, or what could not be written of it.
    """

    path: str
    width: int | None = None
    height: int | None = None
    faces: int = 0
    error: str | None = None


Group = tuple[Input, tuple[Record, ...]]
"""A photo, or a frame of a video, with its faces; no records where it has none."""

EMPTY: Final = Record(0, 0.0)


Heads = Mapping[str, tuple[str, ...]]
"""Labels by head of a model, ``emotion`` first."""


def columns(heads: Heads) -> tuple[str, ...]:
    """Return the column names of a flat table for a model with these heads."""
    return (*OWN_COLUMNS, *records.columns(*_split_heads(heads)))


def kind(column: str) -> type[int] | type[str] | type[float]:
    """Return the type of a flat column's values."""
    if column in OWN_COLUMNS:
        return str if column in ("path", "error") else int
    return records.kind(column)


def is_field(name: str) -> bool:
    """Return whether the fields of a head of this name would be confused with other fields or columns of records."""
    own = {KEY, *columns({EMOTION: ()}), *to_json((Input(""), ()))[0]}
    return name in own or f"{name}_".startswith(("score_", "raw_")) or "_score_" in f"{name}_"


def to_json(group: Group) -> list[dict[str, Any]]:
    """Return a photo's rows as objects of JSONL lines."""
    entry, faces = group
    return [{**asdict(entry), **records.to_json(face)} for face in faces or (EMPTY,)]


def to_rows(group: Group, heads: Heads) -> list[tuple[int | float | str | None, ...]]:
    """Return a photo's rows, in the order of ``columns``."""
    entry, faces = group
    return [(*asdict(entry).values(), *records.to_row(face, *_split_heads(heads))) for face in faces or (EMPTY,)]


def read_groups(path: Path) -> Iterator[Group]:
    """Read photos back, in flat memory; a photo whose last row is missing is left out.

    Args:
        path: A .jsonl, .csv or .parquet file of many inputs.

    Raises:
        LivemoodError: It is not such a file, or from a newer livemood.
    """
    rows = _PARSERS.get(path.suffix.lower())
    if rows is None:
        raise LivemoodError(f"{path} is not a record file: its suffix is none of {', '.join(SUFFIXES)}")
    with path.open("rb") as file:
        for group, _ in groups(rows(path, file)):
            yield group


def read_recording(path: Path) -> Iterator[Record]:
    """Read the records of one video back, as ``livemood.records.read`` does, in order of time.

    Raises:
        LivemoodError: As ``read``; or they are of many inputs, whose tracks and times say nothing about each other, or
            not in order, or with other emotions from some row on.
    """
    rows = reading.read(path)
    if _is_of_inputs(path):
        raise LivemoodError(f"{path} contains the records of a batch or of photos", "give those of one video")
    return _of_one(path, rows)


def _of_one(path: Path, rows: Iterator[Record]) -> Iterator[Record]:
    """Yield the rows of one recording; raise at the first that cannot be of it.

    Events may come late: the browser page marks them at the frame on the screen when later ones have been read.
    """
    frame, time_s = -inf, -inf
    emotions: Mapping[str, float] | None = None
    for row in rows:
        if row.event is not None:
            yield row
            continue
        if row.frame < frame or row.time_s < time_s:
            raise LivemoodError(
                f"{path} is not in order: frame {row.frame} ({row.time_s:g} s) is after frame {frame} ({time_s:g} s)",
                "sort its rows by time_s, or split it into one file per recording",
            )
        frame, time_s = row.frame, row.time_s
        if row.track is not None:
            emotions = row.scores if emotions is None else emotions
            if row.scores.keys() != emotions.keys():
                raise LivemoodError(
                    f"{path} has other emotions in frame {frame} ({', '.join(row.scores) or 'none'}) than before "
                    f"({', '.join(emotions) or 'none'})",
                    "split it into one file per set of emotions",
                )
        yield row


def _is_of_inputs(path: Path) -> bool:
    if path.suffix.lower() == ".jsonl":
        with path.open("rb") as file:
            for line in iter(lambda: file.readline(_MAX_LINE), b""):
                with suppress(ValueError, RecursionError):
                    data = json.loads(line)
                    if isinstance(data, dict) and "frame" in data:
                        return OWN_COLUMNS[0] in data
        return False
    return set(OWN_COLUMNS) <= set(reading.header_of(path))


def whole_until(path: Path) -> tuple[Heads, int]:
    """Return the heads that a CSV or JSONL file of many inputs knows, and where its last whole photo ends.

    Raises:
        LivemoodError: It is not such a file.
    """
    heads: Heads = {}
    with path.open("rb") as file:
        end = len(file.readline(_MAX_LINE)) if path.suffix.lower() == ".csv" else 0
        if end:
            heads = _heads(path, _header(path, file))
        for (_, faces), until in groups(_PARSERS[path.suffix.lower()](path, file)):
            heads = heads or (_heads_of(faces[0]) if faces else {})
            end = until
    return heads, end


Row = tuple[Input, Record, int]


def groups(rows: Iterator[Row]) -> Iterator[tuple[Group, int]]:
    """Put the rows of one photo, or frame, together; yield each that is whole, and where it ends in the file."""
    for (entry, _), some in groupby(rows, lambda row: (row[0], row[1].frame)):
        found = list(some)
        # Equal photos one after another are many rows of one key: cut them by their number of faces.
        size = max(entry.faces, 1)
        for start in range(0, len(found) - size + 1, size):
            part = found[start : start + size]
            faces = tuple(face for _, face, _ in part if face.track is not None)
            if len(faces) == entry.faces:
                yield (entry, faces), part[-1][2]


def _header(path: Path, file: BinaryIO) -> list[str]:
    """Return the names of the columns of a CSV file.

    Raises:
        LivemoodError: It has another form, as a spreadsheet may have saved it.
    """
    file.seek(0)
    line = file.readline(_MAX_LINE)
    if encoding_of(line) == "utf-16":
        raise LivemoodError(f"{path} is encoded in UTF-16", _REMEDY)
    text = line.removeprefix(BOM_UTF8)
    if (separator := separator_of(text.decode(errors=NOT_UTF8))) != ",":
        raise LivemoodError(f"{path} has its cells separated by {_SEPARATORS[separator]}, not by commas", _REMEDY)
    return _cells(text)


def _cells(line: bytes) -> list[str]:
    """Return the cells of a line of CSV; none if it is not one."""
    try:
        return next(csv.reader([line.decode(errors=NOT_UTF8)]), [])
    except csv.Error:
        return []


def _heads(path: Path, names: list[str]) -> Heads:
    """Return the heads that a flat table's columns are about."""
    missing = [name for name in OWN_COLUMNS if name not in names]
    if missing:
        raise LivemoodError(f"{path} contains no records of photos: it has no column {missing[0]}")
    labels, others = heads_of_columns(names)
    return {EMOTION: labels, **others}


def _heads_of(face: Record) -> Heads:
    return {EMOTION: tuple(face.scores), **{name: tuple(head.scores) for name, head in face.others.items()}}


def _split_heads(heads: Heads) -> tuple[tuple[str, ...], Heads]:
    """Return the emotions, and the other heads."""
    return heads[EMOTION], {name: labels for name, labels in heads.items() if name != EMOTION}


def _json_rows(path: Path, file: BinaryIO) -> Iterator[Row]:
    """Yield rows up to the first that is cut short: what follows one is not known to be whole."""
    end = 0
    while (line := file.readline(_MAX_LINE)).endswith(b"\n"):
        end += len(line)
        if line.isspace():
            continue
        try:
            data = json.loads(line.removeprefix(BOM_UTF8).decode(errors=NOT_UTF8))
            if is_origin(data):
                continue
            yield _input(data), reading.from_json(data), end
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise LivemoodError(f"{path} contains a line that is not a record of a photo: {line[:60]!r}") from error


def _csv_rows(path: Path, file: BinaryIO) -> Iterator[Row]:
    names = _header(path, file)
    heads = _split_heads(_heads(path, names))
    file.seek(0)
    end = len(file.readline(_MAX_LINE))
    while line := file.readline(_MAX_LINE):
        # A name may hold a line break; the quotes around it are then still open.
        while line.count(b'"') % 2 and len(line) < reading.MAX_ROW and (more := file.readline(_MAX_LINE)):
            line += more
        is_open = line.count(b'"') % 2 == 1
        is_whole = line.endswith(b"\n") and not is_open
        holds_rows = is_open and any(len(_cells(one)) == len(names) for one in line.splitlines()[1:])
        if not is_whole and not holds_rows and len(line) < reading.MAX_ROW:  # the last row, cut short
            return
        end += len(line)
        cells = _cells(line) if is_whole else []
        if line.isspace() or (cells and not any(cells)):
            continue
        data: dict[str, Any] = dict(zip(names, cells, strict=False))
        record = reading.from_row(data, *heads) if len(cells) == len(names) else None
        if record is None:
            raise LivemoodError(f"{path} contains a line that is not a record of a photo: {line[:60]!r}")
        yield _input(data), record, end


def _parquet_rows(path: Path, file: BinaryIO) -> Iterator[Row]:
    parquet = required("pyarrow.parquet", PARQUET)
    with whole_parquet(path), parquet.ParquetFile(file) as table:
        names = table.schema_arrow.names
        heads = _split_heads(_heads(path, names))
        text = [name for name in ("path", "error", "label", REASON, *heads[1], EVENT_NAME) if name in names]
        known = [name for name in columns(_heads(path, names)) if name in names]  # further columns are ignored
        check_sizes(path, table, known, text)
        for batch in table.iter_batches(columns=known) if table.metadata.num_row_groups else ():
            for row in batch.to_pylist():
                record = reading.from_row(row, *heads)
                if record is not None:
                    yield _input(row), record, 0


_PARSERS: Final = {".jsonl": _json_rows, ".csv": _csv_rows, ".parquet": _parquet_rows}


def _input(data: dict[str, Any]) -> Input:
    width, height, faces = (None if data[name] in ("", None) else int(data[name]) for name in OWN_COLUMNS[1:4])
    return Input(str(data["path"]), width, height, faces or 0, data["error"] or None)

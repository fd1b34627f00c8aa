"""Records of many inputs in one file: each row also names its photo or video, and the error if that failed.

Five columns come first, then those of a video's records.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Final

from livemood import records
from livemood.core.errors import LivemoodError
from livemood.records import reading
from livemood.records.schema import Record
from livemood.runtime.optional_deps import required

OWN_COLUMNS: Final = ("path", "width", "height", "faces", "error")
"""Columns in front of those of a video's records."""
NOT_UTF8: Final = "surrogateescape"
"""How CSV and JSONL keep names of files that are no UTF-8: byte for byte."""

_MAX_LINE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Input:
    """What a row says about the photo, or the frame of a video, that it is of.

    Attributes:
        path: As it was given.
        width: Upright, px; None where it could not be read.
        height: Likewise.
        faces: How many the photo or frame has, so many rows it has, or one where there is none.
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


def columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the column names of a flat table for a model with these labels."""
    return (*OWN_COLUMNS, *records.columns(labels))


def kind(column: str) -> type[int] | type[str] | type[float]:
    """Return the type of a flat column's values."""
    if column in OWN_COLUMNS:
        return str if column in ("path", "error") else int
    return records.kind(column)


def to_json(group: Group) -> list[dict[str, Any]]:
    """Return a photo's rows as objects of JSONL lines."""
    said, faces = group
    return [{**asdict(said), **records.to_json(face)} for face in faces or (EMPTY,)]


def to_rows(group: Group, labels: Sequence[str]) -> list[tuple[int | float | str | None, ...]]:
    """Return a photo's rows, in the order of ``columns``."""
    said, faces = group
    return [(*asdict(said).values(), *records.to_row(face, labels)) for face in faces or (EMPTY,)]


def read_groups(path: Path) -> Iterator[Group]:
    """Read photos back, in flat memory; a photo whose last row is missing is left out.

    Args:
        path: A .jsonl, .csv or .parquet file of many inputs.

    Raises:
        LivemoodError: It is no such file, or from a newer livemood.
    """
    rows = _PARSERS.get(path.suffix.lower())
    if rows is None:
        raise LivemoodError(f"{path} ends in no form of records", "use .jsonl, .csv or .parquet")
    with path.open("rb") as file:
        for group, _ in groups(rows(path, file)):
            yield group


def whole_until(path: Path) -> tuple[tuple[str, ...], int]:
    """Return the labels that a CSV or JSONL file of many inputs knows, and where its last whole photo ends.

    Raises:
        LivemoodError: It is no such file.
    """
    labels: tuple[str, ...] = ()
    with path.open("rb") as file:
        end = len(file.readline(_MAX_LINE)) if path.suffix.lower() == ".csv" else 0
        if end:
            labels = _labels(path, file)
        file.seek(0)
        for (_, faces), until in groups(_PARSERS[path.suffix.lower()](path, file)):
            labels = labels or (tuple(faces[0].scores) if faces else ())
            end = until
    return labels, end


Row = tuple[Input, Record, int]


def groups(rows: Iterator[Row]) -> Iterator[tuple[Group, int]]:
    """Put the rows of one photo, or frame, together; yield each that is whole, and where it ends in the file."""
    for (said, _), some in groupby(rows, lambda row: (row[0], row[1].frame)):
        found = list(some)
        # Equal photos one after another are many rows of one key: cut them by their number of faces.
        size = max(said.faces, 1)
        for start in range(0, len(found) - size + 1, size):
            part = found[start : start + size]
            faces = tuple(face for _, face, _ in part if face.track is not None)
            if len(faces) == said.faces:
                yield (said, faces), part[-1][2]


def _labels(path: Path, file: BinaryIO) -> tuple[str, ...]:
    file.seek(0)
    header = next(csv.reader([file.readline(_MAX_LINE).decode(errors=NOT_UTF8)]), [])
    missing = [name for name in OWN_COLUMNS if name not in header]
    if missing:
        raise LivemoodError(f"{path} holds no records of photos: it has no column {missing[0]}")
    return tuple(name.removeprefix("score_") for name in header if name.startswith("score_"))


def _json_rows(path: Path, file: BinaryIO) -> Iterator[Row]:
    """Yield rows up to the first that is cut short: what follows one is not known to be whole."""
    end = 0
    while (line := file.readline(_MAX_LINE)).endswith(b"\n"):
        end += len(line)
        try:
            data = json.loads(line.decode(errors=NOT_UTF8))
            yield _input(data), reading.from_json(data), end
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise LivemoodError(f"{path} holds a line that is no record of a photo: {line[:60]!r}") from error


def _csv_rows(path: Path, file: BinaryIO) -> Iterator[Row]:
    labels = _labels(path, file)
    names = columns(labels)
    file.seek(0)
    end = len(file.readline(_MAX_LINE))
    while line := file.readline(_MAX_LINE):
        # A name may hold a line break; the quotes around it are then still open.
        while line.count(b'"') % 2 and (more := file.readline(_MAX_LINE)):
            line += more
        if not line.endswith(b"\n"):
            return
        end += len(line)
        cells = next(csv.reader([line.decode(errors=NOT_UTF8)]), [])
        data: dict[str, Any] = dict(zip(names, cells, strict=False))
        record = reading.from_row(data, labels, {}) if len(cells) == len(names) else None
        if record is None:
            raise LivemoodError(f"{path} holds a line that is no record of a photo: {line[:60]!r}")
        yield _input(data), record, end


def _parquet_rows(path: Path, file: BinaryIO) -> Iterator[Row]:
    parquet = required("pyarrow.parquet", records.PARQUET)
    arrow = required("pyarrow", records.PARQUET)
    try:
        with parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            missing = [name for name in OWN_COLUMNS if name not in names]
            if missing:
                raise LivemoodError(f"{path} holds no records of photos: it has no column {missing[0]}")
            labels = tuple(name.removeprefix("score_") for name in names if name.startswith("score_"))
            for batch in table.iter_batches() if table.metadata.num_row_groups else ():
                for row in batch.to_pylist():
                    record = reading.from_row(row, labels, {})
                    if record is not None:
                        yield _input(row), record, 0
    except arrow.ArrowException as error:
        raise LivemoodError(f"{path} is no whole Parquet file; was its writing cut short?") from error


_PARSERS: Final = {".jsonl": _json_rows, ".csv": _csv_rows, ".parquet": _parquet_rows}


def _input(data: dict[str, Any]) -> Input:
    width, height, faces = (None if data[name] in ("", None) else int(data[name]) for name in OWN_COLUMNS[1:4])
    return Input(str(data["path"]), width, height, faces or 0, data["error"] or None)

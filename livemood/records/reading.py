"""Record files back to typed rows."""

import csv
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from livemood.core.errors import LivemoodError
from livemood.core.text_tables import encoding_of, separator_of, utf8
from livemood.records.files import record_file
from livemood.records.origin import is_origin
from livemood.records.parquet import PARQUET, check_sizes, parquet_header, whole_parquet
from livemood.records.schema import (
    BOX,
    EVENT,
    EVENT_NAME,
    FIXED,
    POINTS,
    REASON,
    VERSION,
    HeadScores,
    Record,
    columns,
    heads_of_columns,
)
from livemood.runtime.optional_deps import required

CHUNK: Final = 8192
MAX_ROW: Final = 1 << 14
"""Most characters of a CSV row of several lines, so that a stray quote does not cost all rows after it."""
# A row of eight emotions has about 1,000 characters.
_MAX_LINE: Final = 1 << 20
_MAX_LABEL: Final = 256
# Where semicolons or tabs separate cells, numbers may have a comma.
_WITH_COMMA: Final = re.compile(r"-?\d+,\d+(e-?\d+)?", re.IGNORECASE)
# Tolerance of probabilities for the rounding of other programs.
_ROUNDING: Final = 1e-6
# Differences of numbers up to this stay exact to a thousandth.
_MAX_NUMBER: Final = 1e12


def read(path: str | Path) -> Iterator[Record]:
    """Read a record file back, row by row.

    Unreadable rows, such as a last line that a killed process left incomplete, are skipped with one warning at the end.

    Args:
        path: A .jsonl, .csv or .parquet file written by livemood.

    Raises:
        LivemoodError: The file is not there, is not a record file, or comes from a newer livemood.
    """
    path = record_file(path)
    return _readable(path, _READERS[path.suffix.lower()](path))


def reread(path: Path) -> Iterator[Record]:
    """Read a file that ``read`` takes once more: without a warning about unreadable rows, which ``read`` gives."""
    return (row for row in _READERS[path.suffix.lower()](path) if row)


def _readable(path: Path, rows: Iterator[Record | None]) -> Iterator[Record]:
    """Yield the records and count the unreadable rows (None)."""
    good = bad = 0
    try:
        for row in rows:
            if row is None:
                bad += 1
            else:
                good += 1
                yield row
    except OSError as error:
        raise LivemoodError(f"{path} could not be read ({error.strerror or error})") from error
    if bad and not good:
        raise LivemoodError(f"{path} is not a record file: not one of its rows can be read")
    if bad:
        warnings.warn(f"{path}: left out {bad} of {good + bad} rows that could not be read", stacklevel=2)


def _lines(file: TextIO) -> Iterator[str]:
    """Yield lines; one that is too long for a row comes in pieces, which are unreadable rows."""
    return iter(lambda: file.readline(_MAX_LINE), "")


def _open(path: Path) -> TextIO:
    with path.open("rb") as file:
        encoding = encoding_of(file.read(2))
    return path.open(encoding=encoding, errors="replace", newline="")


def _read_jsonl(path: Path) -> Iterator[Record | None]:
    with _open(path) as file:
        for line in _lines(file):
            if line.isspace():
                continue
            try:
                # Escapes may stand for surrogates, which no file can hold.
                data = json.loads(line, object_pairs_hook=_encodable if "\\u" in line else None)
                if not is_origin(data):
                    yield from_json(data)
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
                yield None


def _encodable(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {utf8(name): utf8(value) if isinstance(value, str) else value for name, value in pairs}


def _csv_header(path: Path) -> list[str]:
    with _open(path) as file:
        first = file.readline(_MAX_LINE)
        return _cells(first, separator_of(first))


def _read_csv(path: Path) -> Iterator[Record | None]:
    with _open(path) as file:
        first = file.readline(_MAX_LINE)
        separator = separator_of(first)
        header = _cells(first, separator)
        heads = flat_heads(path, header)
        for line in _lines(file):
            while line.count('"') % 2 and len(line) < MAX_ROW and (more := file.readline(_MAX_LINE)):
                line += more  # a name may hold a line break; the quotes around it are then still open
            # A line without newline may lack digits of its last number and still look complete.
            cells = _cells(line, separator) if line.endswith(("\n", "\r")) else []
            if line.isspace() or (cells and not any(cells)):
                continue  # spreadsheets write rows of empty cells
            yield from_row(dict(zip(header, cells, strict=True)), *heads) if len(cells) == len(header) else None


def _cells(line: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
    if separator == ",":
        return cells
    return [cell.replace(",", ".") if _WITH_COMMA.fullmatch(cell) else cell for cell in cells]


def _read_parquet(path: Path) -> Iterator[Record | None]:
    arrow, parquet = required("pyarrow", PARQUET), required("pyarrow.parquet", PARQUET)
    with whole_parquet(path):
        names = parquet_header(path)
        labels, others = flat_heads(path, names)
        known = [name for name in columns(labels, others) if name in names]  # further columns are ignored
        text = [name for name in ("label", REASON, *others, EVENT_NAME) if name in known]
        # As a dictionary, a label that repeats is held once, however long it is.
        with path.open("rb") as opened, parquet.ParquetFile(opened, read_dictionary=text) as file:
            check_sizes(path, file, known, text)
            # Older pyarrow stumbles over a file without any rows.
            for batch in file.iter_batches(CHUNK, columns=known) if file.metadata.num_row_groups else ():
                for label in map(batch.column, text):
                    words = label.dictionary.to_pylist() if arrow.types.is_dictionary(label.type) else []
                    if any(len(word or "") > _MAX_LABEL for word in words):
                        raise LivemoodError(f"{path} is not a record file: a label has over {_MAX_LABEL} characters")
                for row in batch.to_pylist():
                    yield from_row(row, labels, others)


_READERS: Final = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
_HEADERS: Final = {".csv": _csv_header, ".parquet": parquet_header}


def flat_heads(path: Path, header: Sequence[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the emotions in a flat file's header, and the labels of further heads by name.

    Raises:
        LivemoodError: A column is missing.
    """
    missing = [name for name in FIXED if name not in header]
    if missing:
        raise LivemoodError(f"{path} is not a record file: it has no column {missing[0]}")
    return heads_of_columns(header)


def from_json(data: Any) -> Record:
    """Return the record of a JSONL line's object.

    Raises:
        LivemoodError: It comes from a newer livemood.
        KeyError: A field is missing.
        TypeError: A field has another type.
        ValueError: A number is out of range.
    """
    _check_version(data.get("v", 1))
    frame, time_s = _whole(data["frame"]), _finite(data["time_s"])
    if data["track"] is None:
        return _without_face(frame, time_s, data)
    left, top, right, bottom = map(_finite, data["box"])
    return Record(
        frame,
        time_s,
        _whole(data["track"]),
        (left, top, right, bottom),
        _text(data["label"]),
        _share(data["confidence"]),
        _shares(data["scores"]),
        _shares(data["raw_scores"]),
        tuple((_finite(x), _finite(y)) for x, y in data.get("keypoints", ())),
        others={
            name: HeadScores(str(head["label"]), _shares(head["scores"]))
            for name, head in data.items()
            if isinstance(head, dict) and head.keys() >= {"label", "scores"} and head["label"]
        },
        reason=_text_or_none(data.get(REASON)),
    )


def _without_face(frame: int, time_s: float, row: Mapping[str, Any]) -> Record:
    """Return the record of a frame without faces, or of an event."""
    name = row.get(EVENT_NAME)
    if name and len(str(name)) > _MAX_LABEL:
        raise ValueError(f"expected a name of up to {_MAX_LABEL} characters")
    return Record(frame, time_s, event=_whole_or_none(row.get(EVENT)), event_name=str(name) if name else None)


def from_row(row: Mapping[str, Any], labels: Sequence[str], others: Mapping[str, Sequence[str]]) -> Record | None:
    """Return the record of a flat row; empty text and None both mean no value."""
    try:
        _check_version(row["v"])
        frame, time_s = _whole(row["frame"]), _finite(row["time_s"])
        if row["track"] in ("", None):
            return _without_face(frame, time_s, row)
        left, top, right, bottom = (_finite(row[name]) for name in BOX)
        points = [_finite(row[name]) for name in POINTS if row[name] not in ("", None)]
        return Record(
            frame,
            time_s,
            _whole(row["track"]),
            (left, top, right, bottom),
            _text(row["label"]),
            _share(row["confidence"]),
            _scores(row, "score_", labels),
            _scores(row, "raw_", labels),
            tuple(zip(points[::2], points[1::2], strict=True)),
            others={
                name: HeadScores(str(row[name]), _scores(row, f"{name}_score_", known))
                for name, known in others.items()
                if row[name] not in ("", None)
            },
            reason=_text_or_none(row.get(REASON)),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    if value in ("", None):
        raise ValueError("expected a label")
    return str(value)


def _text_or_none(value: Any) -> str | None:
    return None if value in ("", None) else str(value)


def _scores(row: Mapping[str, Any], prefix: str, labels: Sequence[str]) -> dict[str, float]:
    cells = {label: row[prefix + label] for label in labels}
    return _shares({label: value for label, value in cells.items() if value not in ("", None)})


def _shares(values: Mapping[str, Any]) -> dict[str, float]:
    return {label: _share(value) for label, value in values.items()}


def _check_version(value: Any) -> None:
    if _whole(value) > VERSION:
        raise LivemoodError(f"records of version {value} come from a newer livemood than this one", "update livemood")


def _finite(value: Any) -> float:
    number = float(value)
    if not abs(number) <= _MAX_NUMBER:
        raise ValueError(f"expected a number up to {_MAX_NUMBER:.0e}, got {value}")
    return number


def _share(value: Any) -> float:
    number = float(value)
    if not -_ROUNDING <= number <= 1 + _ROUNDING:
        raise ValueError(f"expected a number from 0 to 1, got {value}")
    return number


def _whole(value: Any) -> int:
    number = _finite(value)
    if not number.is_integer():
        raise ValueError(f"expected a whole number, got {value}")
    return int(number)


def _whole_or_none(value: Any) -> int | None:
    return None if value in ("", None) else _whole(value)


def header_of(path: Path) -> list[str]:
    """Return the names of a flat file's columns."""
    return _HEADERS[path.suffix.lower()](path)


def heads_in(path: Path) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the emotions of a record file, and the labels of further heads by name.

    They come from the header of a flat file, or from the first face in JSONL.

    Raises:
        LivemoodError: As ``read``.
    """
    header = _HEADERS.get(path.suffix.lower())
    if header is not None:
        return flat_heads(path, header(path))
    face = next((record for record in read(path) if record.track is not None), None)
    if face is None:
        return (), {}
    return tuple(face.scores), {name: tuple(head.scores) for name, head in face.others.items()}

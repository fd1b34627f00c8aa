"""Records on disk: what a face in a frame comes to, the same in JSONL, CSV and Parquet, and back to typed rows.

The schema in words is docs/records.md. Writing row by row is the record sink's work; this module knows the shapes.
"""

import csv
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from livemood.core.errors import LivemoodError
from livemood.core.types import Keypoint
from livemood.runtime.optional_deps import required

if TYPE_CHECKING:
    import pandas
    import polars

VERSION: Final = 1
"""Version of the schema; goes up when a field goes away or changes its meaning."""

PARQUET: Final = "'livemood[parquet]'"
"""What brings pyarrow."""

_BOX: Final = ("box_left", "box_top", "box_right", "box_bottom")
_POINTS: Final = tuple(f"{point.name.lower()}_{axis}" for point in Keypoint for axis in "xy")
_FIXED: Final = ("v", "frame", "time_s", "track", *_BOX, "label", "confidence", *_POINTS)
# Came later, so files without it are read as well.
_EVENT: Final = "event"
_CHUNK: Final = 8192
# A row of eight emotions has about 1,000 characters.
_MAX_LINE: Final = 1 << 20
_MAX_GROUP_BYTES: Final = 1 << 28
_MAX_COLUMNS: Final = 1024
_MAX_LABEL: Final = 256
# Differences of numbers up to this stay exact to a thousandth.
_MAX_NUMBER: Final = 1e12


@dataclass(frozen=True, slots=True)
class Record:
    """One face in one frame, one frame without faces, or one marked event.

    Attributes:
        frame: How many frames came before it, from the source's beginning or that of the cut.
        time_s: Seconds since the source's start.
        track: Whose face, from 1. None, like box, label and confidence, for a frame without faces and for an event.
        box: Left, top, right and bottom in frame px; may poke outside the frame.
        label: An emotion, or ``unsure``.
        confidence: Smoothed, calibrated probability of the label, 0..1; of the leading emotion where it is ``unsure``.
        scores: Smoothed probability by emotion; empty for a frame without faces.
        raw_scores: Probability by emotion of this frame, or of the last that was classified; empty for a frame without
            faces.
        keypoints: Six (x, y) in frame px in the order of ``Keypoint``; empty where none were recorded.
        event: Number of the event that someone marked at this frame, from 1; such a row holds nothing of a face.
    """

    frame: int
    time_s: float
    track: int | None = None
    box: tuple[float, float, float, float] | None = None
    label: str | None = None
    confidence: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    raw_scores: Mapping[str, float] = field(default_factory=dict)
    keypoints: tuple[tuple[float, float], ...] = ()
    event: int | None = None


def to_json(record: Record) -> dict[str, Any]:
    """Return the record as one JSONL line's object."""
    return {
        "frame": record.frame,
        "time_s": record.time_s,
        "track": record.track,
        "box": record.box,
        "label": record.label,
        "confidence": record.confidence,
        "scores": dict(record.scores),
        "raw_scores": dict(record.raw_scores),
        "keypoints": record.keypoints,
        "event": record.event,
        "v": VERSION,
    }


def columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the column names of a flat table (CSV, Parquet, data frames) for a model with these labels."""
    return (*_FIXED, _EVENT, *(f"score_{label}" for label in labels), *(f"raw_{label}" for label in labels))


def to_row(record: Record, labels: Sequence[str]) -> tuple[int | float | str | None, ...]:
    """Return the record as one flat row, in the order of ``columns``."""
    return (
        VERSION,
        record.frame,
        record.time_s,
        record.track,
        *(record.box or (None,) * len(_BOX)),
        record.label,
        record.confidence,
        *(chain.from_iterable(record.keypoints) if record.keypoints else (None,) * len(_POINTS)),
        record.event,
        *map(record.scores.get, labels),
        *map(record.raw_scores.get, labels),
    )


def read(path: str | Path) -> Iterator[Record]:
    """Read a record file back, row by row.

    Rows that cannot be read, such as a last line cut short by a killed process, are left out with one warning at the
    end.

    Args:
        path: A .jsonl, .csv or .parquet file written by livemood.

    Raises:
        LivemoodError: The file is not there, is no record file, or comes from a newer livemood.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise LivemoodError(f"{path} is no record file: its name ends in none of {', '.join(_READERS)}")
    if not path.is_file():
        raise LivemoodError(f"{path} {'is a folder' if path.is_dir() else 'is not there'}; give a record file")
    return _readable(path, reader(path))


def to_pandas(path: str | Path) -> "pandas.DataFrame":
    """Return a record file as a pandas data frame with the columns of the CSV form.

    Raises:
        LivemoodError: As ``read``, or pandas is not installed.
    """
    pandas = required("pandas", "pandas")
    names, chunks = _table(path)
    tables = [pandas.DataFrame(chunk, columns=names) for chunk in chunks] or [pandas.DataFrame(columns=names)]
    kinds = {name: {int: "Int64", str: "string", float: "float64"}[kind(name)] for name in names}
    return pandas.concat([table.astype(kinds) for table in tables], ignore_index=True)


def to_polars(path: str | Path) -> "polars.DataFrame":
    """Return a record file as a polars data frame with the columns of the CSV form.

    Raises:
        LivemoodError: As ``read``, or polars is not installed.
    """
    polars = required("polars", "polars")
    names, chunks = _table(path)
    kinds = {name: {int: polars.Int64, str: polars.String, float: polars.Float64}[kind(name)] for name in names}
    return polars.concat(
        [polars.DataFrame(chunk, schema=kinds, orient="row") for chunk in chunks] or [polars.DataFrame(schema=kinds)]
    )


def _readable(path: Path, rows: Iterator[Record | None]) -> Iterator[Record]:
    """Pass records on and count the rows that could not be read (None)."""
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
        raise LivemoodError(f"{path} is no record file: not one of its rows can be read")
    if bad:
        warnings.warn(f"{path}: left out {bad} of {good + bad} rows that could not be read", stacklevel=2)


def _lines(file: TextIO) -> Iterator[str]:
    """Yield lines, one that is too long for a row in pieces, which are no rows either."""
    return iter(lambda: file.readline(_MAX_LINE), "")


def _read_jsonl(path: Path) -> Iterator[Record | None]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in _lines(file):
            try:
                yield from_json(json.loads(line))
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
                yield None


def _open_csv(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _csv_header(path: Path) -> list[str]:
    with _open_csv(path) as file:
        return _cells(file.readline(_MAX_LINE))


def _read_csv(path: Path) -> Iterator[Record | None]:
    with _open_csv(path) as file:
        header = _cells(file.readline(_MAX_LINE))
        labels = _flat_labels(path, header)
        for line in _lines(file):
            # Without its newline a line may have lost digits of its last number and still look whole.
            cells = _cells(line) if line.endswith("\n") else []
            yield from_row(dict(zip(header, cells, strict=True)), labels) if len(cells) == len(header) else None


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _parquet_header(path: Path) -> list[str]:
    names: list[str] = required("pyarrow.parquet", PARQUET).read_schema(path).names
    return names


def _read_parquet(path: Path) -> Iterator[Record | None]:
    arrow, parquet = required("pyarrow", PARQUET), required("pyarrow.parquet", PARQUET)
    try:
        labels = _flat_labels(path, _parquet_header(path))
        # As a dictionary, a label that repeats is held once, however long it is.
        with parquet.ParquetFile(path, read_dictionary=["label"]) as file:
            _check_sizes(path, file, arrow)
            # Older pyarrow stumbles over a file without any rows.
            for batch in file.iter_batches(_CHUNK) if file.metadata.num_row_groups else ():
                label = batch.column("label")
                words = label.dictionary.to_pylist() if arrow.types.is_dictionary(label.type) else []
                if any(len(word or "") > _MAX_LABEL for word in words):
                    raise LivemoodError(f"{path} is no record file: a label has over {_MAX_LABEL} characters")
                for row in batch.to_pylist():
                    yield from_row(row, labels)
    except (arrow.ArrowException, ValueError, KeyError) as error:  # ValueError: no UTF-8; KeyError: a nested column
        raise LivemoodError(f"{path} is no whole Parquet file; was its writing cut short?") from error


def _check_sizes(path: Path, file: Any, arrow: Any) -> None:
    """Refuse what would fill the memory: a few bytes of Parquet may stand for gigabytes of text."""
    groups = [file.metadata.row_group(place).total_byte_size for place in range(file.metadata.num_row_groups)]
    if file.metadata.num_columns > _MAX_COLUMNS or max(groups, default=0) > _MAX_GROUP_BYTES:
        raise LivemoodError(
            f"{path} is no record file: it has {file.metadata.num_columns} columns in parts of "
            f"{max(groups, default=0) / 1e6:,.0f} MB; livemood writes parts of a few MB"
        )
    kinds = arrow.types
    for column in file.schema_arrow:
        is_label = column.name == "label"
        number = kinds.is_integer(column.type) or kinds.is_floating(column.type)
        if not kinds.is_null(column.type) and not (kinds.is_dictionary(column.type) if is_label else number):
            wanted = "words" if is_label else "numbers"
            raise LivemoodError(f"{path} is no record file: its column {column.name[:40]!r} holds no {wanted}")


_READERS: Final = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
_HEADERS: Final = {".csv": _csv_header, ".parquet": _parquet_header}


def _flat_labels(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that a flat file's header names."""
    missing = [name for name in _FIXED if name not in header]
    if missing:
        raise LivemoodError(f"{path} is no record file: it has no column {missing[0]}")
    return tuple(name.removeprefix("score_") for name in header if name.startswith("score_"))


def from_json(data: Any) -> Record:
    """Return the record of a JSONL line's object; what the line lacks or misstates raises what Python raises."""
    _check_version(data.get("v", 1))
    frame, time_s = _whole(data["frame"]), _finite(data["time_s"])
    if data["track"] is None:
        return Record(frame, time_s, event=_whole_or_none(data.get(_EVENT)))
    left, top, right, bottom = map(_finite, data["box"])
    return Record(
        frame,
        time_s,
        _whole(data["track"]),
        (left, top, right, bottom),
        str(data["label"]),
        _finite(data["confidence"]),
        {name: _finite(value) for name, value in data["scores"].items()},
        {name: _finite(value) for name, value in data["raw_scores"].items()},
        tuple((_finite(x), _finite(y)) for x, y in data.get("keypoints", ())),
    )


def from_row(row: Mapping[str, Any], labels: Sequence[str]) -> Record | None:
    """Return the record of a flat row; empty text and None both mean no value."""
    try:
        _check_version(row["v"])
        frame, time_s = _whole(row["frame"]), _finite(row["time_s"])
        if row["track"] in ("", None):
            return Record(frame, time_s, event=_whole_or_none(row.get(_EVENT)))
        left, top, right, bottom = (_finite(row[name]) for name in _BOX)
        points = [_finite(row[name]) for name in _POINTS if row[name] not in ("", None)]
        return Record(
            frame,
            time_s,
            _whole(row["track"]),
            (left, top, right, bottom),
            str(row["label"]),
            _finite(row["confidence"]),
            _scores(row, "score_", labels),
            _scores(row, "raw_", labels),
            tuple(zip(points[::2], points[1::2], strict=True)),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _scores(row: Mapping[str, Any], prefix: str, labels: Sequence[str]) -> dict[str, float]:
    cells = {label: row[prefix + label] for label in labels}
    return {label: _finite(value) for label, value in cells.items() if value not in ("", None)}


def _check_version(value: Any) -> None:
    if _whole(value) > VERSION:
        raise LivemoodError(f"records of version {value} come from a newer livemood than this one; update livemood")


def _finite(value: Any) -> float:
    number = float(value)
    if not abs(number) <= _MAX_NUMBER:
        raise ValueError(f"expected a number up to {_MAX_NUMBER:.0e}, got {value}")
    return number


def _whole(value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError(f"expected a whole number, got {value}")
    return int(number)


def _whole_or_none(value: Any) -> int | None:
    return None if value in ("", None) else _whole(value)


def _table(path: str | Path) -> tuple[tuple[str, ...], Iterator[list[tuple[int | float | str | None, ...]]]]:
    """Return column names and an iterator over chunks of flat rows."""
    path = Path(path)
    records = read(path)
    first = list(islice(records, _CHUNK))  # raises what there is to say against the file
    labels = _labels(path)

    def chunks() -> Iterator[list[tuple[int | float | str | None, ...]]]:
        chunk = first
        while chunk:
            yield [to_row(record, labels) for record in chunk]
            chunk = list(islice(records, _CHUNK))

    return columns(labels), chunks()


def _labels(path: Path) -> tuple[str, ...]:
    """Return the labels that a record file's header names; JSONL has none, there the first face does."""
    header = _HEADERS.get(path.suffix.lower())
    if header is not None:
        return _flat_labels(path, header(path))
    return next((tuple(record.scores) for record in read(path) if record.track is not None), ())


def kind(column: str) -> type[int] | type[str] | type[float]:
    """Return the type of a flat column's values."""
    return int if column in ("v", "frame", "track", _EVENT) else str if column == "label" else float

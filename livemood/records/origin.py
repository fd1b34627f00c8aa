"""The origin of a record file: the first line of JSONL, metadata of Parquet, a file beside CSV."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from livemood.core.durations import LONGEST_S
from livemood.core.text_tables import decode_text, json_line, printable
from livemood.records.files import record_file
from livemood.records.parquet import PARQUET
from livemood.runtime.optional_deps import required

KEY: Final = "livemood"
"""The only key of the JSON object that holds the origin."""
METADATA: Final = "livemood.origin"
"""Key in the metadata of a Parquet file."""

# Texts of an untrusted file are shown on pages, so their length is limited.
_MAX_BYTES: Final = 1 << 16
MAX_TEXT: Final = 256
"""Largest number of characters of a text."""
_MAX_OPTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of records: version, source, model and settings.

    Attributes:
        version: Of livemood.
        source: Name of the file, camera or stream, without its folder; None for records of many inputs.
        width: Of the upright frames, px; None for records of many inputs.
        height: Likewise.
        rate: Frames per second on average; None for a live source, which has none.
        duration_s: Length of what was read, s, as the file states it; None where it states none.
        model: Name of the emotion model; None where it is the caller's own object.
        sha256: Hex digest of its weights.
        options: Settings that change the records: detector and engine, and others that differ from their defaults.
        made_from: The records from which these were made, if any; see ``merge-people`` in docs/records.md.
    """

    version: str
    source: str | None = None
    width: int | None = None
    height: int | None = None
    rate: Fraction | None = None
    duration_s: float | None = None
    model: str | None = None
    sha256: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    made_from: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as the object that is written."""
        values: dict[str, Any] = {
            "version": self.version,
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "rate": None if self.rate is None else str(self.rate),
            "duration_s": self.duration_s,
            "model": self.model,
            "model_sha256": self.sha256,
            "options": dict(self.options),
        }
        return {KEY: values | ({"made_from": dict(self.made_from)} if self.made_from else {})}

    def line(self) -> str:
        """Return it as the first line of a JSONL file."""
        return json_line(self.to_json())


def is_origin(data: Any) -> bool:
    """Return whether the object of a JSONL line is the origin instead of a row."""
    return isinstance(data, dict) and isinstance(data.get(KEY), dict) and "frame" not in data


def from_json(data: Any) -> Origin | None:
    """Return the origin in an object; None if it is not a valid one."""
    if not is_origin(data):
        return None
    values = data[KEY]
    with suppress(KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return Origin(
            _text(values["version"]) or "",
            _text(values.get("source")),
            _size(values.get("width")),
            _size(values.get("height")),
            None if values.get("rate") is None else _rate(values["rate"]),
            None if values.get("duration_s") is None else _duration(values["duration_s"]),
            _text(values.get("model")),
            _text(values.get("model_sha256")),
            _mapping(values.get("options")),
            _mapping(values.get("made_from")),
        )
    return None


def read_origin(path: str | Path) -> Origin | None:
    """Return the origin of a record file; None if it has none, like files of older versions.

    Args:
        path: A .jsonl, .csv or .parquet file written by livemood.

    Raises:
        LivemoodError: The file is not there, or has another suffix.
    """
    path = record_file(path)
    with suppress(OSError, ValueError, RecursionError):
        match path.suffix.lower():
            case ".jsonl":
                with path.open("rb") as file:
                    return _parsed(decode_text(file.read(_MAX_BYTES)).partition("\n")[0])
            case ".csv":
                with sidecar(path).open("rb") as file:
                    return _parsed(decode_text(file.read(_MAX_BYTES)))
            case ".parquet":
                return _in_parquet(path)
    return None


def sidecar(path: Path) -> Path:
    """Return the path of the file beside a CSV file that holds its origin."""
    return path.with_name(f"{path.name}.json")


def is_sidecar(path: Path) -> bool:
    """Return whether a file is the origin of the CSV file beside it, and not a file of another program.

    An empty one is, too: a full disk or a power cut may leave it.
    """
    with suppress(OSError, ValueError, RecursionError), path.open("rb") as file:
        data = file.read(_MAX_BYTES)
        return not data or is_origin(json.loads(data))
    return False


def _in_parquet(path: Path) -> Origin | None:
    arrow, parquet = required("pyarrow", PARQUET), required("pyarrow.parquet", PARQUET)
    try:
        with path.open("rb") as file:
            stored = (parquet.read_metadata(file).metadata or {}).get(METADATA.encode())
    except arrow.ArrowException:
        return None
    return _parsed(decode_text(stored)) if stored and len(stored) <= _MAX_BYTES else None


def _parsed(text: str) -> Origin | None:
    return from_json(json.loads(text))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"expected a text of up to {MAX_TEXT} characters")
    return printable(value)


def _size(value: Any) -> int | None:
    return None if value is None else int(value)


def _rate(value: Any) -> Fraction:
    rate = Fraction(str(value)[:MAX_TEXT])
    if not 0 < rate <= 1_000_000:
        raise ValueError("expected a frame rate")
    return rate


def _duration(value: Any) -> float:
    duration_s = float(value)
    if not 0 <= duration_s <= LONGEST_S:
        raise ValueError("expected a length of time")
    return duration_s


def _mapping(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > _MAX_OPTIONS:
        raise ValueError("expected an object")
    return value

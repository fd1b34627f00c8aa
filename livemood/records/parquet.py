"""Columns of records as Parquet, and Parquet files from anywhere: whole, of a bearable size, and with those columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from livemood.core.errors import LivemoodError
from livemood.records.schema import EVENT_NAME, REASON, Cell
from livemood.runtime.optional_deps import required

PARQUET: Final = "'livemood[parquet]'"
"""The extra that installs pyarrow."""

_MAX_GROUP_BYTES: Final = 1 << 28
_MAX_COLUMNS: Final = 1024
_OPTIONAL_TEXT: Final = (REASON, EVENT_NAME, "error")


def arrow_schema(kinds: Iterable[tuple[str, type]], metadata: Mapping[str, str]) -> Any:
    """Return the Arrow schema of columns, given the types of their values: one without a value has its type too."""
    arrow = required("pyarrow", PARQUET)
    types = {int: arrow.int64(), str: arrow.string(), float: arrow.float64()}
    return arrow.schema([(name, types[kind]) for name, kind in kinds], metadata)


def arrow_table(rows: Sequence[Sequence[Cell]], schema: Any) -> Any:
    """Return rows, at least one, as an Arrow table."""
    arrow = required("pyarrow", PARQUET)
    columns = zip(zip(*rows, strict=True), schema, strict=True)
    return arrow.table([arrow.array(values, field.type) for values, field in columns], schema)


@contextmanager
def whole_parquet(
    path: Path | str, remedy: str = "make it again; its writing was probably interrupted"
) -> Iterator[None]:
    """Raise a ``LivemoodError`` when a Parquet file that is read in the block is cut short, or is none."""
    arrow = required("pyarrow", PARQUET)
    try:
        yield
    except LivemoodError:
        raise
    except (OSError, arrow.ArrowException, ValueError, KeyError) as error:  # ValueError: no UTF-8; KeyError: nested
        if isinstance(error, OSError) and error.errno is not None:  # of the disk; Arrow's own have no number
            raise
        raise LivemoodError(f"{path} is not a complete Parquet file", remedy) from error


def parquet_header(path: Path) -> list[str]:
    """Return the names of the columns.

    Raises:
        LivemoodError: The file is not complete.
    """
    with whole_parquet(path), path.open("rb") as file:  # pyarrow takes no names that are not UTF-8
        names: list[str] = required("pyarrow.parquet", PARQUET).read_schema(file).names
    return names


def check_sizes(path: Path, file: Any, known: Sequence[str], text: Sequence[str]) -> None:
    """Refuse Parquet files that would exhaust memory: a few bytes may expand to gigabytes of text.

    Args:
        path: Of the file, for messages.
        file: A ``pyarrow.parquet.ParquetFile``.
        known: Columns that will be read.
        text: Those of them that hold words; the others hold numbers.

    Raises:
        LivemoodError: Its parts are too large, or a column holds something else.
    """
    groups = [file.metadata.row_group(place).total_byte_size for place in range(file.metadata.num_row_groups)]
    if file.metadata.num_columns > _MAX_COLUMNS or max(groups, default=0) > _MAX_GROUP_BYTES:
        raise LivemoodError(
            f"{path} is not a record file: it has {file.metadata.num_columns} columns in parts of "
            f"{max(groups, default=0) / 1e6:,.0f} MB; livemood writes parts of a few MB"
        )
    kinds = required("pyarrow", PARQUET).types
    for column in map(file.schema_arrow.field, known):
        is_label = column.name in text
        number = kinds.is_integer(column.type) or kinds.is_floating(column.type)
        # An optional text column without a single value comes back as numbers from many programs.
        fits = (_is_text(column.type, kinds) or (number and column.name in _OPTIONAL_TEXT)) if is_label else number
        if not kinds.is_null(column.type) and not fits:
            wanted = "words" if is_label else "numbers"
            raise LivemoodError(f"{path} is not a record file: its column {column.name[:40]!r} contains no {wanted}")


def _is_text(kind: Any, kinds: Any) -> bool:
    return bool(kinds.is_dictionary(kind) or kinds.is_string(kind) or kinds.is_large_string(kind))

"""Record files as data frames of pandas and polars."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from livemood.records.origin import KEY, read_origin
from livemood.records.reading import CHUNK, heads_in, read
from livemood.records.schema import Cell, columns, kind, to_row
from livemood.runtime.optional_deps import required

if TYPE_CHECKING:
    import pandas
    import polars


def to_pandas(path: str | Path) -> "pandas.DataFrame":
    """Return a record file as a pandas data frame with the columns of the CSV form.

    Who made the file, and of what, is in ``attrs["livemood"]`` as a dict; None where the file does not say.

    Raises:
        LivemoodError: As ``read``, or pandas is not installed.
    """
    pandas = required("pandas", "pandas")
    names, chunks = _table(path)
    tables = [pandas.DataFrame(chunk, columns=names) for chunk in chunks] or [pandas.DataFrame(columns=names)]
    kinds = {name: {int: "Int64", str: "string", float: "float64"}[kind(name)] for name in names}
    frame = pandas.concat([table.astype(kinds) for table in tables], ignore_index=True)
    origin = read_origin(path)
    frame.attrs[KEY] = origin and origin.to_json()[KEY]
    return frame


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


def _table(path: str | Path) -> tuple[tuple[str, ...], Iterator[list[tuple[Cell, ...]]]]:
    """Return column names and an iterator over chunks of flat rows."""
    path = Path(path)
    records = read(path)
    first = list(islice(records, CHUNK))  # errors of the file are raised here, not at the first chunk
    labels, others = heads_in(path)

    def chunks() -> Iterator[list[tuple[Cell, ...]]]:
        chunk = first
        while chunk:
            yield [to_row(record, labels, others) for record in chunk]
            chunk = list(islice(records, CHUNK))

    return columns(labels, others), chunks()

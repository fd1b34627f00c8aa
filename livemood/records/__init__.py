"""Records: every face of every frame as a row of a JSONL, CSV or Parquet file, and back; see docs/records.md.

Writing row by row is the work of the sink ``livemood.sinks.records``.
"""

from livemood.records.dataframe import to_pandas, to_polars
from livemood.records.origin import Origin, read_origin
from livemood.records.parquet import PARQUET
from livemood.records.reading import read
from livemood.records.schema import VERSION, HeadScores, Record, columns, heads_of_columns, kind, to_json, to_row

__all__ = [
    "PARQUET",
    "VERSION",
    "HeadScores",
    "Origin",
    "Record",
    "columns",
    "heads_of_columns",
    "kind",
    "read",
    "read_origin",
    "to_json",
    "to_pandas",
    "to_polars",
    "to_row",
]

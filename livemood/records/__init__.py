"""Records: every face of every frame as a row of a JSONL, CSV or Parquet file, and back; see docs/records.md.

Writing row by row is the work of the sink ``livemood.sinks.records``.
"""

from livemood.records.dataframe import to_pandas, to_polars
from livemood.records.reading import PARQUET, read
from livemood.records.schema import VERSION, HeadScores, Record, columns, heads_of_columns, kind, to_json, to_row

__all__ = [
    "PARQUET",
    "VERSION",
    "HeadScores",
    "Record",
    "columns",
    "heads_of_columns",
    "kind",
    "read",
    "to_json",
    "to_pandas",
    "to_polars",
    "to_row",
]

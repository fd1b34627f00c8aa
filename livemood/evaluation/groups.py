"""Accuracy by group of people, from a table of attributes of each picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.errors import DatasetError
from livemood.datasets.files import table_of
from livemood.datasets.picture_names import PictureNames
from livemood.datasets.split import Split
from livemood.evaluation.metrics import Probabilities, wilson_of_mean


def read_groups(path: Path, files: Sequence[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Read a CSV whose first column names the picture; every further column is an attribute, such as age.

    Columns without a name and without values, which spreadsheets add, are left out.

    Args:
        path: The table; it names pictures by path in the data set, or by a name that only one has.
        files: Paths of all pictures in the data set.

    Returns:
        Value by path by attribute, and what rows name that is none of the pictures.

    Raises:
        DatasetError: It cannot be read, has no such columns, two of one name or one without, or a row names several
            pictures, or one a second time with other values.
    """
    header, table = table_of(path, "a table such as file,age,skin")
    header = [cell.strip() for cell in header]
    rows = [(number, [file, *(cell.strip() for cell in cells)]) for number, (file, *cells) in table]
    if not rows or not any(header[1:]):
        raise DatasetError(f"{path} needs a header with a file column and at least one group column, then rows")
    ragged = [number for number, row in rows if len(row) != len(header)]
    if ragged:
        raise DatasetError(f"{path} line {ragged[0]}: expected {len(header)} columns, {', '.join(header)}")
    for place, name in enumerate(header[1:], 1):
        if name and header[1:].count(name) > 1:
            raise DatasetError(f"{path} has two columns called {name}", "rename one")
        if not name and any(row[place] for _, row in rows):
            raise DatasetError(f"{path} has values in column {place + 1}, which has no name", "name it")
    pictures, row_of, unmatched = PictureNames(files), dict[str, list[str]](), list[str]()
    for number, row in rows:
        picture = pictures.find(row[0], f"{path} line {number}")
        if not picture and row[0].strip():
            unmatched.append(row[0])
        if picture and row_of.setdefault(picture, row)[1:] != row[1:]:
            raise DatasetError(f"{path} line {number}: {row[0]} has other values above", "keep one")
    attributes = {name: place for place, name in enumerate(header) if place and name}
    values = {name: {picture: row[place] for picture, row in row_of.items()} for name, place in attributes.items()}
    return values, unmatched


def by_group(
    probabilities: Probabilities, split: Split, groups: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """Return accuracy on the top vote for each value of each attribute, and the largest gap between two of them.

    An attribute that is empty for all labelled pictures is left out.

    Args:
        probabilities: (N, K) of the split's pictures.
        split: The pictures.
        groups: Value by path by attribute, see ``read_groups``.

    Raises:
        DatasetError: No picture of the split has a value in the table.
    """
    hits, known = probabilities.argmax(1) == split.top_vote, split.top_vote >= 0
    found: dict[str, dict[str, Any]] = {}
    for attribute, value_of in groups.items():
        values = np.array([value_of.get(file, "") for file in split.files.tolist()])
        names = sorted(set(values[known].tolist()) - {""})
        if not names:
            continue
        found[attribute] = compare_groups(hits[known], values[known], names)
    if groups and not found:
        raise DatasetError(
            f"none of the {len(split)} pictures has a value in the groups table", "name them as {0}", split.files[0]
        )
    return found


def compare_groups(hits: npt.NDArray[np.bool_], values: npt.NDArray[np.str_], names: Sequence[str]) -> dict[str, Any]:
    """Return pictures, accuracy and its Wilson interval for each group, and the largest gap between two of them.

    Args:
        hits: (N,) whether each picture is right.
        values: (N,) which group it belongs to.
        names: Groups in the order wanted; those without a picture are left out.
    """
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        inside = hits[values == name]
        if len(inside):
            low, high = wilson_of_mean(inside)
            rows[name] = {
                "pictures": len(inside),
                "accuracy": round(float(inside.mean()), 4),
                "interval": [round(low, 4), round(high, 4)],
            }
    ordered = sorted(rows, key=lambda name: rows[name]["accuracy"])
    worst, best = ordered[0], ordered[-1]
    gap = rows[best]["accuracy"] - rows[worst]["accuracy"]
    return {"values": rows, "largest_gap": round(gap, 4), "between": [worst, best]}

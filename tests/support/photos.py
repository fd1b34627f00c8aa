"""``livemood image`` in this process, and the rows that it writes."""

import csv
from pathlib import Path

from livemood.cli import run


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def image(*words: object) -> int:
    return run(["image", *map(str, words)])

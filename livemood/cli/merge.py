"""``livemood merge-people``: tracks of one person joined under one number."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.options import Force
from livemood.cli.terminal import plain
from livemood.core.counts import counted

if TYPE_CHECKING:
    from livemood.reporting.merges import MergeCommand


def merge_command() -> "MergeCommand":
    """Return the command that a report shows."""
    from livemood.reporting.merges import MergeCommand

    return MergeCommand("livemood merge-people {records}{same} --out {out}", " --same {ids}")


def _ids(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise typer.BadParameter(f"expected numbers of people such as 4,14, got {text}", param_hint="--same")
    return tuple(map(int, words))


def merge_people(
    records: Annotated[
        Path,
        typer.Argument(metavar="RECORDS", readable=False, help=".jsonl, .csv or .parquet written by livemood."),
    ],
    same: Annotated[
        list[str],
        typer.Option("--same", metavar="N,M,...", help="Numbers of one person; repeatable."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Records to write: .jsonl, .csv or .parquet.")],
    force: Force = False,
) -> None:
    """Merge tracks of one person: after a cut or an absence a face gets a new number.

    The first number of each --same is kept. A report lists tracks that may be one person, by time and place; faces are
    not compared.

    Examples:
      livemood merge-people moods.jsonl --same 4,14 --out joined.jsonl
      livemood merge-people moods.csv --same 1,3,7 --same 2,5 --out joined.csv
    """
    from livemood.apps import merge_people as merging

    try:
        rows = merging.merge_people(records, [_ids(text) for text in same], out, force=force)
    except merging.MergeConflict as error:
        raise typer.BadParameter(str(error), param_hint="--same") from error
    for track, count in rows.items():
        print(f"person {track}: {counted(count, 'row')}")
    print(f"records: {plain(out)}")

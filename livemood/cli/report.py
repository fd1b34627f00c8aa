"""``livemood report``: a page, and a picture, about records."""

from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.options import Force


def report(
    records: Annotated[Path, typer.Argument(metavar="RECORDS", help=".jsonl, .csv or .parquet written by livemood.")],
    out: Annotated[Path | None, typer.Option("--out", help="Page to write, .html (extra: report).")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture to write, such as .png (extra: plots).")] = None,
    thumbnails: Annotated[
        Path | None, typer.Option("--thumbnails", metavar="VIDEO", help="Show faces from the video of the records.")
    ] = None,
    force: Force = False,
) -> None:
    """Make a page about records: timelines, shares, strongest changes. It needs no network, and nothing beside it.

    [bold]Examples[/bold]

      livemood report moods.jsonl --out moods.html

      livemood report moods.csv --out moods.html --thumbnails clip.mp4

      livemood report moods.parquet --plot moods.png
    """
    from livemood.reporting.page import write_report
    from livemood.reporting.plot import write_plot

    if not out and not plot:
        raise typer.BadParameter("nothing would be written; add --out or --plot", param_hint="--out")
    if out:
        write_report(records, out, thumbnails=thumbnails, force=force)
        print(f"report: {out}")
    if plot:
        write_plot(records, plot, force=force)
        print(f"plot: {plot}")

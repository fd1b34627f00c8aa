"""``livemood report``: a page or a plot about one or many recordings."""

from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.options import Force, refuse_shared, seconds
from livemood.cli.terminal import plain
from livemood.runtime.storage import is_url


def _on_clock(text: str | float) -> float:
    """Parse a time on the page's clock, s; it may be below 0."""
    return -seconds(text[1:]) if isinstance(text, str) and text.startswith("-") else seconds(text)


def report(
    records: Annotated[
        list[str],
        typer.Argument(
            metavar="RECORDS...", help=".jsonl, .csv or .parquet written by livemood; or a batch's DATASET or its URL."
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Page to write, .html (extra: report).")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture to write, such as .png (extra: plots).")] = None,
    thumbnails: Annotated[
        Path | None, typer.Option("--thumbnails", metavar="VIDEO", help="Show faces from the video of the records.")
    ] = None,
    stimulus: Annotated[
        Path | None, typer.Option("--stimulus", metavar="FILM", help="Show frames of the film that was watched.")
    ] = None,
    stimulus_start: Annotated[
        float | None,
        typer.Option(
            "--stimulus-start", metavar="TIME", parser=_on_clock, help="When the film began, on the page's clock."
        ),
    ] = None,
    align: Annotated[
        str | None, typer.Option("--align", metavar="EVENT", help="Align many recordings at this event, as time 0.")
    ] = None,
    table: Annotated[Path | None, typer.Option("--table", help="CSV with a row for each of many recordings.")] = None,
    curves: Annotated[
        Path | None, typer.Option("--curves", help="CSV of means and standard deviations over time.")
    ] = None,
    force: Force = False,
) -> None:
    """Make a self-contained page about records: timelines, shares, strongest changes.

    Many recordings of the same stimulus become one page: a table, means and standard deviations, and each timeline.

    Examples:
      livemood report moods.jsonl --out moods.html
      livemood report moods.csv --out moods.html --thumbnails clip.mp4
      livemood report moods.parquet --plot moods.png
      livemood report moods.jsonl --out moods.html --stimulus film.mp4
      livemood report moods/ --out archive.html
      livemood report s3://bucket/moods --out archive.html
      livemood report ann.jsonl ben.jsonl --out group.html --table group.csv
    """
    from livemood.cli.merge import merge_command
    from livemood.reporting.dataset_page import write_dataset_report
    from livemood.reporting.film import Stimulus
    from livemood.reporting.group_page import write_group_report
    from livemood.reporting.page import write_report
    from livemood.reporting.plot import refuse_plot, write_plot

    if not (out or plot or table or curves):
        raise typer.BadParameter("nothing would be written; add --out", param_hint="--out")
    if len(records) == 1 and (is_url(records[0]) or Path(records[0]).is_dir()):
        if not out or plot or thumbnails or stimulus or stimulus_start is not None or align or table or curves:
            raise typer.BadParameter("a data set has one page only; give --out alone", param_hint="--out")
        write_dataset_report(records[0], out, force=force)
        print(f"report: {plain(out)}")
        return
    for one in records:
        if is_url(one):
            raise typer.BadParameter(
                f"{one} is a URL; many recordings are files on this machine", param_hint="RECORDS..."
            )
    many = len(records) > 1
    for name, given, wanted in (
        ("plot", plot, False),
        ("thumbnails", thumbnails, False),
        ("align", align, True),
        ("table", table, True),
        ("curves", curves, True),
    ):
        if given and wanted != many:
            raise typer.BadParameter(
                f"is for {'many recordings' if wanted else 'one recording'}, got {len(records)}", param_hint=f"--{name}"
            )
    for name, for_page in (("thumbnails", thumbnails), ("stimulus", stimulus)):
        if for_page and not out:
            raise typer.BadParameter("needs a page; add --out", param_hint=f"--{name}")
    if stimulus_start is not None and not stimulus:
        raise typer.BadParameter("needs a film; add --stimulus", param_hint="--stimulus-start")
    refuse_shared([("out", out), ("plot", plot), ("table", table), ("curves", curves)])
    if plot:
        refuse_plot(plot, force)  # before the page is written
    film = Stimulus(stimulus, stimulus_start or 0.0) if stimulus else None
    if many:
        write_group_report(records, out, table=table, curves=curves, align=align, stimulus=film, force=force)
    elif out:
        write_report(records[0], out, thumbnails=thumbnails, stimulus=film, merge_command=merge_command(), force=force)
    if plot:
        write_plot(records[0], plot, force=force)
    for name, path in (("report", out), ("plot", plot), ("table", table), ("curves", curves)):
        if path:
            print(f"{name}: {plain(path)}")

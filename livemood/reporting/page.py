"""The report as one HTML page that needs nothing else: charts, styles and pictures travel inside it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from livemood.records import read
from livemood.reporting import sections
from livemood.reporting.charts import PLOTLY, confidences, shares, timeline
from livemood.reporting.colours import DARK, LIGHT, Theme, inks, palette
from livemood.reporting.document import asset, document
from livemood.reporting.summary import Summary, summarise
from livemood.runtime.atomic_io import atomic_write, refuse_to_overwrite
from livemood.runtime.optional_deps import required

_SETTING: Final = "out"
_NOSCRIPT: Final = "<noscript><p>The charts need JavaScript; every figure is also in the tables.</p></noscript>"


def write_report(
    records: str | Path,
    out: str | Path,
    *,
    title: str | None = None,
    thumbnails: str | Path | None = None,
    force: bool = False,
) -> None:
    """Write a report on a record file as one HTML page that loads nothing from anywhere.

    Args:
        records: A .jsonl, .csv or .parquet file written by livemood.
        out: The page to write.
        title: Heading of the page; made from the file's name by default.
        thumbnails: The video that the records are of, to show faces at the moments of strongest change; None for
            no pictures.
        force: Replace a page that is there.

    Raises:
        LivemoodError: The records cannot be read, or plotly is not installed.
        VideoUnreadable: The video cannot be read, or is shorter than the records.
        SinkError: The page is there already or cannot be written.
    """
    records, out = Path(records), Path(out)
    refuse_to_overwrite(out, _SETTING, force)
    summary = summarise(read(records))
    video = None if thumbnails is None else Path(thumbnails)
    page = _page(summary, title or f"Moods in {records.stem}", records.name, video)
    with atomic_write(out, _SETTING, force) as part:
        part.write_text(page, encoding="utf-8", newline="\n")


def _page(summary: Summary, title: str, source: str, video: Path | None) -> str:
    plotly = required("plotly.offline", PLOTLY).get_plotlyjs()
    # Escaped so that no label can end the script element.
    charts = json.dumps(_charts(summary), separators=(",", ":")).replace("<", "\\u003c")
    return document(
        title,
        sections.facts(summary, source),
        f"{asset('meaning.html')}\n{_NOSCRIPT}\n{sections.figures(summary, video)}",
        sections.method(summary, video),
        (plotly, asset("page.js")),
        f'<script type="application/json" id="charts">{charts}</script>',
    )


def _charts(summary: Summary) -> dict[str, Any]:
    """Return what the page's script draws: figures by element id, and the colours of both themes."""
    people = sections.charted(summary)
    figures = {sections.timeline_id(person): timeline(person, summary) for person in people}
    if people:
        figures |= {"shares": shares(people, summary), "confidences": confidences(summary.people)}
    return {"figures": figures, "themes": {"light": _theme(LIGHT, summary), "dark": _theme(DARK, summary)}}


def _theme(theme: Theme, summary: Summary) -> dict[str, Any]:
    colours = palette(theme, summary.labels)
    return {**asdict(theme), "labels": colours, "inks": inks(colours)}

"""The report on a recording as one self-contained HTML page, with charts, styles and pictures inside."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from livemood.records import read_origin
from livemood.reporting import sections
from livemood.reporting.charts import PLOTLY, confidences, shares, timeline, whole
from livemood.reporting.colours import DARK, LIGHT, Theme, inks, palette
from livemood.reporting.document import asset, document
from livemood.reporting.film import Stimulus, StimulusFrames, stimulus_frames
from livemood.reporting.merges import MergeCommand, merges_section
from livemood.reporting.summary import summary_of
from livemood.runtime.atomic_io import atomic_write, refuse_other_suffix, refuse_to_overwrite
from livemood.runtime.optional_deps import required

PAGES: Final = (".html", ".htm")
"""Suffixes of pages."""

_SETTING: Final = "out"
_NOSCRIPT: Final = "<noscript><p>The charts need JavaScript; every figure is also in the tables.</p></noscript>"


def write_report(
    records: str | Path,
    out: str | Path,
    *,
    title: str | None = None,
    thumbnails: str | Path | None = None,
    stimulus: Stimulus | None = None,
    merge_command: MergeCommand | None = None,
    kept: bool = True,
    force: bool = False,
    setting: str = _SETTING,
) -> None:
    """Write a report on a record file as one self-contained HTML page.

    Args:
        records: A .jsonl, .csv or .parquet file written by livemood.
        out: The page to write.
        title: Heading of the page; made from the file's name by default.
        thumbnails: The video that the records are of, to show faces at the moments of strongest change; None for
            no pictures.
        stimulus: Film that was watched, on the records' clock; its frames are shown under the timelines.
        merge_command: The command that merges tracks which may be one person; None to name them only.
        kept: Whether the record file stays, so that it can be named on the page.
        force: Replace a page that is there.
        setting: Which setting named the page, for the remedy of an error.

    Raises:
        LivemoodError: The records cannot be read, or plotly is not installed.
        VideoUnreadable: A video cannot be read, or is shorter than the records.
        SinkError: The page is there already or cannot be written.
    """
    records, out = Path(records), Path(out)
    refuse_other_suffix(out, setting, *PAGES)
    refuse_to_overwrite(out, setting, force)
    summary = summary_of(records)
    video = None if thumbnails is None else Path(thumbnails)
    shown = None
    if stimulus:
        moments = [change.after.time_s for change in summary.changes]
        shown = stimulus_frames(stimulus, summary.start_s, summary.over_s, moments)
    people, axis = sections.charted(summary), whole(summary)
    drawn = {sections.timeline_id(person): timeline(person, summary, axis) for person in people}
    if people:
        drawn |= {"shares": shares(people, summary), "confidences": confidences(summary.people)}
    page = Page(
        title or f"Moods in {records.stem}",
        sections.facts(summary, records.name),
        sections.figures(
            summary, video, shown, merges_section(summary.people, records if kept else None, merge_command)
        ),
        sections.made_by(read_origin(records)) + sections.method(summary, video, shown),
        drawn,
        summary.labels,
        shown,
    )
    write_page(page, out, force, setting)


@dataclass(frozen=True, slots=True)
class Page:
    """The content of a page.

    Attributes:
        title: Its heading.
        facts: One line about it.
        sections: Figures and tables, as HTML.
        method: How they were made, as HTML.
        charts: Figures by id of the element that holds them.
        labels: Emotions in the charts.
        shown: Frames of the stimulus film, if there is one.
    """

    title: str
    facts: str
    sections: str
    method: str
    charts: Mapping[str, Any]
    labels: tuple[str, ...]
    shown: StimulusFrames | None = None


def write_page(page: Page, out: Path, force: bool, setting: str = _SETTING) -> None:
    """Write a page as one self-contained HTML file.

    Raises:
        LivemoodError: plotly is not installed.
        SinkError: It is there already or cannot be written.
    """
    text = _html(page)
    with atomic_write(out, setting, force) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def _html(page: Page) -> str:
    plotly = required("plotly.offline", PLOTLY).get_plotlyjs()
    themes = {"light": _theme(LIGHT, page.labels), "dark": _theme(DARK, page.labels)}
    # Escaped so that no label can end the script element.
    charts = json.dumps({"figures": page.charts, "themes": themes}, separators=(",", ":")).replace("<", "\\u003c")
    return document(
        page.title,
        page.facts,
        f"{asset('meaning.html')}\n{_NOSCRIPT}\n{page.sections}",
        page.method,
        (plotly, asset("page.js")),
        f'<script type="application/json" id="charts">{charts}</script>',
        style=f":root {{ --film: url({page.shown.strip.uri}); }}" if page.shown else "",
    )


def _theme(theme: Theme, labels: tuple[str, ...]) -> dict[str, Any]:
    colours = palette(theme, labels)
    return {**asdict(theme), "labels": colours, "inks": inks(colours)}

"""A recording as one plot: each person's scores over time above a ribbon of labels, drawn by matplotlib."""

from pathlib import Path
from typing import Any, Final

from livemood.core.labels import UNSURE
from livemood.core.text_tables import one_line
from livemood.reporting.colours import LIGHT, palette
from livemood.reporting.matplotlib_figure import MATPLOTLIB, new_figure
from livemood.reporting.summary import Person, Summary, curves, spans, summary_of
from livemood.reporting.tables import clock
from livemood.runtime.atomic_io import atomic_write, refuse_other_suffix, refuse_to_overwrite
from livemood.runtime.optional_deps import check_installed

_SETTING: Final = "plot"
_SUFFIXES: Final = (".png", ".svg", ".pdf")
_MAX_PEOPLE: Final = 6
_STYLES: Final = ("-", "--", ":", "-.")


def write_plot(records: str | Path, out: str | Path, *, force: bool = False) -> None:
    """Draw the scores of the six people seen in the most frames.

    Args:
        records: A .jsonl, .csv or .parquet file written by livemood.
        out: The picture to write: .png, .svg or .pdf.
        force: Replace a picture that is there.

    Raises:
        LivemoodError: The records cannot be read, or matplotlib is not installed.
        SinkError: Another suffix, or the picture is there already or cannot be written.
    """
    records, out = Path(records), Path(out)
    refuse_plot(out, force)
    figure = _figure(summary_of(records), f"Moods in {records.stem}")
    with atomic_write(out, _SETTING, force) as part:
        figure.savefig(part, format=out.suffix[1:].lower(), dpi=150)


def refuse_plot(out: Path, force: bool) -> None:
    """Refuse what ``write_plot`` would refuse, before other work.

    Raises:
        LivemoodError: matplotlib is not installed.
        SinkError: Another suffix, or the picture is there already.
    """
    check_installed("matplotlib", MATPLOTLIB)
    refuse_other_suffix(out, _SETTING, *_SUFFIXES)
    refuse_to_overwrite(out, _SETTING, force)


def _figure(summary: Summary, title: str) -> Any:
    people = summary.people[:_MAX_PEOPLE]
    rows = max(len(people), 1)
    figure = new_figure(11, 1.2 + 2.6 * rows)
    more = f" ({len(people)} of {len(summary.people)} people)" if len(summary.people) > len(people) else ""
    figure.suptitle(one_line(title + more), parse_math=False)
    if not people:
        figure.text(0.5, 0.5, "No face was found.", ha="center")
        return figure
    colours = palette(LIGHT, summary.labels)
    grid = figure.subplots(2 * rows, 1, sharex=True, squeeze=False, height_ratios=[8, 1] * rows)[:, 0]
    for person, above, below in zip(people, grid[::2], grid[1::2], strict=True):
        _draw_scores(above, person, summary, colours)
        _draw_ribbon(below, person, summary, colours)
    grid[0].set_xlim(summary.start_s, summary.over_s)
    minutes = summary.end_s >= 120
    grid[-1].xaxis.set_major_formatter(lambda time_s, _: clock(time_s, 0) if minutes else f"{time_s:g}")
    grid[-1].set_xlabel("time (h:mm:ss)" if summary.end_s >= 3600 else "time (m:ss)" if minutes else "time (s)")
    legend = figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=9, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _draw_scores(axes: Any, person: Person, summary: Summary, colours: dict[str, str]) -> None:
    times, values = curves(person, summary)
    for place, (label, curve) in enumerate(zip(summary.labels, values, strict=True)):
        style = _STYLES[place % len(_STYLES)]
        axes.plot(times, curve, style, color=colours[label], label=label, linewidth=1.4)
    for time_s in summary.events.values():
        axes.axvline(time_s, color=LIGHT.text, linestyle=":", linewidth=1)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel(f"person {person.id}")
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.grid(color=LIGHT.grid)


def _draw_ribbon(axes: Any, person: Person, summary: Summary, colours: dict[str, str]) -> None:
    for span in spans(person, summary):
        hatch = "//" if span.label == UNSURE else ""
        axes.barh(0, span.end_s - span.start_s, left=span.start_s, height=1, color=colours.get(span.label), hatch=hatch)
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([])

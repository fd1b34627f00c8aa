"""The report on many recordings: a table of them, their mean over time, and each one's timeline."""

from collections.abc import Sequence
from html import escape
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from livemood.core.labels import UNSURE
from livemood.core.text_tables import table_line
from livemood.reporting import sections
from livemood.reporting.charts import TimeAxis, means, timeline
from livemood.reporting.film import Stimulus, StimulusFrames, stimulus_frames
from livemood.reporting.group import Group, Recording, read_group
from livemood.reporting.page import PAGES, Page, write_page
from livemood.reporting.tables import Table, clock, percent
from livemood.runtime.atomic_io import atomic_write, refuse_inputs, refuse_other_suffix, refuse_to_overwrite

_MAX_CHARTED: Final = 24
_PERIODS: Final = 24


def write_group_report(
    records: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    table: str | Path | None = None,
    curves: str | Path | None = None,
    align: str | None = None,
    stimulus: Stimulus | None = None,
    force: bool = False,
) -> None:
    """Write a report on recordings of the same stimulus: one HTML page, and its tables as CSV.

    Each recording stands for one person, the one seen in the most frames.

    Args:
        records: Two or more .jsonl, .csv or .parquet files written by livemood.
        out: The page to write, if wanted.
        table: CSV to write with a row for each recording, if wanted.
        curves: CSV to write with mean, spread and count over time, if wanted.
        align: Number or name of the event that is time 0 of all recordings; by default each begins at its own 0.
        stimulus: What was being watched, on the clock of the page.
        force: Replace files that are there.

    Raises:
        LivemoodError: Records cannot be read, have other emotions than the first, or lack the event; or plotly is
            not installed.
        VideoUnreadable: The film cannot be read.
        SinkError: A file is there already or cannot be written.
    """
    targets = {name: Path(path) for name, path in (("out", out), ("table", table), ("curves", curves)) if path}
    for name, path in targets.items():
        refuse_other_suffix(path, name, *(PAGES if name == "out" else (".csv",)))
        refuse_inputs(path, name, records)
        refuse_to_overwrite(path, name, force)
    group = read_group([Path(path) for path in records], align)
    if "out" in targets:
        write_page(_page(group, align, stimulus), targets["out"], force)
    for name, rows in (("table", _table_rows), ("curves", _curve_rows)):
        if name in targets:
            with atomic_write(targets[name], name, force) as part, part.open("w", encoding="utf-8", newline="") as file:
                file.writelines(map(table_line, rows(group)))


def _page(group: Group, align: str | None, stimulus: Stimulus | None) -> Page:
    changes = group.changes()
    shown = None
    if stimulus:
        shown = stimulus_frames(stimulus, group.start_s, group.end_s, [change.time_s for change in changes])
    axis = TimeAxis(group.start_s, group.end_s)
    charts = {}
    if group.count.any():
        charts["means"] = means(group, axis)
    for number, one in _charted(group):
        assert one.person
        own = TimeAxis(group.start_s, group.end_s, one.origin_s)
        charts[f"recording-{number}"] = timeline(one.person, one.summary, own)
    seen = sum(one.person is not None for one in group.recordings)
    facts = f"{len(group.recordings)} recordings, {seen} of them with a face; {_aligned(align)}."
    parts = [_recordings(group)]
    if seen:
        parts += [_means(group, shown), _moments(group, shown), _each(group, shown)]
    title = f"Moods in {len(group.recordings)} recordings"
    return Page(
        title, facts, "\n".join(map(sections.section, parts)), _method(group, shown), charts, group.labels, shown
    )


def _aligned(align: str | None) -> str:
    return "each on its own clock" if align is None else f"aligned at event {align} (time 0)"


def _charted(group: Group) -> list[tuple[int, Recording]]:
    return [(number, one) for number, one in enumerate(group.recordings, 1) if one.person][:_MAX_CHARTED]


def _recordings(group: Group) -> str:
    labels = (*group.labels, UNSURE)
    head = ("recording", "length", "people", "frames", "mostly", "mean confidence", *labels)
    rows = []
    for one in group.recordings:
        summary, person = one.summary, one.person
        length, people = clock(summary.length_s), str(len(summary.people))
        if person is None:
            rows.append((one.name, length, people, "0", "nobody", *[""] * (len(labels) + 1)))
            continue
        shares = (percent(person.labels[label] / person.faces) for label in labels)
        mostly = person.labels.most_common(1)[0][0]
        rows.append((one.name, length, people, f"{person.faces:,}", mostly, percent(person.confidence), *shares))
    intro = (
        "<h2>The recordings</h2>\n<p>Each recording counts as one person: the one seen in the most frames. Columns of "
        "labels are shares of that person's frames.</p>\n"
    )
    return intro + Table("Recordings and the share of each label", head, tuple(rows), texts=(0, 4)).html()


def _means(group: Group, shown: StimulusFrames | None) -> str:
    periods = np.array_split(np.arange(len(group.times_s)), min(_PERIODS, len(group.times_s)))
    rows = []
    for columns in periods:
        count = group.count[columns].max()
        means = [_mean(values[columns]) for values in group.mean]
        spreads = [_mean(values[columns]) for values in group.spread]
        start, end = (group.start_s + place * group.step_s for place in (columns[0], columns[-1] + 1))
        cells = (
            "" if np.isnan(mean) else percent(mean) + ("" if np.isnan(spread) else f" ± {percent(spread)}")
            for mean, spread in zip(means, spreads, strict=True)
        )
        rows.append((f"{clock(start)}\u2013{clock(end)}", str(count), *cells))
    figures = Table(
        "Mean ± standard deviation between recordings", ("time", "recordings", *group.labels), tuple(rows)
    ).html()
    return "\n".join(
        (
            "<h2>All together</h2>",
            "<p>The curves are means over the recordings, the bands one standard deviation to each side. Where only "
            "one recording shows its person there is no band. Click a label to hide or show it; drag sideways to zoom "
            "in.</p>",
            sections.chart("means", "Curves: the mean score of each label over time. The table below has the figures."),
            sections.film(shown),
            sections.details("The means as a table", figures),
        )
    )


def _moments(group: Group, shown: StimulusFrames | None) -> str:
    heading = "<h2>Moments of strongest change, all together</h2>\n"
    changes = group.changes()
    if not changes:
        return f"{heading}<p>There was no large change of the mean scores.</p>"
    head = ("time", "before", "after", "size of the change", *(("on the screen",) if shown else ()))
    rows = (
        (
            clock(change.time_s),
            change.before,
            change.after,
            percent(change.size),
            *((sections.film_frame(shown, place, change.time_s),) if shown else ()),
        )
        for place, change in enumerate(changes)
    )
    back_s = group.change_steps * group.step_s
    intro = f"<p>Each row compares the mean scores of a moment with those {back_s:.3g} s before it.</p>\n"
    return (
        heading
        + intro
        + Table("Strongest changes of the mean, strongest first", head, tuple(rows), texts=(0, 1, 2, 4)).html()
    )


def _each(group: Group, shown: StimulusFrames | None) -> str:
    charted = _charted(group)
    parts = ["<h2>Each recording</h2>"]
    if len(charted) < sum(one.person is not None for one in group.recordings):
        parts.append(f'<p class="soft">Charts show the first {len(charted)} recordings.</p>')
    for number, one in charted:
        assert one.person
        description = f"Curves: the scores of {one.name} over time. The table below has the figures."
        name = escape(one.name)
        parts += [
            f"<h3>{name}</h3>",
            sections.chart(f"recording-{number}", description),
            sections.film(shown),
            sections.details(f"{one.name} as a table", sections.periods(one.person, one.summary)),
        ]
    return "\n".join(parts)


def _method(group: Group, shown: StimulusFrames | None) -> str:
    return (
        f"<p>Means are taken over steps of {group.step_s:.3g} s, first within each recording, then over the recordings "
        "that show their person in the step; the standard deviation divides by n - 1. Tables under single recordings "
        f"are on their own clocks. {sections.film_note(shown)}Everything on this page is inside this one file, which "
        "loads nothing from a network. It contains no picture of anyone who was recorded. Made with livemood.</p>"
    )


def _table_rows(group: Group) -> list[list[str]]:
    labels = (*group.labels, UNSURE)
    head = ["recording", "length_s", "people", "frames", "confidence", *(f"share_{label}" for label in labels)]
    rows = [head + [f"mean_{label}" for label in group.labels]]
    for one in group.recordings:
        summary, person = one.summary, one.person
        row = [one.name, f"{summary.length_s:.3f}", str(len(summary.people))]
        if person is None:
            rows.append([*row, "0", *[""] * (len(rows[0]) - 4)])
            continue
        shares = (f"{person.labels[label] / person.faces:.6f}" for label in labels)
        sums = np.sum([point.scores for point in person.bins.values()], axis=0)
        scores = (f"{sums[summary.labels.index(label)] / person.faces:.6f}" for label in group.labels)
        rows.append([*row, str(person.faces), f"{person.confidence:.6f}", *shares, *scores])
    return rows


def _curve_rows(group: Group) -> list[list[str]]:
    head = chain.from_iterable((f"mean_{label}", f"sd_{label}") for label in group.labels)
    rows = [["time_s", "recordings", *head]]
    for column, time_s in enumerate(group.times_s):
        pairs = zip(group.mean[:, column], group.spread[:, column], strict=True)
        cells = ("" if np.isnan(value) else f"{value:.6f}" for value in chain.from_iterable(pairs))
        rows.append([f"{time_s:.3f}", str(group.count[column]), *cells])
    return rows


def _mean(values: "np.typing.NDArray[np.float64]") -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")

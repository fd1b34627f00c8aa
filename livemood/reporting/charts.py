"""The charts of a report as plotly figures.

A trace has its label in ``meta``; the page sets the colour, because only the page knows whether its theme is light or
dark. Other texts are escaped, because plotly takes them for HTML. Times are in ms; the page turns them into dates in
1970, so that plotly formats them as clock times. If there are times before 0, the axis is in plain seconds. From a day
on, where a clock would begin again, it is in hours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np

from livemood.core.labels import UNSURE
from livemood.reporting.group import Group
from livemood.reporting.summary import CONFIDENCE_STEPS, Person, Summary, curves, spans
from livemood.reporting.tables import short
from livemood.runtime.optional_deps import required

PLOTLY: Final = "'livemood[report]'"
"""The extra that installs plotly."""

MAX_NAMED: Final = 20
"""Charts name events if there are at most this many."""

_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px", "2px,5px")
# Characters of the name of an event in a chart.
_LONGEST_NAME: Final = 40
_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
# A curve with at most this many points has markers.
_DOTTED: Final = 60

_BASE: Final[dict[str, Any]] = {
    "template": "none",
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "system-ui, sans-serif", "size": 13},
    "legend": {"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top", "traceorder": "normal"},
    "margin": {"l": 48, "r": 28, "t": 12, "b": 12},
}


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The time range of a chart.

    Attributes:
        start_s: Start, s on the axis.
        end_s: End, s on the axis.
        origin_s: Time of the recording that is 0 on the axis, s.
    """

    start_s: float
    end_s: float
    origin_s: float = 0.0

    @property
    def is_clock(self) -> bool:
        """Whether times are formatted as clock times."""
        return self.start_s >= 0 and not self.is_long

    @property
    def is_long(self) -> bool:
        """Whether times are in hours."""
        return self.end_s >= _DAY_S

    def place(self, time_s: float) -> float:
        """Return the axis value of a time of the recording, s."""
        return self.length(time_s - self.origin_s)

    def length(self, length_s: float) -> float:
        """Return a length of time, s, in units of the axis."""
        if self.is_clock:
            return _ms(length_s)
        return round(length_s / _HOUR_S, 6) if self.is_long else round(length_s, 3)

    def layout(self) -> dict[str, Any]:
        """Return the axis as a plotly layout."""
        shown = {"range": [self.length(self.start_s), self.length(self.end_s)]}
        if not self.is_clock:
            suffix, digits = (" h", ".3f") if self.is_long else (" s", ".2f")
            return {**shown, "ticksuffix": suffix, "hoverformat": digits, "zeroline": self.start_s < 0}
        clock = "%-H:%M:%S" if self.end_s >= _HOUR_S else "%-M:%S"
        return {
            **shown,
            "type": "date",
            "tickformatstops": [
                {"dtickrange": [None, 999], "value": f"{clock}.%1f"},
                {"dtickrange": [1000, None], "value": clock},
            ],
            "hoverformat": f"{clock}.%2f",
        }


def whole(summary: Summary) -> TimeAxis:
    """Return the axis of a single recording."""
    return TimeAxis(summary.start_s, summary.over_s)


def timeline(person: Person, summary: Summary, axis: TimeAxis) -> dict[str, Any]:
    """Return a person's smoothed scores over time, above a ribbon of labels."""
    figure = required("plotly.graph_objects", PLOTLY).Figure()
    times, scores = curves(person, summary)
    places = [None if time_s is None else axis.place(time_s) for time_s in times]
    _add_curves(figure, places, summary.labels, scores)
    _add_ribbon(figure, person, summary, axis)
    return _plain(
        figure,
        height=400,
        **_marked(summary, axis),
        barmode="overlay",
        hovermode="x unified",
        uniformtext={"minsize": 10, "mode": "hide"},
        xaxis={**axis.layout(), "anchor": "y2"},
        yaxis={"domain": [0.22, 1], "range": [0, 1.02], "tickformat": ".0%", "fixedrange": True},
        yaxis2={"domain": [0, 0.14], "fixedrange": True, "showticklabels": False, "showgrid": False},
    )


def _marked(summary: Summary, axis: TimeAxis) -> dict[str, Any]:
    """Return the lines of events as a plotly layout, with their names unless they are too many to be read.

    Plotly's ``add_vline`` takes longer with each line that is there: minutes for a thousand.
    """
    middle = axis.length((axis.start_s + axis.end_s) / 2)
    place = {number: axis.place(time_s) for number, time_s in summary.events.items()}
    lines = [
        {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain", "line": {"dash": "dot", "width": 1}}
        for x in place.values()
    ]
    names = [
        {
            "x": x,
            "y": 1,
            "yref": "y domain",
            "xanchor": "right" if x > middle else "left",  # towards the middle, so that none is cut off
            "yanchor": "top",
            "showarrow": False,
            "text": escape(short(summary.event_title(number), _LONGEST_NAME)),
        }
        for number, x in place.items()
    ]
    return {"shapes": lines, "annotations": names if len(names) <= MAX_NAMED else []}


def means(group: Group, axis: TimeAxis) -> dict[str, Any]:
    """Return the mean score of each label over all recordings, with a band of one standard deviation to each side."""
    figure = required("plotly.graph_objects", PLOTLY).Figure()
    places = [axis.place(time_s) for time_s in group.times_s]
    for label, mean, spread in zip(group.labels, group.mean, group.spread, strict=True):
        for band in _bands(mean, spread):
            low, high = (np.clip(mean[band] + sign * spread[band], 0, 1).round(4).tolist() for sign in (-1, 1))
            figure.add_scatter(
                x=[*places[band], *reversed(places[band])],
                y=[*low, *reversed(high)],
                mode="lines",
                fill="toself",
                line={"width": 0},
                marker={"size": 1},
                meta=label,
                legendgroup=label,
                showlegend=False,
                hoverinfo="skip",
            )
    values = [[None if np.isnan(value) else round(float(value), 4) for value in mean] for mean in group.mean]
    _add_curves(figure, places, group.labels, values)
    return _plain(
        figure,
        height=400,
        hovermode="x unified",
        xaxis=axis.layout(),
        yaxis={"range": [0, 1.02], "tickformat": ".0%", "fixedrange": True},
    )


def _bands(mean: Any, spread: Any) -> Iterable[slice]:
    """Yield the ranges in which the spread is defined."""
    known = np.concatenate(([False], ~np.isnan(mean) & ~np.isnan(spread), [False]))
    edges = np.flatnonzero(known[1:] != known[:-1])
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield slice(int(start), int(end))


def _add_curves(
    figure: Any, places: Sequence[float | None], labels: Sequence[str], values: Sequence[Sequence[float | None]]
) -> None:
    for number, (label, curve) in enumerate(zip(labels, values, strict=True)):
        figure.add_scatter(
            x=places,
            y=curve,
            mode="lines" if len(places) > _DOTTED else "lines+markers",
            line={"dash": _DASHES[number % len(_DASHES)], "width": 2},
            marker={"size": 4},
            name=escape(label),
            meta=label,
            legendgroup=label,
            hovertemplate="%{y:.0%}",
        )


def shares(people: list[Person], summary: Summary) -> dict[str, Any]:
    """Return one bar per person, divided by the share of each label."""
    figure = required("plotly.graph_objects", PLOTLY).Figure()
    names = [f"person {person.id}" for person in people]
    for label in (*summary.labels, UNSURE):
        figure.add_bar(
            x=[round(person.labels[label] / person.faces, 4) for person in people],
            y=names,
            orientation="h",
            name=escape(label),
            meta=label,
            marker={"pattern": {"shape": _pattern(label)}, "line": {"width": 1}},
            hovertemplate="%{fullData.name}: %{x:.1%}<extra>%{y}</extra>",
        )
    return _plain(
        figure,
        height=130 + 34 * len(people),
        barmode="stack",
        bargap=0.25,
        xaxis={"range": [0, 1], "tickformat": ".0%", "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "automargin": True},
        legend={**_BASE["legend"], "y": -32 / (34 * len(people))},
    )


def confidences(people: list[Person]) -> dict[str, Any]:
    """Return the share of all faces in each tenth of confidence."""
    figure = required("plotly.graph_objects", PLOTLY).Figure()
    counts = [sum(person.confidences[step] for person in people) for step in range(CONFIDENCE_STEPS)]
    figure.add_bar(
        x=[
            f"{100 * step // CONFIDENCE_STEPS}\u2013{100 * (step + 1) // CONFIDENCE_STEPS} %"
            for step in range(CONFIDENCE_STEPS)
        ],
        y=[round(count / sum(counts), 4) for count in counts],
        meta=UNSURE,
        marker={"opacity": 1},
        hovertemplate="%{y:.1%} of the faces<extra></extra>",
    )
    return _plain(
        figure,
        height=260,
        showlegend=False,
        margin={**_BASE["margin"], "b": 40},
        bargap=0.1,
        xaxis={"fixedrange": True, "type": "category"},
        yaxis={"tickformat": ".0%", "fixedrange": True, "rangemode": "tozero"},
    )


def _add_ribbon(figure: Any, person: Person, summary: Summary, axis: TimeAxis) -> None:
    found = spans(person, summary)
    for label in (*summary.labels, UNSURE):
        mine = [span for span in found if span.label == label]
        if mine:
            figure.add_bar(
                base=[axis.place(span.start_s) for span in mine],
                x=[axis.place(span.end_s) - axis.place(span.start_s) for span in mine],
                y=["label"] * len(mine),
                yaxis="y2",
                orientation="h",
                width=1,
                name=escape(label),
                meta=label,
                text=escape(label),
                textposition="inside",
                insidetextanchor="middle",
                marker={"pattern": {"shape": _pattern(label)}},
                showlegend=label == UNSURE,
                hoverinfo="skip",
            )


def _pattern(label: str) -> str:
    return "/" if label == UNSURE else ""


def _ms(time_s: float) -> int:
    return round(time_s * 1000)


def _plain(figure: Any, **layout: Any) -> dict[str, Any]:
    """Return the figure as plain data."""
    figure.update_layout({**_BASE, **layout})
    data: dict[str, Any] = figure.to_plotly_json()
    return data

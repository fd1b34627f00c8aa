"""The charts of a report as plotly figures.

A trace says in ``meta`` which label it shows; the page paints it, since only there it is known whether it is light or
dark. Times are in ms; the page turns them into dates in 1970, on whose axis plotly writes them as a clock shows them.
"""

from typing import Any, Final

from livemood.core.labels import UNSURE
from livemood.reporting.summary import CONFIDENCE_STEPS, Person, Summary, curves, spans
from livemood.runtime.optional_deps import required

PLOTLY: Final = "'livemood[report]'"
"""What brings plotly."""

_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px", "2px,5px")
# A curve with no more points than this shows each one.
_DOTTED: Final = 60

_BASE: Final[dict[str, Any]] = {
    "template": "none",
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "system-ui, sans-serif", "size": 13},
    "legend": {"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top", "traceorder": "normal"},
    "margin": {"l": 48, "r": 28, "t": 12, "b": 12},
}


def timeline(person: Person, summary: Summary) -> dict[str, Any]:
    """Return a person's smoothed scores over time, above a ribbon of labels."""
    figure = required("plotly.graph_objects", PLOTLY).Figure()
    times, scores = curves(person, summary)
    for place, (label, values) in enumerate(zip(summary.labels, scores, strict=True)):
        figure.add_scatter(
            x=[None if time_s is None else _ms(time_s) for time_s in times],
            y=values,
            mode="lines" if len(times) > _DOTTED else "lines+markers",
            line={"dash": _DASHES[place % len(_DASHES)], "width": 2},
            marker={"size": 4},
            name=label,
            meta=label,
            hovertemplate="%{y:.0%}",
        )
    _add_ribbon(figure, person, summary)
    for number, time_s in summary.events.items():
        figure.add_vline(x=_ms(time_s), line={"dash": "dot", "width": 1}, annotation={"text": f"event {number}"})
    clock = "%-H:%M:%S" if summary.end_s >= 3600 else "%-M:%S"
    return _plain(
        figure,
        height=400,
        barmode="overlay",
        hovermode="x unified",
        uniformtext={"minsize": 10, "mode": "hide"},
        xaxis={
            "type": "date",
            "anchor": "y2",
            "range": [_ms(summary.start_s), _ms(summary.over_s)],
            "tickformatstops": [
                {"dtickrange": [None, 999], "value": f"{clock}.%1f"},
                {"dtickrange": [1000, None], "value": clock},
            ],
            "hoverformat": f"{clock}.%2f",
        },
        yaxis={"domain": [0.22, 1], "range": [0, 1.02], "tickformat": ".0%", "fixedrange": True},
        yaxis2={"domain": [0, 0.14], "fixedrange": True, "showticklabels": False, "showgrid": False},
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
            name=label,
            meta=label,
            marker={"pattern": {"shape": _pattern(label)}, "line": {"width": 1}},
            hovertemplate=f"{label}: %{{x:.1%}}<extra>%{{y}}</extra>",
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


def _add_ribbon(figure: Any, person: Person, summary: Summary) -> None:
    found = spans(person, summary)
    for label in (*summary.labels, UNSURE):
        mine = [span for span in found if span.label == label]
        if mine:
            figure.add_bar(
                base=[_ms(span.start_s) for span in mine],
                x=[_ms(span.end_s) - _ms(span.start_s) for span in mine],
                y=["label"] * len(mine),
                yaxis="y2",
                orientation="h",
                width=1,
                name=label,
                meta=label,
                text=label,
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

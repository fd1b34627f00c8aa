"""Texts and tables of a report, with a placeholder for each chart."""

from collections import Counter
from html import escape
from pathlib import Path
from typing import Final

from livemood.core.counts import counted
from livemood.core.labels import SMILE_KINDS, UNSURE
from livemood.records import Origin
from livemood.reporting.changes import CHANGE_WINDOW_S, Change
from livemood.reporting.charts import MAX_NAMED
from livemood.reporting.film import StimulusFrames
from livemood.reporting.summary import CONFIDENCE_STEPS, MAX_BINS, Bin, Person, Summary
from livemood.reporting.tables import Raw, Table, clock, percent, short
from livemood.reporting.thumbnails import thumbnails

_MAX_CHARTED: Final = 12
_MAX_LISTED: Final = 100
_PERIODS: Final = 24
_MAX_SAID: Final = 100
_MAX_EVENTS: Final = 1000


def charted(summary: Summary) -> list[Person]:
    """Return the people who get charts: those longest on screen."""
    return summary.people[:_MAX_CHARTED]


def timeline_id(person: Person) -> str:
    """Return the id of the element that holds a person's timeline."""
    return f"person-{person.id}"


def facts(summary: Summary, source: str) -> str:
    """Return one line about the recording."""
    text = f"{source}: {counted(len(summary.people), 'person', 'people')}, {clock(summary.length_s)} long, "
    text += f"{summary.frames:,} frames with a face"
    text += f", {summary.faceless:,} without" if summary.faceless else ""
    if not summary.events:
        return f"{text}."
    if len(summary.events) > MAX_NAMED:
        return f"{text}; {len(summary.events):,} events marked."
    marked = (f"{summary.event_title(number)} at {clock(time_s)}" for number, time_s in summary.events.items())
    return f"{text}; marked: {', '.join(marked)}."


def figures(summary: Summary, video: Path | None, shown: StimulusFrames | None, merges: str) -> str:
    """Return all sections with figures.

    Args:
        summary: The recording.
        video: Where pictures of faces come from, if wanted.
        shown: Frames of the stimulus film, with one for each of the summary's changes; None without a film.
        merges: Tracks that may be one person, as HTML; empty if there are none.
    """
    if not summary.people:
        return "<p>No face was found in this recording, so there is nothing to show.</p>"
    parts = (_shares(summary), _timelines(summary, shown), _changes(summary, video, shown), _confidence(summary))
    first, *others = map(section, parts)
    return "\n".join([first, *([section(merges)] if merges else []), *others])


def section(content: str) -> str:
    """Return a part of the page."""
    return f"<section>\n{content}\n</section>"


def film(shown: StimulusFrames | None) -> str:
    """Return the strip of film frames under a timeline; empty without a film."""
    if shown is None:
        return ""
    description = escape(f"Frames of {shown.name} at {', '.join(map(clock, shown.strip.times_s))}")
    return (
        f'<div class="film" role="img" aria-label="{description}" style="aspect-ratio: {shown.strip.ratio:.4f}"></div>'
    )


def film_frame(shown: StimulusFrames, place: int, time_s: float) -> str:
    """Return the film frame at a moment, as the content of a table cell."""
    uri = shown.moments[place]
    if uri is None:
        return "none"
    return Raw(f'<img class="film-frame" src="{uri}" alt="{escape(shown.name)} at {clock(time_s)}">')


def method(summary: Summary, video: Path | None, shown: StimulusFrames | None = None) -> str:
    """Return how the figures were made, as HTML."""
    averaged = (
        f"To keep this page small, curves and ribbons show averages over {summary.bin_s:g} s and the most frequent "
        f"label in it (at most {MAX_BINS} points per person); a shorter peak looks lower than it was. Shares, "
        "confidence and changes are counted over every recorded frame. "
        if summary.bin_s >= summary.step_s > 0
        else "Curves show every recorded frame. "
    )
    pictures = "Its pictures of faces were cut from the video. " if video else "It contains no picture of anyone. "
    pictures += film_note(shown)
    return (
        f"<p>{averaged}Everything on this page is inside this one file, which loads nothing from a network. "
        f"{pictures}Made with livemood.</p>"
    )


def made_by(origin: Origin | None) -> str:
    """Return the origin of the records as HTML; empty if it is unknown."""
    if origin is None:
        return ""
    size = f", {origin.width} \u00d7 {origin.height} px" if origin.width and origin.height else ""
    rate = f", {float(origin.rate):.5g} frames a second" if origin.rate else ""
    source = f" of {origin.source}{size}{rate}" if origin.source else ""
    model = f", model {origin.model} (sha256 {(origin.sha256 or 'unknown')[:12]})" if origin.model else ""
    names = {name: name.removesuffix("_s").replace("_", " ") for name in origin.options}
    options = "".join(f", {names[name]} {_short(value)}" for name, value in origin.options.items())
    return f"<p>{escape(f'Records{source} by livemood {origin.version}{model}{options}.')}</p>\n"


def _short(value: object) -> str:
    """Return the value of an option as short text; it may come from an untrusted file."""
    return short(" ".join(map(str, value)) if isinstance(value, list) else str(value), _MAX_SAID)


def film_note(shown: StimulusFrames | None) -> str:
    """Return a sentence about a film's frames, as HTML; empty without a film."""
    if shown is None:
        return ""
    return (
        f"Frames under timelines are of {escape(shown.name)}, each from the middle of its part of the whole timeline; "
        "they do not change when you zoom in. "
    )


def _unsure(person: Person) -> str:
    """Return the share of a person's ``unsure`` frames, and the most frequent reason."""
    why = f" ({person.doubts.most_common(1)[0][0]})" if person.doubts else ""
    return percent(person.unsure_share) + why


def _shares(summary: Summary) -> str:
    listed, shown, everyone = summary.people[:_MAX_LISTED], charted(summary), len(summary.people)
    labels = (*summary.labels, UNSURE)
    notes = ["Shares count every recorded frame that shows the person."]
    if everyone > len(shown):
        notes.append(f"Charts show the {len(shown)} people seen in the most frames, out of {everyone:,}.")
    if everyone > len(listed):
        notes.append(f"Tables list the first {len(listed)} of them.")
    kinds = SMILE_KINDS if any(person.smiles for person in summary.people) else ()
    people = (
        (
            f"person {person.id}",
            clock(person.first_s),
            clock(person.last_s),
            f"{person.faces:,}",
            person.labels.most_common(1)[0][0],
            percent(person.confidence),
            _unsure(person),
            *(percent(person.smiles[kind] / person.faces) for kind in kinds),
        )
        for person in listed
    )
    each = (
        (f"person {person.id}", *(percent(person.labels[label] / person.faces) for label in labels))
        for person in listed
    )
    head = ("person", "first seen", "last seen", "frames", "mostly", "mean confidence", "unsure")
    smiles = tuple(f"{kind} smile" for kind in kinds)
    return "\n".join(
        (
            "<h2>Share of each expression</h2>",
            chart("shares", "Bars: the share of each label for every person. The table below has the figures."),
            f'<p class="soft">{" ".join(notes)}</p>',
            Table("Everyone who was seen, most frames first", (*head, *smiles), tuple(people), texts=(0, 4)).html(),
            details("The shares as a table", Table("Share of each label", ("person", *labels), tuple(each)).html()),
        )
    )


def _timelines(summary: Summary, shown: StimulusFrames | None) -> str:
    dotted = "Dotted lines are marked events. " if summary.events else ""
    parts = [
        "<h2>Over time</h2>",
        "<p>The curves are the smoothed scores of each expression, the ribbon below them is the label. "
        f"{dotted}Drag sideways to zoom in; double-click to zoom out.</p>",
        _events(summary),
    ]
    for person in charted(summary):
        description = f"Curves: the scores of person {person.id} over time. The table below has the figures."
        parts += [
            f"<h3>Person {person.id}</h3>",
            chart(timeline_id(person), description),
            film(shown),
            details(f"Person {person.id} as a table", periods(person, summary)),
        ]
    return "\n".join(parts)


def _events(summary: Summary) -> str:
    """Return a table of marked events; empty if the page's first line and the charts name them all."""
    if len(summary.events) <= MAX_NAMED:
        return ""
    in_order = sorted(summary.events.items(), key=lambda event: event[1])
    rows = tuple((short(summary.event_title(number), _MAX_SAID), clock(time_s)) for number, time_s in in_order)
    note = f"The first {_MAX_EVENTS:,} of {len(rows):,}." if len(rows) > _MAX_EVENTS else ""
    table = Table("Marked events, in order of time", ("event", "time"), rows[:_MAX_EVENTS], note).html()
    return details("Marked events as a table", table)


def periods(person: Person, summary: Summary) -> str:
    """Return a person's time in equal periods: the most frequent label and the mean scores of each."""
    length_s = max((person.last_s - person.first_s) / _PERIODS, summary.step_s, 0.001)
    periods: dict[int, Bin] = {}
    for point in person.bins.values():
        place = min(int((point.time_s / point.count - person.first_s) / length_s), _PERIODS - 1)
        periods.setdefault(place, Bin(0, 0.0, [0.0] * len(summary.labels), Counter())).add(point)
    rows = (
        (
            f"{clock(person.first_s + place * length_s)}\u2013{clock(person.first_s + (place + 1) * length_s)}",
            period.labels.most_common(1)[0][0],
            *(percent(score / period.count) for score in period.scores),
        )
        for place, period in sorted(periods.items())
    )
    caption = f"Most frequent label and mean scores of person {person.id}, period by period"
    return Table(caption, ("time", "label", *summary.labels), tuple(rows), texts=(0, 1)).html()


def _changes(summary: Summary, video: Path | None, shown: StimulusFrames | None) -> str:
    heading = "<h2>Moments of strongest change</h2>\n"
    if not summary.changes:
        return f"{heading}<p>There was no large change of anyone's scores.</p>"
    head = (
        "time",
        "person",
        "before",
        "after",
        "size of the change",
        *(("face before", "face after") if video else ()),
        *(("on the screen",) if shown else ()),
    )
    rows = (
        (
            clock(change.after.time_s),
            f"person {change.after.track}",
            f"{change.before.label} ({percent(change.before.confidence or 0)})",
            f"{change.after.label} ({percent(change.after.confidence or 0)})",
            percent(change.size),
            *(_pictures(video, change) if video else ()),
            *((film_frame(shown, place, change.after.time_s),) if shown else ()),
        )
        for place, change in enumerate(summary.changes)
    )
    window_s = max(CHANGE_WINDOW_S, summary.frame_s)
    intro = (
        f"<p>Each row compares a moment with one about {window_s:.3g} s before it, or with the first after someone "
        "appeared. The size is the share of the score that moved from some expressions to others.</p>\n"
    )
    changes = Table("Strongest changes, strongest first", head, tuple(rows), texts=(0, 1, 2, 3, 5, 6, 7))
    return heading + intro + changes.html()


def _pictures(video: Path, change: Change) -> tuple[str, str]:
    before, after = (
        Raw(f'<img src="{picture}" alt="person {record.track} at {clock(record.time_s)}, {escape(str(record.label))}">')
        if picture
        else "none"
        for picture, record in zip(thumbnails(video, change), (change.before, change.after), strict=True)
    )
    return before, after


def _confidence(summary: Summary) -> str:
    counts = [sum(person.confidences[step] for person in summary.people) for step in range(CONFIDENCE_STEPS)]
    unsure = sum(person.labels[UNSURE] for person in summary.people) / summary.faces
    mean = sum(person.confidence_sum for person in summary.people) / summary.faces
    width = 100 // CONFIDENCE_STEPS
    rows = (
        (f"{width * step}\u2013{width * (step + 1)} %", f"{count:,}", percent(count / summary.faces))
        for step, count in enumerate(counts)
    )
    faces = Table("Faces by confidence", ("confidence", "faces", "share"), tuple(rows)).html()
    return "\n".join(
        (
            "<h2>Confidence</h2>",
            f"<p>Mean confidence over all faces: <strong>{percent(mean)}</strong>. "
            f"Labelled unsure: <strong>{percent(unsure)}</strong>.</p>",
            chart("confidences", "Bars: the share of all faces by confidence. The table below has the figures."),
            details("Confidence as a table", faces),
        )
    )


def chart(chart_id: str, description: str) -> str:
    """Return the placeholder of a chart, with a description for screen readers."""
    return f'<figure><div class="chart" id="{chart_id}" role="img" aria-label="{escape(description)}"></div></figure>'


def details(name: str, content: str) -> str:
    """Return content that is collapsed at first."""
    return f"<details>\n<summary>{escape(name)}</summary>\n{content}\n</details>"

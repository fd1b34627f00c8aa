"""The schema of records, the same for JSONL, CSV, Parquet and data frames (docs/records.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from livemood.core.labels import SMILE, kind_of_smile
from livemood.core.types import Keypoint

Heads = Mapping[str, Sequence[str]]
Cell = int | float | str | None

VERSION: Final = 1
"""Version of the schema; increased when a field is removed or changes its meaning."""
BOX: Final = ("box_left", "box_top", "box_right", "box_bottom")
POINTS: Final = tuple(f"{point.name.lower()}_{axis}" for point in Keypoint for axis in "xy")
FIXED: Final = ("v", "frame", "time_s", "track", *BOX, "label", "confidence", *POINTS)
# Added later, so files without them are accepted.
EVENT: Final = "event"
EVENT_NAME: Final = "event_name"
REASON: Final = "reason"


@dataclass(frozen=True, slots=True)
class HeadScores:
    """The output of a further head for a face.

    Attributes:
        label: One of its labels, or ``unsure``.
        scores: Smoothed probability by label.
    """

    label: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Record:
    """One face in one frame, one frame without faces, or one marked event.

    Attributes:
        frame: How many frames came before it, from the source's beginning or that of the cut.
        time_s: Seconds since the source's start.
        track: Whose face, from 1. None, like box, label and confidence, for a frame without faces and for an event.
        box: Left, top, right and bottom in frame px; may poke outside the frame.
        label: An emotion, or ``unsure``.
        confidence: Smoothed, calibrated probability of the label, 0..1; of the leading emotion where it is ``unsure``.
        scores: Smoothed probability by emotion; empty for a frame without faces.
        raw_scores: Probability by emotion of this frame, or of the last that was classified; empty for a frame without
            faces.
        keypoints: Six (x, y) in frame px in the order of ``Keypoint``; empty where none were recorded.
        event: Number of the event that someone marked at this frame, from 1; such a row holds nothing of a face.
        event_name: What the program that marked it calls the event; None where it has no name.
        others: Outputs of the model's further heads, by name.
        reason: Why the label is ``unsure``, see ``livemood.core.labels.Doubt``; None for any other label and for
            records without reasons.
    """

    frame: int
    time_s: float
    track: int | None = None
    box: tuple[float, float, float, float] | None = None
    label: str | None = None
    confidence: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    raw_scores: Mapping[str, float] = field(default_factory=dict)
    keypoints: tuple[tuple[float, float], ...] = ()
    event: int | None = None
    event_name: str | None = None
    others: Mapping[str, HeadScores] = field(default_factory=dict)
    reason: str | None = None

    @property
    def smile_kind(self) -> str | None:
        """``closed`` or ``open``, of a happy face if the head ``smile`` gave it; None for any other."""
        smile = self.others.get(SMILE)
        return kind_of_smile(self.label, smile.label if smile else None)


def to_json(record: Record) -> dict[str, Any]:
    """Return the record as one JSONL line's object."""
    return {
        "frame": record.frame,
        "time_s": record.time_s,
        "track": record.track,
        "box": record.box,
        "label": record.label,
        "confidence": record.confidence,
        "scores": dict(record.scores),
        "raw_scores": dict(record.raw_scores),
        "keypoints": record.keypoints,
        "event": record.event,
        "event_name": record.event_name,
        "reason": record.reason,
        **{name: {"label": head.label, "scores": dict(head.scores)} for name, head in record.others.items()},
        "v": VERSION,
    }


def columns(labels: Sequence[str], others: Heads | None = None) -> tuple[str, ...]:
    """Return the column names of a flat table (CSV, Parquet, data frames).

    Args:
        labels: The model's emotions.
        others: Labels of its further heads, by name.
    """
    further = ((name, *(f"{name}_score_{label}" for label in known)) for name, known in (others or {}).items())
    return (
        *FIXED,
        EVENT,
        EVENT_NAME,
        REASON,
        *(f"score_{label}" for label in labels),
        *(f"raw_{label}" for label in labels),
        *chain.from_iterable(further),
    )


def heads_of_columns(names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the emotions in a flat table's column names, and the labels of further heads by name."""
    scores = [name.removeprefix("score_") for name in names if name.startswith("score_")]
    labels = tuple(label for label in scores if f"raw_{label}" in names)  # further columns are ignored
    others: dict[str, tuple[str, ...]] = {}
    for name in names:
        head, found, label = name.partition("_score_")
        if found and not name.startswith(("score_", "raw_")) and head in names:
            others[head] = (*others.get(head, ()), label)
    return labels, others


def to_row(record: Record, labels: Sequence[str], others: Heads | None = None) -> tuple[Cell, ...]:
    """Return the record as one flat row, in the order of ``columns``."""
    further: list[Cell] = []
    for name, known in (others or {}).items():
        head = record.others.get(name)
        further += [head.label, *map(head.scores.get, known)] if head else [None] * (1 + len(known))
    return (
        VERSION,
        record.frame,
        record.time_s,
        record.track,
        *(record.box or (None,) * len(BOX)),
        record.label,
        record.confidence,
        *(chain.from_iterable(record.keypoints) if record.keypoints else (None,) * len(POINTS)),
        record.event,
        record.event_name,
        record.reason,
        *map(record.scores.get, labels),
        *map(record.raw_scores.get, labels),
        *further,
    )


def kind(column: str) -> type[int] | type[str] | type[float]:
    """Return the type of a flat column's values."""
    if column in ("v", "frame", "track", EVENT):
        return int
    is_number = column in FIXED or column.startswith(("score_", "raw_")) or "_score_" in column
    return float if is_number and column != "label" else str

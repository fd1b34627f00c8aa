"""Frames with their moods as rows of records, rounded, so that every file format holds the same numbers."""

from collections.abc import Sequence

import numpy as np

from livemood.core.types import Frame, Mood
from livemood.records.schema import HeadScores, Record


def face_rows(frame: Frame, moods: Sequence[Mood], faceless_rows: bool) -> list[Record]:
    """Return one row for each face; with ``faceless_rows`` also one for a frame without faces."""
    rows = [record_of(frame, mood) for mood in moods]
    return rows or ([Record(frame.index, round(frame.time_s, 6))] if faceless_rows else [])


def event_row(frame: Frame, event: int, name: str) -> Record:
    """Return the row of an event that was marked at a frame."""
    return Record(frame.index, round(frame.time_s, 6), event=event, event_name=name or None)


def record_of(frame: Frame, mood: Mood) -> Record:
    """Return the row of one face, its numbers rounded."""
    box = mood.box
    points = np.round(mood.track.detection.keypoints.astype(np.float64), 2).tolist()
    return Record(
        frame.index,
        round(frame.time_s, 6),
        mood.track.id,
        (round(box.left, 2), round(box.top, 2), round(box.right, 2), round(box.bottom, 2)),
        mood.label,
        round(mood.confidence, 6),
        {label: round(score, 6) for label, score in mood.scores.items()},
        {label: round(score, 6) for label, score in mood.raw_scores.items()},
        tuple((x, y) for x, y in points),
        others={
            name: HeadScores(head.label, {label: round(score, 6) for label, score in head.scores.items()})
            for name, head in mood.others.items()
        },
        reason=mood.reason,
    )

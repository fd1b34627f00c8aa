"""Moods as types of other libraries."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from livemood.core.labels import EMOTIONS, UNSURE
from livemood.core.types import Mood
from livemood.runtime.optional_deps import required

if TYPE_CHECKING:
    import supervision


def to_supervision(moods: Sequence[Mood], labels: Sequence[str] = EMOTIONS) -> "supervision.Detections":
    """Return one frame's moods as ``supervision.Detections``, in the order given.

    ``xyxy`` holds the boxes in frame px, ``confidence`` the label's probability, ``tracker_id`` the track,
    and ``class_id`` the label's place in ``labels``, with ``unsure`` after the last. ``data`` holds ``class_name`` and
    ``label``, the label of each face (the first is the name that supervision's own annotators read), and ``scores``,
    (N, K) float64 in the order of ``labels``.

    Args:
        moods: Of one frame; may be empty.
        labels: The model's labels, in its order.

    Raises:
        LivemoodError: supervision is not installed.
        ValueError: A mood's label is neither ``unsure`` nor one of ``labels``.
    """
    sv = required("supervision", "'livemood[supervision]'")
    places = {label: place for place, label in enumerate((*labels, UNSURE))}
    foreign = next((mood.label for mood in moods if mood.label not in places), None)
    if foreign is not None:
        raise ValueError(f"label {foreign!r} of a mood is none of the labels given: {', '.join(labels)}")
    names = np.array([mood.label for mood in moods], dtype=np.str_)
    boxes = [(mood.box.left, mood.box.top, mood.box.right, mood.box.bottom) for mood in moods]
    scores = [[mood.scores.get(label, 0.0) for label in labels] for mood in moods]
    return sv.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.array([mood.confidence for mood in moods], np.float32),
        class_id=np.array([places[mood.label] for mood in moods], int),
        tracker_id=np.array([mood.track.id for mood in moods], int),
        data={"class_name": names, "label": names, "scores": np.array(scores).reshape(-1, len(labels))},
    )

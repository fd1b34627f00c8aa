"""Counts of a run."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from livemood.core.types import Frame, Mood


@dataclass(slots=True)
class Summary:
    """Counts of a run.

    Attributes:
        frames: Frames read.
        faces: Faces, counted in every frame.
        tracks: Different tracks.
        duration_s: Time of the last frame, s.
        elapsed_s: Wall time, s.
        shares: Share of the faces by label, most frequent first; sums to 1.
        notes: One line for each irregularity.
    """

    frames: int = 0
    faces: int = 0
    tracks: int = 0
    duration_s: float = 0.0
    elapsed_s: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain data."""
        return asdict(self)


class Tally:
    """Counts frames into a ``Summary``."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._frames, self._duration_s = 0, 0.0
        self._people: set[int] = set()
        self._labels: Counter[str] = Counter()

    def add(self, frame: Frame, moods: Sequence[Mood]) -> None:
        """Count one frame."""
        self._frames += 1
        self._duration_s = frame.time_s
        self._people.update(mood.track.id for mood in moods)
        self._labels.update(mood.label for mood in moods)

    def summary(self, notes: Sequence[str] = ()) -> Summary:
        """Return the counts so far."""
        faces = self._labels.total()
        return Summary(
            self._frames,
            faces,
            len(self._people),
            self._duration_s,
            round(time.monotonic() - self._began, 3),
            {label: round(count / faces, 4) for label, count in self._labels.most_common()},
            list(notes),
        )

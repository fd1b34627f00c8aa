"""Intervals of constant label for each person, shared by subtitles and markers."""

from collections.abc import Mapping
from dataclasses import dataclass

# A face that was missed for at most this long, s, and has the same label afterwards keeps its interval.
_BRIDGED_S = 0.5
_LONE_FRAME_S = 1.0


@dataclass(frozen=True, slots=True)
class Interval:
    """One person with one label.

    Attributes:
        track: Whose face.
        label: An emotion, or ``unsure``.
        start_s: Time of the first frame that shows it, s.
        end_s: Time of the first frame that does not, s.
    """

    track: int
    label: str
    start_s: float
    end_s: float


@dataclass(slots=True)
class _Span:
    """An interval that may still be open: then its end is None."""

    track: int
    label: str
    start_s: float
    end_s: float | None = None


class LabelIntervals:
    """Collects the intervals of all people, frame by frame."""

    def __init__(self) -> None:
        self._spans: list[_Span] = []
        self._latest: dict[int, _Span] = {}  # of each track, while it may go on
        self._now_s: float | None = None
        self._step_s = 0.0

    @property
    def end_s(self) -> float:
        """End of the last frame, s; it is assumed to last as long as the one before it."""
        return (self._now_s or 0.0) + (self._step_s or _LONE_FRAME_S)

    def show(self, labels: Mapping[int, str], now_s: float) -> None:
        """Add the labels of one frame.

        Args:
            labels: By track.
            now_s: The frame's time, s, never decreasing.
        """
        if self._now_s is not None and now_s > self._now_s:
            self._step_s = now_s - self._now_s
        self._now_s = now_s
        for track, span in list(self._latest.items()):
            if span.end_s is None and labels.get(track) != span.label:
                span.end_s = now_s
            elif span.end_s is not None and now_s - span.end_s > _BRIDGED_S:
                del self._latest[track]
        for track, label in labels.items():
            last = self._latest.get(track)
            if last and last.label == label:
                last.end_s = None
            else:
                self._latest[track] = _Span(track, label, now_s)
                self._spans.append(self._latest[track])

    def intervals(self) -> list[Interval]:
        """Return the intervals so far, by start time."""
        end_s = self.end_s
        return [
            Interval(span.track, span.label, span.start_s, end_s if span.end_s is None else span.end_s)
            for span in self._spans
        ]


def person(track: int) -> str:
    """Return the displayed name of a track."""
    return f"person {track}"

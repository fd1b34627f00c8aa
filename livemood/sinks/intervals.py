"""Who looks how and for how long: stretches of time from label to label, shared by subtitles and markers."""

from collections.abc import Mapping
from dataclasses import dataclass

# A face that is back so soon, looking the same, keeps its interval: a blinking label cannot be read.
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
    """An interval under way; its end is None while it is still on."""

    track: int
    label: str
    start_s: float
    end_s: float | None = None


class LabelIntervals:
    """Collects the intervals of everyone, frame by frame."""

    def __init__(self) -> None:
        self._spans: list[_Span] = []
        self._latest: dict[int, _Span] = {}
        self._now_s: float | None = None
        self._step_s = 0.0

    @property
    def end_s(self) -> float:
        """When the last frame has had its time: it stays on the screen for as long as the one before it."""
        return (self._now_s or 0.0) + (self._step_s or _LONE_FRAME_S)

    def show(self, labels: Mapping[int, str], now_s: float) -> None:
        """Take the label of each person seen at ``now_s``, which is never before the last frame's time."""
        if self._now_s is not None and now_s > self._now_s:
            self._step_s = now_s - self._now_s
        self._now_s = now_s
        for track, span in self._latest.items():
            if span.end_s is None and labels.get(track) != span.label:
                span.end_s = now_s
        for track, label in labels.items():
            last = self._latest.get(track)
            if last and last.label == label and (last.end_s is None or now_s - last.end_s <= _BRIDGED_S):
                last.end_s = None
            else:
                self._latest[track] = _Span(track, label, now_s)
                self._spans.append(self._latest[track])

    def intervals(self) -> list[Interval]:
        """Return the intervals so far, in the order of their beginnings."""
        end_s = self.end_s
        return [
            Interval(span.track, span.label, span.start_s, end_s if span.end_s is None else span.end_s)
            for span in self._spans
        ]

"""Steady predictions over time: tuple[Prediction, ...] of each frame -> tuple[Mood, ...].

Per face, probabilities are averaged exponentially in seconds, and the label follows with hysteresis: a new one must
lead by a margin for a moment, and doubt must last as long. The state of a track is dropped ``forget_s`` after its last
frame. All times are those of the frames, never a clock's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from livemood.core.labels import UNSURE, Doubt
from livemood.core.stage_settings import SmootherSettings
from livemood.core.types import HeadMood, Mood, Prediction, Quality
from livemood.emotion.doubt import doubt

# ``dataclasses.astuple`` copies every part deeply, which took as long as all else here.
_parts = attrgetter(*(field.name for field in fields(Quality)))


def _weight(elapsed_s: float, tau_s: float) -> float:
    """Return the weight of a new value in an exponential average."""
    return 1 - math.exp(-elapsed_s / tau_s)


_T = TypeVar("_T")


@dataclass(slots=True)
class _Steady(Generic[_T]):
    """A value that is shown until another one has lasted for a while."""

    shown: _T
    candidate: _T
    since_s: float

    def update(self, value: _T, time_s: float, hold_s: float) -> _T:
        if value != self.candidate:
            self.candidate, self.since_s = value, time_s
        if time_s - self.since_s >= hold_s:
            self.shown = self.candidate
        return self.shown


@dataclass(slots=True)
class _LabelState:
    average: npt.NDArray[np.float64]
    label: _Steady[str]
    seen_s: float


@dataclass(slots=True)
class _DoubtState:
    average: Quality
    reason: Doubt | None
    unsure: _Steady[bool]
    seen_s: float


class Smoother:
    """Turns a frame's predictions into moods that do not flicker.

    Args:
        labels: Names of the K emotions, in the order of the predictions.
        settings: Time constants and thresholds.
        others: Labels of further heads, by name.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        settings: SmootherSettings | None = None,
        others: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        settings = settings or SmootherSettings()
        self._emotion = _HeadSmoother(labels, settings)
        self._others = {name: _HeadSmoother(known, settings) for name, known in (others or {}).items()}
        self._settings = settings
        self._doubts: dict[int, _DoubtState] = {}

    def update(self, predictions: Sequence[Prediction], time_s: float) -> tuple[Mood, ...]:
        """Return the smoothed moods of one frame, in the order of its predictions.

        Args:
            predictions: Of the frame's faces.
            time_s: The frame's time, s, never decreasing.

        Raises:
            ValueError: A prediction has another number of classes.
        """
        for head in (self._emotion, *self._others.values()):
            head.forget(time_s)
        limit = time_s - self._settings.forget_s
        self._doubts = {i: state for i, state in self._doubts.items() if state.seen_s >= limit}
        return tuple(self._mood(prediction, time_s) for prediction in predictions)

    def _mood(self, prediction: Prediction, time_s: float) -> Mood:
        track = prediction.track
        found = self._emotion.update(track.id, prediction.probabilities, time_s)
        others = {name: head.update(track.id, prediction.others[name], time_s) for name, head in self._others.items()}
        leading = max(found.scores.values())
        reason = self._reason(prediction, leading, time_s)
        if reason:
            return Mood(track, UNSURE, leading, found.scores, found.raw_scores, others, reason)
        ambiguous: Doubt | None = "ambiguous" if found.label == UNSURE else None
        return Mood(track, found.label, found.confidence, found.scores, found.raw_scores, others, ambiguous)

    def _reason(self, prediction: Prediction, leading: float, time_s: float) -> Doubt | None:
        """Return why a face is ``unsure``, by its quality averaged over time; None if it is not.

        Only doubt that lasts counts, so that a label that gives way to another one does not turn ``unsure`` in between.
        """
        quality = prediction.quality
        if quality is None:
            return None
        state = self._doubts.get(prediction.track.id)
        if state is None:
            reason = doubt(quality, leading, self._settings)
            unsure = _Steady(reason is not None, reason is not None, time_s)
            self._doubts[prediction.track.id] = _DoubtState(quality, reason, unsure, time_s)
            return reason
        weight = _weight(time_s - state.seen_s, self._settings.tau_s)
        values = (old + weight * (new - old) for old, new in zip(_parts(state.average), _parts(quality), strict=True))
        state.average, state.seen_s = Quality(*values), time_s
        # Hysteresis, as for labels: a face that is named stays so down to a lower confidence.
        spare = 0.0 if state.unsure.shown else self._settings.margin
        reason = doubt(state.average, leading + spare, self._settings)
        state.reason = reason or state.reason
        return state.reason if state.unsure.update(reason is not None, time_s, self._settings.hold_s) else None


class _HeadSmoother:
    """Smooths one head's probabilities, track by track."""

    def __init__(self, labels: tuple[str, ...], settings: SmootherSettings) -> None:
        self._labels = labels
        self._settings = settings
        self._states: dict[int, _LabelState] = {}

    def update(self, track_id: int, probabilities: npt.NDArray[np.float32], time_s: float) -> HeadMood:
        """Return a track's smoothed output, given its (K,) probabilities at ``time_s``."""
        raw = probabilities.astype(np.float64)
        if len(raw) != len(self._labels):
            raise ValueError(f"expected {len(self._labels)} probabilities, got {len(raw)}")
        state = self._states.get(track_id)
        if state is None:
            label = self._choose(raw, UNSURE)
            state = self._states[track_id] = _LabelState(raw, _Steady(label, label, time_s), time_s)
        else:
            self._advance(state, raw, time_s)
        scores = dict(zip(self._labels, state.average.tolist(), strict=True))
        label = state.label.shown
        return HeadMood(
            label,
            # While a label is held, another one may lead; the confidence is that of the held one.
            scores.get(label, max(scores.values())),
            scores,
            dict(zip(self._labels, raw.tolist(), strict=True)),
        )

    def forget(self, time_s: float) -> None:
        """Drop tracks that were not seen for long."""
        limit = time_s - self._settings.forget_s
        for track_id in [i for i, state in self._states.items() if state.seen_s < limit]:
            del self._states[track_id]

    def _advance(self, state: _LabelState, raw: npt.NDArray[np.float64], time_s: float) -> None:
        weight = _weight(time_s - state.seen_s, self._settings.tau_s)
        state.average = state.average + weight * (raw - state.average)
        state.seen_s = time_s
        state.label.update(self._choose(state.average, state.label.shown), time_s, self._settings.hold_s)

    def _choose(self, average: npt.NDArray[np.float64], shown: str) -> str:
        """Return the label for the (K,) averaged probabilities, given the label ``shown`` so far."""
        settings = self._settings
        best = int(average.argmax())
        shown_p = float(average[self._labels.index(shown)]) if shown != UNSURE else 0.0
        # Hysteresis: the shown label leaves at a lower probability than a new one needs to enter.
        if float(average[best]) >= settings.unsure_below and float(average[best]) >= shown_p + settings.margin:
            return self._labels[best]
        if shown != UNSURE and shown_p >= settings.unsure_below - settings.margin:
            return shown
        return UNSURE

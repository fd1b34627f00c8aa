"""Adjust predictions to each person's resting face: tuple[Prediction, ...] -> tuple[Prediction, ...].

Off until ``begin`` is called. For some seconds the logits (log probabilities) of every face are averaged. From then on,
each emotion whose mean logit is too close to neutral's is lowered by the difference, up to a limit, so that a clear
expression can still win (docs/live.md has the figures).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from livemood.core.settings import NeutralBaselineSettings
from livemood.core.types import Prediction

_TINY = 1e-6
Logits = npt.NDArray[np.float64]


class NeutralBaseline:
    """Learns resting faces on request, and lowers the emotions that they seem to show.

    Args:
        labels: Names of the K classes; without ``neutral`` among them, predictions stay unchanged.
        settings: Durations and limits.
    """

    def __init__(self, labels: tuple[str, ...], settings: NeutralBaselineSettings | None = None) -> None:
        self._neutral = labels.index("neutral") if "neutral" in labels else None
        self._settings = settings or NeutralBaselineSettings()
        self._wanted_s: float | None = None
        self._until_s: float | None = None
        self._now_s = 0.0
        self._seen: dict[int, list[Logits]] = {}
        self._offsets: dict[int, Logits] = {}
        self._last_s: dict[int, float] = {}

    @property
    def possible(self) -> bool:
        """Whether the model has the class ``neutral``."""
        return self._neutral is not None

    @property
    def remaining_s(self) -> float:
        """Seconds for which people should still keep a resting face; 0 when not calibrating."""
        if self._wanted_s is not None:
            return self._wanted_s
        return 0.0 if self._until_s is None else max(self._until_s - self._now_s, 0.0)

    @property
    def calibrated(self) -> frozenset[int]:
        """Ids of the calibrated tracks."""
        return frozenset(self._offsets)

    def begin(self, duration_s: float | None = None) -> None:
        """Forget earlier calibrations and average every face from the next frame on.

        Args:
            duration_s: For how long, s; None takes it from the settings.
        """
        self.stop()
        self._wanted_s = self._settings.duration_s if duration_s is None else duration_s

    def stop(self) -> None:
        """Forget all calibrations."""
        self._wanted_s = self._until_s = None
        self._seen.clear()
        self._offsets.clear()

    def adjust(self, predictions: Sequence[Prediction], time_s: float) -> tuple[Prediction, ...]:
        """Return the adjusted predictions of one frame, in their order.

        Args:
            predictions: Of the frame's faces.
            time_s: The frame's time, s, never decreasing.
        """
        if self._neutral is None:
            return tuple(predictions)
        self._now_s = time_s
        self._forget(time_s)
        self._last_s.update((prediction.track.id, time_s) for prediction in predictions)
        if self._wanted_s is not None:
            self._until_s, self._wanted_s = time_s + self._wanted_s, None
        if self._until_s is not None:
            for prediction in predictions:
                self._seen.setdefault(prediction.track.id, []).append(_logits(prediction))
            if time_s >= self._until_s:
                self._finish(self._neutral)
        return tuple(self._adjusted(prediction) for prediction in predictions)

    def _finish(self, neutral: int) -> None:
        limits = self._settings
        for track_id, seen in self._seen.items():
            rest = np.mean(seen, axis=0)
            excess = rest - rest[neutral] + limits.margin
            excess[neutral] = 0.0
            self._offsets[track_id] = np.clip(excess, 0.0, limits.limit)
        self._until_s = None
        self._seen.clear()

    def _forget(self, time_s: float) -> None:
        limit = time_s - self._settings.forget_s
        for track_id in [i for i, last_s in self._last_s.items() if last_s < limit]:
            del self._last_s[track_id]
            self._seen.pop(track_id, None)
            self._offsets.pop(track_id, None)

    def _adjusted(self, prediction: Prediction) -> Prediction:
        offset = self._offsets.get(prediction.track.id)
        if offset is None:
            return prediction
        powers = np.exp(_logits(prediction) - offset)
        return replace(prediction, probabilities=(powers / powers.sum()).astype(np.float32))


def _logits(prediction: Prediction) -> Logits:
    return np.log(np.maximum(prediction.probabilities.astype(np.float64), _TINY))

"""Adjust predictions to each person's resting face: tuple[Prediction, ...] -> tuple[Prediction, ...].

Once ``begin`` was called, the logits (log probabilities) of every face are averaged for some seconds. From then on,
each emotion whose mean logit is too close to neutral's is lowered by the difference, up to a limit, so that a clear
expression can still win (docs/live.md has the figures). In the mode ``auto`` everyone else's resting face is learnt
without being asked for, see ``RestingFace``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from livemood.core.labels import SMILE, SMILE_KINDS
from livemood.core.settings import BaselineMode
from livemood.core.stage_settings import NeutralBaselineSettings
from livemood.core.types import Prediction, Track
from livemood.emotion.resting_face import RestingFace, log_of, lowered

Logits = npt.NDArray[np.float64]


class NeutralBaseline:
    """Learns resting faces, and lowers the emotions that they seem to show.

    Args:
        labels: Names of the K classes; without ``neutral`` among them, predictions stay unchanged.
        settings: Durations and limits.
        mode: ``key``: on request alone; ``auto``: of those without a request too; ``off``: never.
        others: Labels of the model's further heads, by name; the mode ``auto`` uses ``smile`` for slight smiles.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        settings: NeutralBaselineSettings | None = None,
        mode: BaselineMode = "key",
        others: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._labels, self._mode = labels, mode
        self._smiles = np.isin((others or {}).get(SMILE, ()), SMILE_KINDS)
        self._neutral = labels.index("neutral") if "neutral" in labels else None
        self._settings = settings or NeutralBaselineSettings()
        self._wanted_s: float | None = None
        self._until_s: float | None = None
        self._now_s = 0.0
        self._seen: dict[int, list[Logits]] = {}
        self._offsets: dict[int, Logits] = {}
        self._resting: dict[int, RestingFace] = {}
        self._last_s: dict[int, float] = {}

    @property
    def obstacle(self) -> str | None:
        """Why ``begin`` would change nothing, if so."""
        if self._mode == "off":
            return "the baseline is off"
        return "neutral is not among the emotions" if self._neutral is None else None

    @property
    def remaining_s(self) -> float:
        """Seconds for which people should still keep a resting face; 0 when not calibrating."""
        if self._wanted_s is not None:
            return self._wanted_s
        return 0.0 if self._until_s is None else self._until_s - self._now_s

    @property
    def calibrated(self) -> frozenset[int]:
        """Ids of the tracks that were calibrated on request."""
        return frozenset(self._offsets)

    def begin(self, duration_s: float | None = None) -> None:
        """Forget earlier calibrations and average every face from the next frame on.

        Args:
            duration_s: For how long, s; None takes it from the settings.
        """
        self.stop()
        self._wanted_s = self._settings.duration_s if duration_s is None else duration_s

    def stop(self) -> None:
        """Forget all calibrations on request."""
        self._wanted_s = self._until_s = None
        self._seen.clear()
        self._offsets.clear()

    def adjust(
        self, predictions: Sequence[Prediction], time_s: float, tracks: Iterable[Track] = ()
    ) -> tuple[Prediction, ...]:
        """Return the adjusted predictions of one frame, in their order.

        Args:
            predictions: Of the frame's faces, or of those that are classified.
            time_s: The frame's time, s, never decreasing.
            tracks: The frame's faces; those that are not classified are not forgotten either.
        """
        if self._neutral is None or self._mode == "off":
            return tuple(predictions)
        self._now_s = time_s
        self._forget(time_s)
        self._last_s.update((track.id, time_s) for track in (*tracks, *(one.track for one in predictions)))
        if self._wanted_s is not None:
            self._until_s, self._wanted_s = time_s + self._wanted_s, None
        if self._until_s is not None:
            for prediction in predictions:
                self._seen.setdefault(prediction.track.id, []).append(log_of(prediction.probabilities))
            if time_s >= self._until_s:
                self._finish(self._neutral)
        return tuple(self._adjusted(prediction, time_s) for prediction in predictions)

    def _finish(self, neutral: int) -> None:
        for track_id, seen in self._seen.items():
            self._offsets[track_id] = lowered(np.mean(seen, axis=0), neutral, self._settings)
        self._until_s = None
        self._seen.clear()

    def _forget(self, time_s: float) -> None:
        limit = time_s - self._settings.forget_s
        for track_id in [i for i, last_s in self._last_s.items() if last_s < limit]:
            del self._last_s[track_id]
            for known in (self._seen, self._offsets, self._resting):
                known.pop(track_id, None)

    def _adjusted(self, prediction: Prediction, time_s: float) -> Prediction:
        track, own = prediction.track, prediction.probabilities
        offset, found = self._offsets.get(track.id), own
        if self._mode == "auto":  # it keeps learning during a calibration, for when that ends
            if track.id not in self._resting:
                self._resting[track.id] = RestingFace(self._labels, self._settings)
            smile = float(prediction.others[SMILE][self._smiles].sum()) if self._smiles.any() else None
            found = self._resting[track.id].read(own, track.detection.keypoints, time_s, smile)
        if offset is not None:
            powers = np.exp(log_of(own) - offset)
            found = (powers / powers.sum()).astype(np.float32)
        return prediction if found is own else replace(prediction, probabilities=found)

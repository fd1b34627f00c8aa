"""One person's resting face, estimated over time: (K,) probabilities of each frame in, adjusted ones out.

The resting face is the median of the newest samples. After a few samples, a small rise above it is enough to call a
face happy: the probability that neutral and happy have together is divided anew, so that no other emotion changes. The
rise is that of happy's logit over neutral or, for a model with the head ``smile``, the mean of this and of the log-odds
of a smile. Much later, other emotions that the resting face seems to show are lowered, as ``NeutralBaseline`` does on
request. Frames that the model itself calls happy are not sampled.
"""

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from livemood.core.stage_settings import NeutralBaselineSettings
from livemood.core.types import Keypoint

Values = npt.NDArray[np.float64]
_TINY = 1e-6
_MOST = 30.0


class RestingFace:
    """Estimates one person's resting face, and adjusts probabilities by it.

    Args:
        labels: Names of the K classes, ``neutral`` among them.
        settings: Intervals, thresholds and limits.
    """

    def __init__(self, labels: tuple[str, ...], settings: NeutralBaselineSettings) -> None:
        self._neutral = labels.index("neutral")
        self._smile = labels.index(settings.resting.raised) if settings.resting.raised in labels else None
        self._settings = settings
        self._samples: deque[Values] = deque(maxlen=settings.resting.max_samples)
        self._sampled_s = -np.inf
        self._lowered = np.zeros(len(labels))
        self._raised = 0.0
        self._nose = np.zeros(2)

    def read(
        self,
        probabilities: npt.NDArray[np.float32],
        keypoints: npt.NDArray[np.float32],
        time_s: float,
        smile: float | None = None,
    ) -> npt.NDArray[np.float32]:
        """Return the (K,) adjusted probabilities of a frame, and take a sample of it if one is due.

        Args:
            probabilities: (K,) of the network.
            keypoints: (6, 2) float32, rows as in ``Keypoint``.
            time_s: When, s, never decreasing.
            smile: Probability of a smile, of whichever kind, by the head ``smile``; None without one.
        """
        logits, nose, resting = log_of(probabilities), nose_place(keypoints), self._settings.resting
        lead = self._lead(logits, smile)
        adjusted = self._adjusted(logits, lead, nose)
        if int(logits.argmax()) != self._smile:
            intervals = resting.raised_sample_every if int(adjusted.argmax()) == self._smile else 1
            if time_s - self._sampled_s >= intervals * resting.sample_every_s:
                self._sampled_s = time_s
                self._samples.append(np.concatenate([logits - logits[self._neutral], [lead], nose]))
                self._estimate()
        return adjusted.astype(np.float32)

    def _lead(self, logits: Values, smile: float | None) -> float:
        """Return how clearly a face smiles, in logits; 0 between a smile and none."""
        if self._smile is None:
            return 0.0
        lead = float(logits[self._smile] - logits[self._neutral])
        if smile is None:
            return lead
        smiling, still = log_of(np.array([smile, 1 - smile], np.float32))
        return (lead + float(smiling - still)) / 2

    def _adjusted(self, logits: Values, lead: float, nose: Values) -> Values:
        powers = np.exp(logits - self._lowered)
        found = np.asarray(powers / powers.sum(), np.float64)
        if self._smile is not None:
            resting = self._settings.resting
            away = float(np.hypot(*(nose - self._nose)))
            part = min(max((resting.other_pose - away) / (resting.other_pose - resting.same_pose), 0.0), 1.0)
            neutral, smile = float(found[self._neutral]), float(found[self._smile])
            ahead = lead + self._raised * part
            share = 1 / (1 + math.exp(-min(max(resting.steepness * ahead, -_MOST), _MOST)))
            if part > 0 and self._raised > 0 and share * (neutral + smile) > smile:
                found[self._neutral], found[self._smile] = (1 - share) * (neutral + smile), share * (neutral + smile)
        return found

    def _estimate(self) -> None:
        resting, count = self._settings.resting, len(self._samples)
        if count < resting.min_samples:
            return
        samples = np.stack(self._samples)
        middle = np.median(samples, axis=0)
        rest, lead, self._nose = middle[:-3], middle[-3], middle[-2:]
        if self._smile is not None:
            noise = float(np.quantile(samples[:, -3], resting.noise_quantile)) - lead
            self._raised = float(
                min(max(-lead - max(resting.min_rise, resting.noise_factor * noise), 0.0), resting.max_raise)
            )
        if count >= resting.lower_from:
            self._lowered = lowered(rest, self._neutral, self._settings)
            if self._smile is not None:
                self._lowered[self._smile] = 0.0


def lowered(rest: Values, neutral: int, settings: NeutralBaselineSettings) -> Values:
    """Return (K,) by how much each logit is lowered for someone whose resting face has the logits ``rest``."""
    excess = rest - rest[neutral] + settings.margin
    excess[neutral] = 0.0
    return np.asarray(np.clip(excess, 0.0, settings.limit), np.float64)


def log_of(probabilities: npt.NDArray[np.float32]) -> Values:
    """Return finite logarithms."""
    return np.asarray(np.log(np.maximum(probabilities.astype(np.float64), _TINY)), np.float64)


def nose_place(keypoints: npt.NDArray[np.float32]) -> Values:
    """Return (2,) the place of the nose tip, along and across the line between the eyes.

    Relative to their middle, in eye distances; it moves when the head turns or nods, not when it tilts or comes nearer.
    """
    right, left, nose = (
        complex(*keypoints[point]) for point in (Keypoint.RIGHT_EYE, Keypoint.LEFT_EYE, Keypoint.NOSE_TIP)
    )
    across = left - right
    place = (nose - (right + left) / 2) * across.conjugate() / max(abs(across) ** 2, _TINY)
    return np.array([place.real, place.imag])

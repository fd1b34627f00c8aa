"""One person's resting face, learnt while time goes by: (K,) probabilities of each look in, adjusted ones out.

The resting face is the median of the newest looks. From a few looks on, a smile is named from a small rise over it on:
what neutral and happy have together is split anew, so that no other emotion changes. The rise is that of happy's lead
over neutral or, for a model with the head ``smile``, the mean of this and of the log-odds of a smile. Much later, other
emotions that a resting face seems to show are lowered, as ``NeutralBaseline`` does when it is asked to. Faces that
smile without being helped teach nothing.
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
    """Learns how one person looks at rest, and says what an expression is beside that.

    Args:
        labels: Names of the K classes, ``neutral`` among them.
        settings: How it is learnt, and limits.
    """

    def __init__(self, labels: tuple[str, ...], settings: NeutralBaselineSettings) -> None:
        self._neutral = labels.index("neutral")
        self._smile = labels.index(settings.resting.raised) if settings.resting.raised in labels else None
        self._settings = settings
        self._looks: deque[Values] = deque(maxlen=settings.resting.kept)
        self._looked_s = -np.inf
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
        """Return the (K,) adjusted probabilities of a look, and learn from it.

        Args:
            probabilities: (K,) of the network.
            keypoints: (6, 2) float32, rows as in ``Keypoint``.
            time_s: When, s, never decreasing.
            smile: Probability of a smile, of whichever kind, by the head ``smile``; None without one.
        """
        logits, nose, how = log_of(probabilities), nose_place(keypoints), self._settings.resting
        lead = self._lead(logits, smile)
        adjusted = self._adjusted(logits, lead, nose)
        if int(logits.argmax()) != self._smile:
            looks = how.slowly if int(adjusted.argmax()) == self._smile else 1
            if time_s - self._looked_s >= looks * how.every_s:
                self._looked_s = time_s
                self._looks.append(np.concatenate([logits - logits[self._neutral], [lead], nose]))
                self._learn()
        return adjusted.astype(np.float32)

    def _lead(self, logits: Values, smile: float | None) -> float:
        """Return how clearly a look shows a smile, in logits; 0 between a smile and none."""
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
            how = self._settings.resting
            away = float(np.hypot(*(nose - self._nose)))
            part = min(max((how.other_pose - away) / (how.other_pose - how.same_pose), 0.0), 1.0)
            neutral, smile = float(found[self._neutral]), float(found[self._smile])
            ahead = lead + self._raised * part
            share = 1 / (1 + math.exp(-min(max(how.steepness * ahead, -_MOST), _MOST)))
            if part > 0 and self._raised > 0 and share * (neutral + smile) > smile:
                found[self._neutral], found[self._smile] = (1 - share) * (neutral + smile), share * (neutral + smile)
        return found

    def _learn(self) -> None:
        how, count = self._settings.resting, len(self._looks)
        if count < how.ready:
            return
        looks = np.stack(self._looks)
        middle = np.median(looks, axis=0)
        rest, lead, self._nose = middle[:-3], middle[-3], middle[-2:]
        if self._smile is not None:
            usual = float(np.quantile(looks[:, -3], how.usual)) - lead
            self._raised = float(min(max(-lead - max(how.lead, how.spread * usual), 0.0), how.most))
        if count >= how.lower_from:
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
    """Return (2,) where the nose's tip lies from the middle between the eyes, along and across their line.

    In distances between the eyes; it moves when the head turns or nods, and not when it tilts or comes nearer.
    """
    right, left, nose = (
        complex(*keypoints[point]) for point in (Keypoint.RIGHT_EYE, Keypoint.LEFT_EYE, Keypoint.NOSE_TIP)
    )
    across = left - right
    place = (nose - (right + left) / 2) * across.conjugate() / max(abs(across) ** 2, _TINY)
    return np.array([place.real, place.imag])

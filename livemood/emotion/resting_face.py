"""One person's resting face, learnt while time goes by: (K,) probabilities of each look in, adjusted ones out.

The resting face is the median of the newest looks. From a few looks on, a smile is named from a small rise over it on:
what neutral and happy have together is split anew, so that no other emotion changes. Much later, other emotions that a
resting face seems to show are lowered, as ``NeutralBaseline`` does when it is asked to. Faces that smile without being
helped teach nothing.
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
        self, probabilities: npt.NDArray[np.float32], keypoints: npt.NDArray[np.float32], time_s: float
    ) -> npt.NDArray[np.float32]:
        """Return the (K,) adjusted probabilities of a look, and learn from it.

        Args:
            probabilities: (K,) of the network.
            keypoints: (6, 2) float32, rows as in ``Keypoint``.
            time_s: When, s, never decreasing.
        """
        logits, nose, how = log_of(probabilities), nose_place(keypoints), self._settings.resting
        adjusted = self._adjusted(logits, nose)
        if int(logits.argmax()) != self._smile:
            looks = how.slowly if int(adjusted.argmax()) == self._smile else 1
            if time_s - self._looked_s >= looks * how.every_s:
                self._looked_s = time_s
                self._looks.append(np.concatenate([logits - logits[self._neutral], nose]))
                self._learn()
        return adjusted.astype(np.float32)

    def _adjusted(self, logits: Values, nose: Values) -> Values:
        powers = np.exp(logits - self._lowered)
        found = np.asarray(powers / powers.sum(), np.float64)
        if self._smile is not None:
            how = self._settings.resting
            away = float(np.hypot(*(nose - self._nose)))
            part = min(max((how.other_pose - away) / (how.other_pose - how.same_pose), 0.0), 1.0)
            neutral, smile = float(found[self._neutral]), float(found[self._smile])
            ahead = float(logits[self._smile] - logits[self._neutral]) + self._raised * part
            share = 1 / (1 + math.exp(-min(max(how.steepness * ahead, -_MOST), _MOST)))
            if part > 0 and self._raised > 0 and share * (neutral + smile) > smile:
                found[self._neutral], found[self._smile] = (1 - share) * (neutral + smile), share * (neutral + smile)
        return found

    def _learn(self) -> None:
        how, count = self._settings.resting, len(self._looks)
        if count < how.ready:
            return
        looks = np.stack(self._looks)
        rest = np.median(looks, axis=0)
        rest, self._nose = rest[:-2], rest[-2:]
        if self._smile is not None:
            usual = float(np.quantile(looks[:, self._smile], how.usual)) - rest[self._smile]
            lead = max(how.lead, how.spread * usual)
            self._raised = float(min(max(-rest[self._smile] - lead, 0.0), how.most))
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

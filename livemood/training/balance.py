"""Give rare classes a fair hearing after training: logits minus strength times the log of how common a class is.

After Menon et al., "Long-tail learning via logit adjustment", 2020, but for rare classes only: between common ones the
network's own weighing is the better one (on FER+'s valid split, adjusting all classes at strength 0.3 cost a point of
accuracy; adjusting the rare ones alone at strength 1 cost nothing). Baked into the last layer's bias, so that serving
pays nothing; the strength is chosen on valid and kept only where accuracy does not suffer.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.training.evaluate import Probabilities, scores
from livemood.training.model import EMOTION_HEAD

_STRENGTHS = np.linspace(0, 1, 21)
_ACCURACY_AT_STAKE = 0.003
# A class with less than this part of an even share is rare.
_RARE = 0.25


def prior(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return (K,) how common each class is among (N, K) soft labels; all that are not rare count alike."""
    return np.asarray(np.clip(targets.mean(0, dtype=np.float64), 1e-4, _RARE / targets.shape[1]))


def adjusted(probabilities: Probabilities, common: npt.NDArray[np.float64], strength: float) -> Probabilities:
    """Return (N, K) probabilities after the adjustment."""
    weighed = probabilities / common**strength
    return np.asarray(weighed / weighed.sum(1, keepdims=True), np.float32)


def choose(
    probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...], common: npt.NDArray[np.float64]
) -> float:
    """Return the strength with the best macro-F1 on (N,) hard labels among those that cost no accuracy to speak of."""
    tried = [scores(adjusted(probabilities, common, s), labels, names) for s in _STRENGTHS]
    floor = tried[0].accuracy - _ACCURACY_AT_STAKE
    return max(
        (float(s) for s, found in zip(_STRENGTHS, tried, strict=True) if found.accuracy >= floor),
        key=lambda s: tried[int(np.argmin(np.abs(_STRENGTHS - s)))].macro_f1,
    )


def bake(model: Any, common: npt.NDArray[np.float64], strength: float) -> None:
    """Write the adjustment into the emotion head's bias."""
    head = model.get_layer(EMOTION_HEAD)
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias - (strength * np.log(common)).astype(bias.dtype)])

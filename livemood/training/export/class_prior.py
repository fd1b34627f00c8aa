"""What is added to the logits after training, as part of the last bias, so that serving pays nothing.

Rare classes get a fair hearing: logits minus strength times the log of how common a class is, after Menon et al.,
"Long-tail learning via logit adjustment", 2020, but for rare classes only: between common ones the network's own
weighing is the better one (on FER+'s valid split, adjusting all classes at strength 0.3 cost a point of accuracy;
adjusting the rare ones alone at strength 1 cost nothing). The strength is chosen on valid and kept only where accuracy
does not suffer.

Happy is said as often as people say it: networks say it of too many faces at rest, and right and wrong change little
where that is put right (docs/training.md).

The other classes get a better hearing against neutral than the labels of FER+ ask for, a third of which are
neutral: among strangers there are fewer faces at rest, and what a network misses there is real anger, sadness and
surprise (docs/training.md).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTION
from livemood.evaluation.metrics import Probabilities, scores

_STRENGTHS = np.linspace(0, 1, 21)
_ACCURACY_AT_STAKE = 0.003
# A class with less than this part of an even share is rare.
_RARE = 0.25
_HAPPY = "happy"
# With fewer happy pictures, how often a network says so is chance.
_ENOUGH = 100
_FARTHEST = 1.0
_LIFTS = np.linspace(0, 0.5, 11)
_NEUTRAL = "neutral"
# What leaning towards classes that are rarer in the data than elsewhere may cost there.
_LIFT_AT_STAKE = 0.006


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


def break_even(probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...]) -> float:
    """Return what to add to happy's logit for it to be the first choice as often as it is the label.

    Args:
        probabilities: (N, K), adjusted for rare classes.
        labels: (N,) hard labels, -1 where unknown.
        names: The K class names.

    Returns:
        -1 to 1; 0 where happy is no class or too few pictures are.
    """
    wanted = int((labels == names.index(_HAPPY)).sum()) if _HAPPY in names else 0
    if wanted < _ENOUGH:
        return 0.0
    happy, known = names.index(_HAPPY), np.log(np.maximum(probabilities[labels >= 0], 1e-9))
    ahead = known[:, happy] - np.delete(known, happy, axis=1).max(1)
    return float(np.clip(-np.quantile(ahead, 1 - wanted / len(ahead)), -_FARTHEST, _FARTHEST))


def lifted(common: npt.NDArray[np.float64], names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return (K,) what part of the lift a class gets: common ones all of it, rare ones half, neutral and happy nothing.

    Without a class neutral nothing is lifted.
    """
    often = np.isclose(common, _RARE / len(names))
    resting = np.array([name in (_NEUTRAL, _HAPPY) or _NEUTRAL not in names for name in names])
    return np.where(resting, 0.0, np.where(often, 1.0, 0.5))


def lift(
    probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...], parts: npt.NDArray[np.float64]
) -> float:
    """Return the largest lift, of which every class gets its part, that costs no more accuracy than is at stake.

    Args:
        probabilities: (N, K), with all else that is added to the logits.
        labels: (N,) hard labels, -1 where unknown.
        names: The K class names.
        parts: (K,), see ``lifted``.

    Returns:
        0 to 0.5; 0 where nothing is lifted or too few pictures are neutral.
    """
    known = labels >= 0
    if not parts.any() or int((labels == names.index(_NEUTRAL)).sum()) < _ENOUGH:
        return 0.0
    logits, truth = np.log(np.maximum(probabilities[known], 1e-9)), labels[known]
    right = [float(((logits + each * parts).argmax(1) == truth).mean()) for each in _LIFTS]
    return max(float(each) for each, share in zip(_LIFTS, right, strict=True) if share >= right[0] - _LIFT_AT_STAKE)


def offsets(
    common: npt.NDArray[np.float64], strength: float, happy: float, names: tuple[str, ...], raised: float = 0.0
) -> npt.NDArray[np.float64]:
    """Return (K,) what all adjustments together add to the logits."""
    own = np.array([happy if name == _HAPPY else 0.0 for name in names])
    return own + raised * lifted(common, names) - strength * np.log(common)


def bake(model: Any, added: npt.NDArray[np.float64]) -> None:
    """Write (K,) offsets into the emotion head's bias."""
    head = model.get_layer(EMOTION)
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + added.astype(bias.dtype)])

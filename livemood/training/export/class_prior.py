"""Logit adjustment after training, added to the last bias, so that it costs nothing in serving.

For rare classes: logits minus strength times the log of the class prior, after Menon et al., "Long-tail learning via
logit adjustment", 2020. Common classes are not adjusted (on FER+'s valid split, adjusting all classes at strength 0.3
cost a point of accuracy; adjusting only rare ones at strength 1 cost nothing). The strength is chosen on valid among
those that do not cost accuracy.

For happy: an offset so that it is predicted as often as it is labelled. Without it, too many resting faces are read as
happy; accuracy hardly changes (docs/training.md).

For the other classes: an offset against neutral. A third of FER+'s labels are neutral; other pictures have fewer
resting faces, and on those the network would miss anger, sadness and surprise (docs/training.md).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTION
from livemood.evaluation.metrics import Probabilities, scores

_STRENGTHS = np.linspace(0, 1, 21)
_ACCURACY_AT_STAKE = 0.003
# A class is rare below this multiple of an equal share.
_RARE = 0.25
_HAPPY = "happy"
# With fewer happy pictures, the frequency of predictions is too uncertain.
_ENOUGH = 100
_FARTHEST = 1.0
_LIFTS = np.linspace(0, 0.5, 11)
_NEUTRAL = "neutral"
# Largest loss of accuracy on valid that the lift may cause.
_LIFT_AT_STAKE = 0.006


def prior(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the (K,) class prior of (N, K) soft labels, where all classes that are not rare get the same value."""
    return np.asarray(np.clip(targets.mean(0, dtype=np.float64), 1e-4, _RARE / targets.shape[1]))


def adjusted(probabilities: Probabilities, common: npt.NDArray[np.float64], strength: float) -> Probabilities:
    """Return (N, K) probabilities after the adjustment."""
    weighed = probabilities / common**strength
    return np.asarray(weighed / weighed.sum(1, keepdims=True), np.float32)


def choose(
    probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...], common: npt.NDArray[np.float64]
) -> float:
    """Return the strength with the best macro-F1 on (N,) hard labels among those that hardly cost accuracy."""
    tried = [scores(adjusted(probabilities, common, s), labels, names) for s in _STRENGTHS]
    floor = tried[0].accuracy - _ACCURACY_AT_STAKE
    return max(
        (float(s) for s, found in zip(_STRENGTHS, tried, strict=True) if found.accuracy >= floor),
        key=lambda s: tried[int(np.argmin(np.abs(_STRENGTHS - s)))].macro_f1,
    )


def break_even(probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...]) -> float:
    """Return the offset of happy's logit with which it is predicted as often as it is the label.

    Args:
        probabilities: (N, K), adjusted for rare classes.
        labels: (N,) hard labels, -1 where unknown.
        names: The K class names.

    Returns:
        -1 to 1; 0 where there is no class happy, or too few happy pictures.
    """
    wanted = int((labels == names.index(_HAPPY)).sum()) if _HAPPY in names else 0
    if wanted < _ENOUGH:
        return 0.0
    happy, known = names.index(_HAPPY), np.log(np.maximum(probabilities[labels >= 0], 1e-9))
    ahead = known[:, happy] - np.delete(known, happy, axis=1).max(1)
    return float(np.clip(-np.quantile(ahead, 1 - wanted / len(ahead)), -_FARTHEST, _FARTHEST))


def lifted(common: npt.NDArray[np.float64], names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return the (K,) share of the lift by class: 1 for common ones, 0.5 for rare ones, 0 for neutral and happy.

    Without a class neutral all are 0.
    """
    often = np.isclose(common, _RARE / len(names))
    resting = np.array([name in (_NEUTRAL, _HAPPY) or _NEUTRAL not in names for name in names])
    return np.where(resting, 0.0, np.where(often, 1.0, 0.5))


def lift(
    probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...], parts: npt.NDArray[np.float64]
) -> float:
    """Return the largest lift whose loss of accuracy stays within the limit.

    Args:
        probabilities: (N, K), with the other adjustments applied.
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
    """Return the (K,) offsets of all adjustments together."""
    own = np.array([happy if name == _HAPPY else 0.0 for name in names])
    return own + raised * lifted(common, names) - strength * np.log(common)


def bake(model: Any, added: npt.NDArray[np.float64]) -> None:
    """Write (K,) offsets into the emotion head's bias."""
    head = model.get_layer(EMOTION)
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + added.astype(bias.dtype)])

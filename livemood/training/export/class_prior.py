"""Logit adjustment after training, added to the last bias, so that it costs nothing in serving.

For rare classes: logits minus strength times the log of the class prior, after Menon et al., "Long-tail learning via
logit adjustment", 2020. Common classes are not adjusted (on FER+'s valid split, adjusting all classes at strength 0.3
cost a point of accuracy; adjusting only rare ones at strength 1 cost nothing). The strength is chosen on valid among
those that do not cost accuracy.

For happy: an offset so that it is predicted as often as it is labelled. Without it, too many resting faces are read as
happy; accuracy hardly changes (docs/training.md).

For the other classes: an offset against neutral. A third of FER+'s labels are neutral; other pictures have fewer
resting faces, and on those the network would miss anger, sadness and surprise (docs/training.md).

For the prior ``balanced``: offsets that are not added to the bias but kept in the manifest, for users whose pictures
have fewer resting faces still.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTION
from livemood.evaluation.metrics import Probabilities, scores, with_offsets

_STRENGTHS = np.linspace(0, 1, 21)
# Largest loss of accuracy on valid that the adjustment for rare classes may cause.
_RARE_MAX_ACCURACY_LOSS = 0.003
# A class is rare below this multiple of an equal share.
_RARE_BELOW = 0.25
_HAPPY = "happy"
# With fewer happy or neutral pictures, the frequency of predictions is too uncertain.
_MIN_PICTURES = 100
_MAX_HAPPY_OFFSET = 1.0
_OTHERS_OFFSETS = np.linspace(0, 0.5, 11)
_NEUTRAL = "neutral"
# Largest loss of accuracy on valid that the offset of the other classes may cause.
_OTHERS_MAX_ACCURACY_LOSS = 0.006
# With 1, a quarter of the resting faces in news photos would not be neutral (docs/training.md).
_BALANCED_STRENGTH = 0.4


def class_priors(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the (K,) class prior of (N, K) soft labels, where all classes that are not rare get the same value."""
    return np.asarray(np.clip(targets.mean(0, dtype=np.float64), 1e-4, _RARE_BELOW / targets.shape[1]))


def rare_strength(
    probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...], priors: npt.NDArray[np.float64]
) -> float:
    """Return the strength with the best macro-F1 on (N,) hard labels among those that hardly cost accuracy."""
    tried = [scores(with_offsets(probabilities, offsets(priors, s, 0.0, names)), labels, names) for s in _STRENGTHS]
    floor = tried[0].accuracy - _RARE_MAX_ACCURACY_LOSS
    return max(
        (float(s) for s, found in zip(_STRENGTHS, tried, strict=True) if found.accuracy >= floor),
        key=lambda s: tried[int(np.argmin(np.abs(_STRENGTHS - s)))].macro_f1,
    )


def happy_offset(probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...]) -> float:
    """Return the offset of happy's logit with which it is predicted as often as it is the label.

    Args:
        probabilities: (N, K), adjusted for rare classes.
        labels: (N,) hard labels, -1 where unknown.
        names: The K class names.

    Returns:
        -1 to 1; 0 where there is no class happy, or too few happy pictures.
    """
    wanted = int((labels == names.index(_HAPPY)).sum()) if _HAPPY in names else 0
    if wanted < _MIN_PICTURES:
        return 0.0
    happy, known = names.index(_HAPPY), np.log(np.maximum(probabilities[labels >= 0], 1e-9))
    ahead = known[:, happy] - np.delete(known, happy, axis=1).max(1)
    return float(np.clip(-np.quantile(ahead, 1 - wanted / len(ahead)), -_MAX_HAPPY_OFFSET, _MAX_HAPPY_OFFSET))


def others_weights(priors: npt.NDArray[np.float64], names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return the (K,) weights of ``others_offset``: 1 for common classes, 0.5 for rare ones, 0 for neutral and happy.

    Without a class neutral all are 0.
    """
    common = np.isclose(priors, _RARE_BELOW / len(names))
    resting = np.array([name in (_NEUTRAL, _HAPPY) or _NEUTRAL not in names for name in names])
    return np.where(resting, 0.0, np.where(common, 1.0, 0.5))


def others_offset(
    probabilities: Probabilities,
    labels: npt.NDArray[np.int64],
    names: tuple[str, ...],
    weights: npt.NDArray[np.float64],
) -> float:
    """Return the largest offset of the classes besides neutral and happy whose loss of accuracy stays within the limit.

    Args:
        probabilities: (N, K), with the other adjustments applied.
        labels: (N,) hard labels, -1 where unknown.
        names: The K class names.
        weights: (K,), see ``others_weights``.

    Returns:
        0 to 0.5; 0 where all weights are 0 or too few pictures are neutral.
    """
    known = labels >= 0
    if not weights.any() or int((labels == names.index(_NEUTRAL)).sum()) < _MIN_PICTURES:
        return 0.0
    logits, truth = np.log(np.maximum(probabilities[known], 1e-9)), labels[known]
    right = [float(((logits + each * weights).argmax(1) == truth).mean()) for each in _OTHERS_OFFSETS]
    floor = right[0] - _OTHERS_MAX_ACCURACY_LOSS
    return max(float(each) for each, share in zip(_OTHERS_OFFSETS, right, strict=True) if share >= floor)


def offsets(
    priors: npt.NDArray[np.float64], strength: float, happy: float, names: tuple[str, ...], others: float = 0.0
) -> npt.NDArray[np.float64]:
    """Return the (K,) offsets of all adjustments together."""
    own = np.array([happy if name == _HAPPY else 0.0 for name in names])
    return own + others * others_weights(priors, names) - strength * np.log(priors)


def balanced_offsets(targets: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Return the K offsets of the prior ``balanced`` from (N, K) soft labels: 0 for the most common class.

    They are ``_BALANCED_STRENGTH`` times those that would make all classes equally common, and half of that for rare
    ones, which ``rare_strength`` has raised already.
    """
    shares, rare = targets.mean(0, dtype=np.float64), _RARE_BELOW / targets.shape[1]
    strengths = np.where(shares > rare, _BALANCED_STRENGTH, _BALANCED_STRENGTH / 2)
    return tuple((strengths * np.log(shares.max() / np.maximum(shares, rare))).round(4).tolist())


def add_to_bias(model: Any, added: npt.NDArray[np.float64]) -> None:
    """Add (K,) offsets to the emotion head's bias."""
    head = model.get_layer(EMOTION)
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + added.astype(bias.dtype)])

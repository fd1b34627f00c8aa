"""Figures of a classifier on labelled pictures; numpy only, every one by its usual definition."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livemood.training.dataset import Split

Probabilities = npt.NDArray[np.float32]
_TINY = 1e-7


def nll(probabilities: Probabilities, targets: Probabilities) -> float:
    """Return the mean cross-entropy in nats of (N, K) predictions against (N, K) soft labels."""
    return float(-(targets * np.log(probabilities + _TINY)).sum(1).mean())


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Divide the logits behind (N, K) probabilities by a temperature (Guo et al. 2017)."""
    logits = np.log(probabilities + _TINY) / temperature
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


def fit_temperature(probabilities: Probabilities, labels: npt.NDArray[np.int64]) -> float:
    """Return the temperature with the least NLL against hard labels (N,), -1 meaning none."""
    from scipy.optimize import minimize_scalar

    known = labels >= 0
    truth = np.eye(probabilities.shape[1], dtype=np.float32)[labels[known]]
    best = minimize_scalar(
        lambda log_t: nll(with_temperature(probabilities[known], float(np.exp(log_t))), truth),
        bounds=(-2.0, 2.0),
        method="bounded",
    )
    return float(np.exp(best.x))


def ece(probabilities: Probabilities, labels: npt.NDArray[np.int64], bins: int = 15) -> float:
    """Return the expected calibration error: mean gap of confidence and accuracy over equal-width bins."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(float(confidence[place == b].mean()) - float(right[place == b].mean())) * float((place == b).mean())
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def confusion(probabilities: Probabilities, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return (K, K) counts, rows the truth and columns the prediction."""
    classes = probabilities.shape[1]
    flat = labels * classes + probabilities.argmax(1)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures over the pictures that one protocol keeps."""

    pictures: int
    accuracy: float
    macro_f1: float
    recall: dict[str, float]
    ece: float
    nll: float


def scores(probabilities: Probabilities, labels: npt.NDArray[np.int64], names: tuple[str, ...]) -> Scores:
    """Score (N, K) probabilities against hard labels (N,); pictures labelled -1 are left out."""
    known = labels >= 0
    probabilities, labels = probabilities[known], labels[known]
    matrix = confusion(probabilities, labels)
    hits, truth, said = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    f1 = 2 * hits / np.maximum(truth + said, 1)
    recall = hits / np.maximum(truth, 1)
    present = truth > 0
    return Scores(
        pictures=len(labels),
        accuracy=float(hits.sum() / max(len(labels), 1)),
        macro_f1=float(f1[present].mean()) if present.any() else 0.0,
        recall={name: float(value) for name, value in zip(names, recall, strict=True)},
        ece=ece(probabilities, labels),
        nll=nll(probabilities, np.eye(len(names), dtype=np.float32)[labels]),
    )


def happy_versus_sad(probabilities: Probabilities, split: Split) -> float:
    """Return the share of happy and sad pictures where the right one of the two scores higher."""
    happy, sad = split.labels.index("happy"), split.labels.index("sad")
    chosen = (split.top_vote == happy) | (split.top_vote == sad)
    is_happy = split.top_vote[chosen] == happy
    return float(((probabilities[chosen, happy] > probabilities[chosen, sad]) == is_happy).mean())


def auc(score: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve, by ranks (Mann-Whitney), ties counted half."""
    from scipy.stats import rankdata

    ranks, many = rankdata(score), int(positive.sum())
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * (len(score) - many)))


Predict = Callable[[npt.NDArray[np.uint8]], Probabilities]
"""(N, S, S, C) uint8 crops to (N, K) probabilities."""

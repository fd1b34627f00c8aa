"""Metrics of a classifier on labelled pictures, by their usual definitions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.probabilities import with_temperature

Probabilities = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
"""Shares of all predictions for which ``accuracy_by_coverage`` returns the accuracy."""
_TINY = 1e-7
_BINS = 15  # of confidence
_PULL = 2.0  # weight of a normal prior with standard deviation 0.5 on the logarithm


def nll(probabilities: Probabilities, targets: Probabilities) -> float:
    """Return the mean cross-entropy in nats of (N, K) predictions against (N, K) soft labels."""
    return float(-(targets * np.log(probabilities + _TINY)).sum(1).mean())


def kl(probabilities: Probabilities, targets: Probabilities) -> float:
    """Return the mean Kullback-Leibler divergence KL(targets || probabilities) in nats, both (N, K)."""
    return nll(probabilities, targets) - nll(targets, targets)


def with_offsets(probabilities: Probabilities, added: npt.NDArray[np.float64]) -> Probabilities:
    """Add (K,) numbers to the logits behind (N, K) probabilities."""
    powers = probabilities * np.exp(added)
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """Return the temperature with the least NLL against hard labels (N,), -1 meaning none.

    A weak prior around 1 prevents extreme values with a few dozen pictures; with thousands it has no effect.
    """
    from scipy.optimize import minimize_scalar

    known = labels >= 0
    truth = np.eye(probabilities.shape[1], dtype=np.float32)[labels[known]]
    best = minimize_scalar(
        lambda log_t: (
            nll(with_temperature(probabilities[known], float(np.exp(log_t))), truth) + _PULL * log_t**2 / len(truth)
        ),
        bounds=(-2.0, 2.0),
        method="bounded",
    )
    return float(np.exp(best.x))


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of similar confidence: their number, mean confidence and accuracy."""

    pictures: int
    confidence: float
    accuracy: float


def reliability(probabilities: Probabilities, labels: Labels) -> list[Bin]:
    """Sort (N, K) predictions by confidence into bins of equal width."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    return [
        Bin(int(m.sum()), float(confidence[m].mean()), float(right[m].mean())) if m.any() else Bin(0, 0.0, 0.0)
        for m in _binned(confidence)
    ]


def ece(probabilities: Probabilities, labels: Labels) -> float:
    """Return the expected calibration error: mean gap of confidence and accuracy over equal-width bins."""
    return calibration_error(probabilities.max(1), probabilities.argmax(1) == labels)


def calibration_error(confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_]) -> float:
    """Return the expected calibration error of (N,) confidences, given whether each prediction was right."""
    gaps = [abs(float(confidence[m].sum()) - int(right[m].sum())) for m in _binned(confidence)]
    return sum(gaps) / max(len(right), 1)


def _binned(confidence: npt.NDArray[np.floating[Any]]) -> list[npt.NDArray[np.bool_]]:
    """Return for each bin of equal width which of (N,) confidences are in it."""
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [place == each for each in range(_BINS)]


def accuracy_by_coverage(
    confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_]
) -> list[dict[str, float]]:
    """Return the accuracy of the most confident predictions, for several shares of all (risk against coverage).

    Args:
        confidence: (N,) at least one.
        right: (N,) whether each prediction was right.

    Returns:
        For each share: ``coverage``, ``accuracy``, and ``confidence``, the lowest one among them.
    """
    order = np.argsort(-confidence, kind="stable")
    found = []
    for coverage in COVERAGES:
        kept = order[: max(round(coverage * len(order)), 1)]
        least = float(confidence[kept[-1]])
        found.append(
            {"coverage": coverage, "accuracy": round(float(right[kept].mean()), 4), "confidence": round(least, 4)}
        )
    return found


def confusion(probabilities: Probabilities, labels: Labels) -> npt.NDArray[np.int64]:
    """Return the confusion matrix, (K, K) counts: rows are the truth, columns the prediction."""
    classes = probabilities.shape[1]
    flat = labels * classes + probabilities.argmax(1)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True, slots=True)
class Scores:
    """Metrics over the pictures that one protocol includes; a class without pictures has no recall."""

    pictures: int
    accuracy: float
    macro_f1: float
    recall: dict[str, float | None]
    ece: float
    nll: float


def scores(probabilities: Probabilities, labels: Labels, names: tuple[str, ...]) -> Scores:
    """Score (N, K) probabilities against hard labels (N,); pictures labelled -1 are left out."""
    known = labels >= 0
    probabilities, labels = probabilities[known], labels[known]
    matrix = confusion(probabilities, labels)
    hits, truth, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    f1 = 2 * hits / np.maximum(truth + predicted, 1)
    present = truth > 0
    recall = [float(hit / of) if of else None for hit, of in zip(hits, truth, strict=True)]
    return Scores(
        pictures=len(labels),
        accuracy=float(hits.sum() / max(len(labels), 1)),
        macro_f1=float(f1[present].mean()) if present.any() else 0.0,
        recall=dict(zip(names, recall, strict=True)),
        ece=ece(probabilities, labels),
        nll=nll(probabilities, np.eye(len(names), dtype=np.float32)[labels]) if len(labels) else 0.0,
    )


def happy_versus_sad(probabilities: Probabilities, labels: Labels, names: tuple[str, ...]) -> float | None:
    """Return the share of happy and sad pictures where the right one of the two scores higher; None without any.

    Args:
        probabilities: (N, K).
        labels: (N,) hard labels, -1 where unknown.
        names: The K class names.
    """
    if not {"happy", "sad"} <= set(names):
        return None
    happy, sad = names.index("happy"), names.index("sad")
    chosen = (labels == happy) | (labels == sad)
    if not chosen.any():
        return None
    is_happy = labels[chosen] == happy
    return float(((probabilities[chosen, happy] > probabilities[chosen, sad]) == is_happy).mean())


def auc(score: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve of (N,) scores, by ranks (Mann-Whitney), ties counted half.

    Args:
        score: (N,) higher means more likely positive.
        positive: (N,) whether each is.
    """
    from scipy.stats import rankdata

    ranks, many = rankdata(score), int(positive.sum())
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * (len(score) - many)))


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a proportion (Wilson 1927), which holds for few pictures too."""
    from scipy.stats import binomtest

    if not of:
        return 0.0, 1.0
    interval = binomtest(hits, of).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def wilson_of_mean(hits: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the 95 % confidence interval of the mean of (N,) hits (Wilson 1927)."""
    return wilson(int(hits.sum()), len(hits))


def mcnemar(ours: npt.NDArray[np.bool_], theirs: npt.NDArray[np.bool_]) -> float:
    """Return the two-sided exact p-value of McNemar's test of equal accuracy, from (N,) hits of each model."""
    from scipy.stats import binomtest

    won, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return float(binomtest(won, won + lost).pvalue) if won + lost else 1.0

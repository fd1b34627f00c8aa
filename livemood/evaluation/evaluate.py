"""Measure a bundle on labelled pictures, run as in serving: with LiteRT, calibrated, one face at a time."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.errors import DatasetError, ModelIncompatible
from livemood.core.labels import EMOTION
from livemood.core.settings import PriorName
from livemood.core.types import Frame
from livemood.datasets.dataset import Dataset
from livemood.datasets.samples import FER2013_HEAD, FER2013_LABELS
from livemood.datasets.split import ALIGNED, RAW, Split
from livemood.detection.combined import FaceDetector
from livemood.emotion.classifier import EmotionClassifier
from livemood.evaluation import metrics
from livemood.evaluation.corruptions import STANDARD_CORRUPTIONS, corrupt
from livemood.evaluation.groups import by_group
from livemood.evaluation.metrics import Labels, Probabilities

_CHUNK = 512
_TIMED = 60


def examine(
    bundle: Path,
    dataset: Dataset,
    split: Split,
    groups: Mapping[str, Mapping[str, str]],
    prior: PriorName = "training",
) -> dict[str, Any]:
    """Return every figure of a bundle on one split, as plain data for JSON.

    Args:
        bundle: Its folder.
        dataset: The data set of the split, for its copies.
        split: The pictures, cropped by the bundle's own ``CropSpec``.
        groups: Value by attribute by file name, see ``read_groups``; may be empty.
        prior: How common the model assumes emotions to be.

    Raises:
        DatasetError: No picture of the split has a label.
        ModelError: The bundle cannot be used.
    """
    if not (split.top_vote >= 0).any():
        raise DatasetError("no picture of this split has a label", "choose another {split}")
    classifier = EmotionClassifier(bundle, emotions=split.labels, prior=prior)
    began = time.perf_counter()
    raw = _predict(classifier, split, RAW)
    faces_per_s = len(split) / (time.perf_counter() - began)
    aligned = _predict(classifier, split, ALIGNED)
    known = split.top_vote >= 0
    copied = np.isin(split.files, dataset.copied)
    near = np.isin(split.files, [file for pair in dataset.near_copies for file in pair])
    return {
        "pictures": len(split),
        "labels": list(split.labels),
        "raw": _figures(raw, split),
        "aligned": _figures(aligned, split),
        "classes": _classes(raw[known], split.top_vote[known], split.labels),
        "confusion": metrics.confusion(raw[known], split.top_vote[known]).tolist(),
        "reliability": [asdict(b) for b in metrics.reliability(raw[known], split.top_vote[known])],
        "coverage": metrics.accuracy_by_coverage(raw[known].max(1), raw[known].argmax(1) == split.top_vote[known]),
        "heads": _further_heads(classifier, split),
        "robustness": _robustness(classifier, raw, split),
        "groups": by_group(raw, split, groups),
        "copies": {
            "exact": int(copied.sum()),
            "near": int(near.sum()),
            "accuracy_majority_without_exact": _accuracy(raw[~copied], split.majority[~copied]),
            "accuracy_majority_without_near": _accuracy(raw[~near], split.majority[~near]),
        },
        "speed": {"faces_per_s": round(faces_per_s, 1), **_speed(classifier, split)},
    }


def compare(ours: Path, theirs: Path, split: Split, prior: PriorName = "training") -> dict[str, Any]:
    """Return how two bundles differ on the same pictures, by McNemar's paired test on the top vote.

    Raises:
        ModelError: A bundle cannot be used.
    """
    truth = split.top_vote
    known = truth >= 0
    hits = [
        (_predict(EmotionClassifier(bundle, emotions=split.labels, prior=prior), split, RAW).argmax(1) == truth)[known]
        for bundle in (ours, theirs)
    ]
    return {
        "bundle": str(theirs),
        "accuracy_top_vote": round(float(hits[1].mean()), 4),
        "difference": round(float(hits[0].mean() - hits[1].mean()), 4),
        "only_ours_right": int((hits[0] & ~hits[1]).sum()),
        "only_theirs_right": int((hits[1] & ~hits[0]).sum()),
        "p_value": float(f"{metrics.mcnemar(*hits):.4g}"),  # no decimals: it may be as small as 1e-29
    }


def _predict(classifier: EmotionClassifier, split: Split, framing: int, head: str = EMOTION) -> Probabilities:
    chunks = range(0, len(split), _CHUNK)
    return np.concatenate([classifier.probabilities(split.crops(framing, s, s + _CHUNK), head) for s in chunks])


def _further_heads(classifier: EmotionClassifier, split: Split) -> dict[str, Any]:
    """Return the figures, on unaligned pictures, of every further head that the model and the labels both have.

    Raises:
        ModelIncompatible: The model does not know a class of such a head.
    """
    found: dict[str, Any] = {}
    for head in (head for head in classifier.heads if head != EMOTION and head in split.heads):
        names, own = classifier.heads[head], split.heads[head]
        if unknown := [label for label in own if label not in names]:
            raise ModelIncompatible(
                f"the model does not know {unknown[0]}, a class of head {head}, only {', '.join(names)}"
            )
        # A label is an index into the data's classes; the model may have more classes, in another order.
        place = np.array([*map(names.index, own), -1])
        truth = place[split.top(head)]
        known = truth >= 0
        if known.any():
            predictions = _predict(classifier, split.only(known), RAW, head)
            scores = metrics.scores(predictions, truth[known], names)
            found[head] = {**_rounded(scores), "classes": _classes(predictions, truth[known], names)}
    return found


def _accuracy(probabilities: Probabilities, labels: Labels) -> float | None:
    known = labels >= 0
    return round(float((probabilities.argmax(1) == labels)[known].mean()), 4) if known.any() else None


def _figures(probabilities: Probabilities, split: Split) -> dict[str, Any]:
    """Return one framing's figures by both protocols."""
    found: dict[str, Any] = {}
    for name, labels in (("majority", split.majority), ("top_vote", split.top_vote)):
        scores = metrics.scores(probabilities, labels, split.labels)
        found[name] = {**_rounded(scores), "nll": round(scores.nll, 4)}
    known = split.top_vote >= 0
    found["kl_to_votes"] = round(metrics.kl(probabilities[known], split.targets[EMOTION][known]), 4)
    if (happy_sad := metrics.happy_versus_sad(probabilities, split.top_vote, split.labels)) is not None:
        found["happy_versus_sad"] = round(happy_sad, 4)
    if FER2013_HEAD in split.heads and set(FER2013_LABELS) <= set(split.labels):
        columns = [split.labels.index(label) for label in FER2013_LABELS]
        own = split.top(FER2013_HEAD)
        if (own >= 0).any():
            found["fer2013_seven_classes"] = _accuracy(probabilities[:, columns], own)
    return found


def _rounded(scores: metrics.Scores) -> dict[str, Any]:
    """Return the figures that every head has, with the accuracy's 95 % interval (Wilson)."""
    low, high = metrics.wilson(round(scores.accuracy * scores.pictures), scores.pictures)
    return {
        "pictures": scores.pictures,
        "accuracy": round(scores.accuracy, 4),
        "interval": [round(low, 4), round(high, 4)],
        "macro_f1": round(scores.macro_f1, 4),
        "ece": round(scores.ece, 4),
    }


def _classes(probabilities: Probabilities, labels: Labels, names: tuple[str, ...]) -> dict[str, Any]:
    matrix = metrics.confusion(probabilities, labels)
    found = {}
    for place, name in enumerate(names):
        hits, truth, predicted = int(matrix[place, place]), int(matrix[place].sum()), int(matrix[:, place].sum())
        low, high = metrics.wilson(hits, truth)
        found[name] = {
            "pictures": truth,
            "recall": round(hits / truth, 4) if truth else None,
            "interval": [round(low, 4), round(high, 4)] if truth else None,
            "precision": round(hits / predicted, 4) if predicted else None,
            "f1": round(2 * hits / (truth + predicted), 4) if truth + predicted else None,
        }
    return found


def _robustness(classifier: EmotionClassifier, clean: Probabilities, split: Split) -> dict[str, Any]:
    """Return the accuracy on pictures with a majority under each corruption; empty if there is no such picture."""
    labels = split.majority
    known = split.only(labels >= 0)
    if not len(known):
        return {}
    truth = labels[labels >= 0]
    before = float((clean[labels >= 0].argmax(1) == truth).mean())
    found = {}
    for name, corruption in STANDARD_CORRUPTIONS.items():
        hits: list[npt.NDArray[np.bool_]] = []
        for start in range(0, len(known), _CHUNK):
            crops = corrupt(known.crops(RAW, start, start + _CHUNK), classifier.crop_spec, corruption)
            hits.append(classifier.probabilities(crops).argmax(1) == truth[start : start + _CHUNK])
        accuracy = float(np.concatenate(hits).mean())
        found[name] = {"accuracy": round(accuracy, 4), "points_lost": round(100 * (before - accuracy), 1)}
    return found


def _speed(classifier: EmotionClassifier, split: Split) -> dict[str, float]:
    """Time one face, and one near-range detection on a VGA frame, alternately, so that other load affects both."""
    face = split.crops(RAW, 0, 1)
    frame = Frame(0, 0.0, np.resize(face[0, ..., :1], (480, 640, 3)))
    spent: list[tuple[float, float]] = []
    with FaceDetector("near") as detector:
        for _ in range(_TIMED):
            began = time.perf_counter()
            classifier.probabilities(face)
            between = time.perf_counter()
            detector.detect(frame)
            spent.append((between - began, time.perf_counter() - between))
    face_ms, detection_ms = np.median(np.array(spent), axis=0) * 1e3
    return {
        "face_ms": round(float(face_ms), 2),
        "near_detection_vga_ms": round(float(detection_ms), 2),
        "ratio": round(float(face_ms / detection_ms), 2),
    }

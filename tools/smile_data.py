"""Training data of the head for kinds of smile: feature maps of FER+'s training pictures and of smiled.zip's."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTION
from livemood.evaluation.metrics import auc
from livemood.training.loop.augment import augment
from tools import faces, votes
from tools.smile_weak import kinds

_VIEWS = {"by eye": 8, "weak": 2, "none": 2}
_OTHERS = 4000
_STRENGTH = 1.0
"""Of the augmentation."""


class TrainingData:
    """Training data of the head: pictures, each in several augmented views, and their targets.

    Attributes:
        maps: (N, ...) float16: feature maps, the input of the head.
        smiling: (N,) float32: share of happy votes.
        opened: (N,) float32: probability that the smile is an open one.
        weight: (N,) float32: weight of ``opened`` in the loss; 0 if there is no label.
        kept: (N,) bool: held out for model selection.
    """

    def __init__(self, data: Path, work: Path, body: Any, weak: float, factor: float) -> None:
        kept = work / f"smile_lessons.{body.layers[-1].name}.{weak:g}.{factor:g}.npz"
        if not kept.exists():
            self._make(data, work, body, weak, factor)
            np.savez(kept, **vars(self))
        with np.load(kept) as arrays:
            vars(self).update({name: arrays[name] for name in arrays.files})

    def _make(self, data: Path, work: Path, body: Any, weak: float, factor: float) -> None:
        train = votes.parts(data, work)["train"]
        happy_votes = train.split.targets[EMOTION][:, 1]
        place = {file: at for at, file in enumerate(train.split.files)}
        rng = np.random.default_rng(5)
        labelled = kinds("ferplus")
        chosen: list[tuple[int, float, float, bool, int]] = []
        for at, (file, kind) in enumerate(labelled.items()):
            for _ in range(_VIEWS["by eye"] if at % 5 else 1):
                chosen.append((place[file], float(kind == "open"), 1.0, at % 5 == 0, int(at % 5 != 0)))
        doubtful = kinds("ferplus", doubtful=True)
        for file, kind in doubtful.items():
            chosen += [(place[file], float(kind == "open"), 1.0, False, 1)] * _VIEWS["by eye"]
        if weak and (work / "smile_weak.npz").exists():
            for file, share in weakly(work, {**labelled, **doubtful}).items():
                chosen += [(place[file], share, weak, False, 1)] * _VIEWS["weak"]
        others = rng.permutation(np.flatnonzero(train.split.top_vote != 1))[:_OTHERS]
        chosen += [(int(at), 0.5, 0.0, False, 1) for at in others for _ in range(_VIEWS["none"])]
        framings = votes.raw(data, work), faces.crops(data, work, "ferplus", factor)
        pixels = np.empty((len(chosen), 48, 48, 1), np.uint8)
        for at, (picture, _, _, _, changed) in enumerate(chosen):
            crop = np.asarray(framings[int(rng.integers(0, 2)) if changed else 1][train.rows[picture]])
            pixels[at] = augment(crop, rng, _STRENGTH) if changed else crop
        self.maps = through(body, pixels)
        table = np.array([each[1:4] for each in chosen], np.float32)
        self.smiling = happy_votes[[each[0] for each in chosen]]
        self.opened, self.weight, self.kept = table[:, 0], table[:, 1], table[:, 2] > 0


def weakly(work: Path, labelled: dict[str, str]) -> dict[str, float]:
    """Return the probability that unlabelled smiles are open: a logistic function of their weak score."""
    with np.load(work / "smile_weak.npz") as arrays:
        scores = {file: float(score) for file, score in zip(arrays["files"], arrays["scores"], strict=True)}
    scores = {file: score for file, score in scores.items() if np.isfinite(score)}
    known = [(scores[file], kind == "open") for file, kind in labelled.items() if file in scores]
    x, y = np.array([score for score, _ in known]), np.array([float(is_open) for _, is_open in known])
    print(f"weak labels against {len(x)} by eye: AUC {auc(x, y > 0):.4f}; {len(scores)} pictures have one")
    from scipy.optimize import minimize

    def loss(at: npt.NDArray[np.float64]) -> float:
        said = 1 / (1 + np.exp(-(at[0] + at[1] * x)))
        return float(-(y * np.log(said + 1e-9) + (1 - y) * np.log(1 - said + 1e-9)).mean())

    shift, slope = minimize(loss, np.array([0.0, 1.0])).x
    return {f: float(1 / (1 + np.exp(-(shift + slope * s)))) for f, s in scores.items() if f not in labelled}


def through(body: Any, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """Return the output of the first part of the network for (N, 48, 48, 1) crops."""
    parts = [np.asarray(body.predict_on_batch(pixels[at : at + 256].astype("f4"))) for at in range(0, len(pixels), 256)]
    return np.concatenate([part.astype(np.float16) for part in parts])


def unlabelled(data: Path, work: Path, body: Any, factor: float) -> npt.NDArray[np.float16]:
    """Return maps of the faces of smiled.zip that are not for model selection, each augmented once."""
    known, rng = kinds("smiled", doubtful=True), np.random.default_rng(3)
    crops = faces.crops(data, work, "smiled", factor)
    chosen = [place for place, row in enumerate(faces.rows(data, "smiled")) if row[0] not in known]
    return through(body, np.stack([augment(np.asarray(crops[place]), rng, _STRENGTH) for place in chosen]))

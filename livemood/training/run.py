"""A whole training run: data set -> fitted model -> calibrated, measured, written bundle."""

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from livemood.detect import FaceDetector
from livemood.errors import DatasetError
from livemood.settings import CROP
from livemood.training import evaluate
from livemood.training.dataset import Dataset, Split, load, restore, save
from livemood.training.export import parity, to_tflite, write_bundle
from livemood.training.fit import Epoch, Run, Step, TrainSettings, fit, predict
from livemood.training.model import FER2013_HEAD, serving_model

MAX_PARITY_GAP = 1e-3


@dataclass(frozen=True, slots=True)
class Watcher:
    """What a display wants to hear of a run."""

    on_crop: Callable[[int, int], None] = lambda done, total: None
    on_step: Callable[[Step], None] = lambda step: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None


def work_folder(out: Path) -> Path:
    """Return where a run that makes ``out`` keeps its crops and checkpoint."""
    return out.with_name(f"{out.name}.work")


def train(data: Path, out: Path, settings: TrainSettings, resume: bool, watcher: Watcher) -> dict[str, Any]:
    """Train on ``data`` and write the bundle ``out``.

    Args:
        data: FER+ folder or zip, or one folder per class.
        out: Bundle folder to write; ``out.work`` beside it holds the crops and the checkpoint.
        settings: The run; a resumed one must have the same, but for its length.
        resume: Go on with the run that ``out.work`` holds.
        watcher: Hears of progress.

    Returns:
        The metrics that the bundle's manifest carries.

    Raises:
        DatasetError: Unusable data, an unfinished run without ``resume``, or none with it.
        SinkError: The bundle cannot be written.
    """
    work = work_folder(out)
    cut = work / "data.npz"
    if cut.exists() and not resume:
        raise DatasetError(f"{work} holds an unfinished run; go on with --resume, or remove that folder")
    if resume and not cut.exists():
        raise DatasetError(f"{work} holds no run to resume; leave --resume out")
    dataset = restore(cut) if resume else _cut(data, cut, watcher)
    model, run = fit(dataset, CROP, settings, work, watcher.on_step, watcher.on_epoch)
    return finish(model, run, dataset, settings, out)


def finish(model: Any, run: Run, dataset: Dataset, settings: TrainSettings, out: Path) -> dict[str, Any]:
    """Calibrate on valid, measure on test once, and write the bundle."""
    valid = dataset.splits["valid"]
    temperature = evaluate.fit_temperature(predict(model, valid.crops[:, 0]), valid.top_vote)
    metrics = measure(model, dataset, temperature)
    shipped = serving_model(model)
    gap = parity(shipped, to_tflite(shipped), valid.crops[:64, 0])
    if not gap < MAX_PARITY_GAP:
        raise DatasetError(f"LiteRT and Keras differ by {gap:.1e} on validation pictures; the bundle is not written")
    write_bundle(
        shipped,
        out,
        name=out.name,
        labels=dataset.labels,
        spec=CROP,
        temperature=temperature,
        metrics=metrics,
        training=_provenance(dataset, settings, run),
    )
    return metrics


def measure(model: Any, dataset: Dataset, temperature: float) -> dict[str, Any]:
    """Return the figures of a two-headed model on the test split (valid where there is no test)."""
    name = "test" if len(dataset.splits["test"]) else "valid"
    split = dataset.splits[name]
    metrics: dict[str, Any] = {"split": name}
    for framing, word in enumerate(("", "aligned_")):
        probabilities = evaluate.with_temperature(predict(model, split.crops[:, framing]), temperature)
        top = evaluate.scores(probabilities, split.top_vote, dataset.labels)
        majority = evaluate.scores(probabilities, split.majority, dataset.labels)
        metrics |= {
            f"{word}accuracy_majority": round(majority.accuracy, 4),
            f"{word}accuracy_top_vote": round(top.accuracy, 4),
            f"{word}macro_f1": round(top.macro_f1, 4),
            f"{word}ece": round(top.ece, 4),
        }
        if not framing:
            metrics["recall"] = {label: round(value, 4) for label, value in top.recall.items()}
            if {"happy", "sad"} <= set(dataset.labels):
                metrics["happy_versus_sad"] = round(evaluate.happy_versus_sad(probabilities, split), 4)
    if (split.fer2013 >= 0).any():
        metrics["fer2013_accuracy"] = round(_fer2013_accuracy(model, split), 4)
    return metrics


def _fer2013_accuracy(model: Any, split: Split) -> float:
    known = split.fer2013 >= 0
    return float((predict(model, split.crops[known, 0], FER2013_HEAD).argmax(1) == split.fer2013[known]).mean())


def _cut(data: Path, file: Path, watcher: Watcher) -> Dataset:
    with FaceDetector("auto") as detector:
        dataset = load(data, CROP, detector, watcher.on_crop)
    file.parent.mkdir(parents=True, exist_ok=True)
    save(dataset, file)
    return dataset


def _provenance(dataset: Dataset, settings: TrainSettings, run: Run) -> dict[str, Any]:
    return {
        "settings": asdict(settings),
        "pictures": {name: len(split) for name, split in dataset.splits.items()},
        "copies_removed": dataset.copies_removed,
        "faces_found": round(dataset.faces_found, 4),
        "epochs": run.epoch,
        "best_epoch": run.best_epoch,
        "wall_s": round(run.elapsed_s),
        "history": [asdict(line) for line in run.history],
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            **{name: version(name) for name in ("keras", "tensorflow", "numpy", "mediapipe", "livemood")},
        },
    }

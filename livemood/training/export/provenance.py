"""How a model was trained, for its manifest: enough to reproduce it."""

import platform
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from livemood.core.labels import EMOTION
from livemood.datasets.dataset import Dataset
from livemood.training.loop.checkpoint import Run
from livemood.training.settings import TrainSettings, usual

_LIBRARIES = ("livemood", "keras", "tensorflow", "jax", "torch", "numpy", "mediapipe")

_OPTIONS = (
    *("preset", "epochs", "batch", "learning_rate", "ema_decay", "distil_weight", "blends", "precision", "seed"),
    "early_stop",
)


def provenance(
    dataset: Dataset, settings: TrainSettings, run: Run, record: Mapping[str, Any], strength: float, happy: float
) -> dict[str, Any]:
    """Return the entry ``training`` of the manifest.

    Args:
        dataset: What it was trained on.
        settings: Of the run, as asked for.
        run: With its history.
        record: The job as the command line gave it, with the commit that it was begun at.
        strength: Of the adjustment for rare classes.
        happy: Added to happy's logit.
    """
    from keras import backend

    learned_from = int((dataset.splits["train"].top_vote >= 0).sum())
    return {
        "command": _command(record),
        # Settings as used; the command has those that were requested.
        "settings": asdict(settings.fitted_to(learned_from)),
        "from": record.get("from", []),
        "teachers": record.get("teachers", []),
        # Unknown and not-a-face are FER+'s alone.
        "ferplus_votes": dataset.splits["train"].votes[EMOTION].shape[1] > len(dataset.labels),
        "pictures": {name: len(split) for name, split in dataset.splits.items()},
        "copies_removed": dataset.copies_removed,
        "near_copies": len(dataset.near_copies),
        "skipped": len(dataset.skipped),
        "faces_found": round(dataset.faces_found, 4),
        "class_balance_strength": round(strength, 3),
        "happy_offset": round(happy, 3),
        "epochs": run.epoch,
        "best_epoch": run.best_epoch,
        "wall_s": round(run.elapsed_s),
        "history": [asdict(line) for line in run.history],
        "environment": {
            "commit": record.get("commit") or commit(),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "backend": backend.backend(),
            **{name: found for name in _LIBRARIES if (found := _version(name))},
        },
    }


def _command(record: Mapping[str, Any]) -> str | None:
    """Write the job as a command line, with file names but without folders, which differ from machine to machine."""
    if not record:
        return None
    settings, unsaid = record["settings"], asdict(usual(fine_tuning=bool(record["from"])))
    words = ["livemood", "train", record["data"], "--out", "BUNDLE"]
    words += ["--votes", record["votes"]] if record["votes"] else []
    words += ["--find-faces"] if record["find_faces"] else []
    for option, names in (("--from", record["from"]), ("--teacher", record["teachers"])):
        for name in names:
            words += [option, name]
    for name in _OPTIONS:
        if settings[name] != unsaid[name]:
            words += [f"--{name.replace('_', '-')}", str(settings[name])]
    if settings["time_budget_s"]:
        words += ["--time-budget", f"{settings['time_budget_s']:.0f}s"]
    words += [] if settings["class_balance"] else ["--no-class-balance"]
    return shlex.join(words)


def commit() -> str | None:
    """Return the commit of the checkout this package lies in, if it lies in one."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None

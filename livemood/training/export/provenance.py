"""How a model was trained, for its manifest: enough to reproduce it."""

import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from livemood.core.labels import EMOTION
from livemood.datasets.dataset import Dataset
from livemood.training.loop.checkpoint import Run
from livemood.training.model.devices import devices
from livemood.training.settings import TrainSettings

_LIBRARIES = (
    "livemood",
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    # These find and cut the faces; mediapipe where there is no ai-edge-litert.
    "opencv-contrib-python",
    "ai-edge-litert",
    "mediapipe",
)


def provenance(
    dataset: Dataset,
    settings: TrainSettings,
    run: Run,
    record: Mapping[str, Any],
    strength: float,
    happy_offset: float,
    others_offset: float,
    command: str | None,
) -> dict[str, Any]:
    """Return the entry ``training`` of the manifest.

    Args:
        dataset: What it was trained on.
        settings: Of the run, as requested.
        run: With its history.
        record: The job as requested, with the commit at which it was begun.
        strength: Of the adjustment for rare classes.
        happy_offset: Added to happy's logit.
        others_offset: Added to the logits of the classes other than neutral and happy; half of it for rare ones.
        command: How to repeat the run, as written by the front end, such as a command line.
    """
    from keras import backend

    learned_from = int((dataset.splits["train"].top_vote >= 0).sum())
    return {
        "command": command,
        # Settings as used; the command has those that were requested.
        "settings": asdict(settings.fitted_to(learned_from)),
        "from": record.get("from", []),
        "teachers": record.get("teachers", []),
        # Only FER+ has columns for unknown and not-a-face.
        "ferplus_votes": dataset.splits["train"].votes[EMOTION].shape[1] > len(dataset.labels),
        "pictures": {name: len(split) for name, split in dataset.splits.items()},
        "copies_removed": dataset.copies_removed,
        "near_copies": len(dataset.near_copies),
        "grouped": dataset.grouped,
        "skipped": len(dataset.skipped),
        "faces_found": round(dataset.faces_found, 4),
        "class_balance_strength": round(strength, 3),
        "happy_offset": round(happy_offset, 3),
        "others_offset": round(others_offset, 3),
        "epochs": run.epoch,
        "best_epoch": run.best_epoch,
        "wall_s": round(run.elapsed_s),
        "history": [asdict(line) for line in run.history],
        "environment": {
            "commit": record.get("commit") or commit(),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "backend": backend.backend(),
            "devices": len(devices()),
            **{name: found for name in _LIBRARIES if (found := _version(name))},
        },
    }


def commit() -> str | None:
    """Return the commit of the git checkout that contains this package; None if it is in none."""
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

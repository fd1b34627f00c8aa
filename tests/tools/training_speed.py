"""Print how fast this machine trains, and how fast it augments alone: ``python -m tests.tools.training_speed``.

Crops are random noise; only speed is measured. Part of ``make bench``.
"""

import tempfile
import time
from pathlib import Path
from typing import get_args

import numpy as np

from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.datasets.dataset import Dataset
from livemood.datasets.samples import FER2013_HEAD, FER2013_LABELS
from livemood.datasets.split import Split
from livemood.training.loop.batches import Batches
from livemood.training.loop.checkpoint import Step
from livemood.training.loop.fit import fit
from livemood.training.loop.mixup import blended
from livemood.training.settings import Precision, PresetName, TrainSettings

PICTURES, SECONDS, WARM_UP_STEPS = 8192, 20.0, 8
HEADS = {EMOTION: EMOTIONS, FER2013_HEAD: FER2013_LABELS}


def main() -> None:
    """Print the table."""
    train, valid = made_up(PICTURES), made_up(64)
    began = time.perf_counter()
    busy = time.process_time()
    with Batches(blended(train, 0, 0), 128, workers=1) as batches:
        made = sum(len(pixels) for pixels, _, _ in batches.epoch((0, 0), 1.0))
    print(f"augmentation alone: {made / (time.perf_counter() - began):.0f} pictures/s", end="")
    print(f" on {(time.process_time() - busy) / (time.perf_counter() - began):.1f} cores")
    for preset in get_args(PresetName):
        for precision in get_args(Precision):
            speed = images_per_s(train, valid, TrainSettings(preset=preset, precision=precision, time_budget_s=SECONDS))
            print(f"{preset:8} {precision:9} {speed:5.0f} pictures/s, augmentation included")


def made_up(count: int) -> Split:
    """Return ``count`` crops of noise, each with a vote."""
    rng = np.random.default_rng(0)
    votes = np.eye(len(EMOTIONS), dtype=np.int64)[rng.integers(0, len(EMOTIONS), count)] * 10
    return Split(
        rng.integers(0, 256, (count, 2, *CROP.shape), np.uint8),
        np.arange(count),
        np.arange(count).astype(str),
        {EMOTION: votes, FER2013_HEAD: np.eye(len(FER2013_LABELS), dtype=np.int64)[np.zeros(count, int)]},
        HEADS,
    )


def images_per_s(train: Split, valid: Split, settings: TrainSettings) -> float:
    """Return the speed of a run once its graph is built."""
    times: list[float] = []

    def note(step: Step) -> None:
        times.append(time.perf_counter())

    dataset = Dataset(HEADS, {"train": train, "valid": valid, "test": valid}, 0, (), (), (), 1.0)
    with tempfile.TemporaryDirectory() as work:
        fit(dataset, CROP, settings, Path(work), on_step=note)
    timed = np.diff(times[WARM_UP_STEPS:])
    return settings.batch / float(np.median(timed))


if __name__ == "__main__":
    main()

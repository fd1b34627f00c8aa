"""A split of drawn pictures, and the batches of an epoch."""

import numpy as np

from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTION
from livemood.datasets.samples import FER2013_HEAD, FER2013_LABELS
from livemood.datasets.split import Split
from livemood.training.loop.batches import Batch, Batches, Teach
from livemood.training.loop.mixup import Blends

PICTURES = 64


def make_split() -> Split:
    """Return pictures, the even ones happy and dark, the odd ones sad and light; aligned they are a little lighter."""
    light = np.where(np.arange(PICTURES) % 2, 200, 40)[:, None] + np.array([0, 10])
    pixels = np.broadcast_to(light[..., None, None, None], (PICTURES, 2, *CROP.shape)).astype(np.uint8)
    own = np.eye(len(FER2013_LABELS), dtype=np.int64)[np.full(PICTURES, 3)] * (np.arange(PICTURES) < 32)[:, None]
    votes = {EMOTION: np.eye(2, dtype=np.int64)[np.arange(PICTURES) % 2] * 10, FER2013_HEAD: own}
    heads = {EMOTION: ("happy", "sad"), FER2013_HEAD: FER2013_LABELS}
    return Split(pixels, np.arange(PICTURES), np.arange(PICTURES).astype(str), votes, heads)


def epoch(
    blends: Blends,
    strength: float = 1.0,
    seed: int = 0,
    *,
    workers: int = 1,
    teach: Teach | None = None,
    distil_weight: float = 0.0,
) -> list[Batch]:
    """Return the batches of an epoch, of 32 pictures each; one worker is a thread."""
    with Batches(blends, 32, workers=workers, teach=teach, distil_weight=distil_weight) as batches:
        return list(batches.epoch((seed, 0), strength))

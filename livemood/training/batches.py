"""Augmented batches, made ahead in a thread while the network trains."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.training.augment import augment
from livemood.training.blends import Blends
from livemood.training.collection import FER2013_LABELS
from livemood.training.model import EMOTION_HEAD, FER2013_HEAD

_LOOKAHEAD = 6
# Share of blends among the pictures at full strength, where there are any.
_BLENDED = 0.7

Batch = tuple[Any, dict[str, Any], dict[str, Any]]
"""(n, S, S, C) uint8 crops, targets by head, sample weights by head."""


def batches(
    train: Blends, targets: npt.NDArray[np.float32], size: int, seed: tuple[int, int], strength: float
) -> Iterator[Batch]:
    """Yield one epoch, each picture in one framing drawn by chance; a last batch that is not full is left out.

    Args:
        train: N pictures in V variants.
        targets: (N, V, K) of the first head.
        size: Pictures in a batch.
        seed: The same seed gives the same batches.
        strength: Scales how often pictures are blended and degraded, 0 (never) to 1.
    """
    order = np.random.default_rng(seed).permutation(len(train.split))
    known = train.split.fer2013 >= 0
    second = train.mixed(np.eye(len(FER2013_LABELS), dtype="f4")[train.split.fer2013])
    second_known = (known[:, None] & known[train.partner]).astype("f4")

    def make(start: int) -> Batch:
        rng = np.random.default_rng((*seed, start))
        chosen = order[start : start + size]
        variant = np.zeros(len(chosen), np.int64)
        if train.variants > 1:
            others = rng.integers(1, train.variants, len(chosen))
            variant = np.where(rng.random(len(chosen)) < _BLENDED * strength, others, 0)
        crops = train.crops(chosen, variant, rng.integers(0, 2, len(chosen)))
        pixels = np.stack([augment(crop, rng, strength) for crop in crops])
        heads = {EMOTION_HEAD: targets[chosen, variant], FER2013_HEAD: second[chosen, variant]}
        weights = {EMOTION_HEAD: np.ones(len(chosen), "f4"), FER2013_HEAD: second_known[chosen, variant]}
        return pixels, heads, weights

    with ThreadPoolExecutor(1) as pool:
        ahead: list[Future[Batch]] = []
        try:
            for start in range(0, max(len(order) - size + 1, 1), size):
                ahead.append(pool.submit(make, start))
                if len(ahead) >= _LOOKAHEAD:
                    yield ahead.pop(0).result()
            for waiting in ahead:
                yield waiting.result()
        finally:
            for waiting in ahead:
                waiting.cancel()

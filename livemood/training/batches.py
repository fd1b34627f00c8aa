"""Augmented batches, made ahead in a thread while the network trains."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.training.augment import augment
from livemood.training.collection import FER2013_LABELS
from livemood.training.dataset import Split
from livemood.training.model import EMOTION_HEAD, FER2013_HEAD

_LOOKAHEAD = 6

Batch = tuple[Any, dict[str, Any], dict[str, Any]]
"""(n, S, S, C) uint8 crops, targets by head, sample weights by head."""


def batches(
    train: Split, targets: npt.NDArray[np.float32], size: int, seed: tuple[int, int], strength: float
) -> Iterator[Batch]:
    """Yield one epoch, each picture in one framing drawn by chance; a last batch that is not full is left out.

    Args:
        train: N pictures.
        targets: (N, K) of the first head.
        size: Pictures in a batch.
        seed: The same seed gives the same batches.
        strength: Of the degradations, see ``augment``.
    """
    order = np.random.default_rng(seed).permutation(len(train))

    def make(start: int) -> Batch:
        rng = np.random.default_rng((*seed, start))
        chosen = order[start : start + size]
        framing = rng.integers(0, 2, len(chosen))
        pixels = np.stack(
            [augment(train.pixels[row, f], rng, strength) for row, f in zip(train.rows[chosen], framing, strict=True)]
        )
        second = train.fer2013[chosen]
        heads = {EMOTION_HEAD: targets[chosen], FER2013_HEAD: np.eye(len(FER2013_LABELS), dtype="f4")[second]}
        weights = {EMOTION_HEAD: np.ones(len(chosen), "f4"), FER2013_HEAD: (second >= 0).astype("f4")}
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

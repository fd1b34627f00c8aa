"""Augmented batches, made ahead by other cores while the network trains."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from livemood.core.errors import DatasetError
from livemood.runtime.processes import usable_cores
from livemood.runtime.stopping import check, ignore_signals
from livemood.training.loop.augment import augment
from livemood.training.loop.mixup import Blends

# Share of blends among the pictures at full strength, where there are any.
_BLENDED = 0.7
# The network and its teachers want a core each; this many more fill the fastest GPU.
_MOST_WORKERS = 8
# Who waits for a batch looks up this often, s.
_POLL_S = 0.1

Heads = dict[str, npt.NDArray[np.float32]]
"""(n, K) probabilities or (n,) weights by head."""

Batch = tuple[npt.NDArray[np.uint8], Heads, Heads]
"""(n, S, S, C) uint8 crops, targets by head, sample weights by head."""

Teach = Callable[[npt.NDArray[np.uint8]], Mapping[str, npt.NDArray[np.float32]]]
"""(n, S, S, C) uint8 crops to (n, K) probabilities by head; a head may be missing."""


class Batches:
    """Batches of pictures, made ahead: a context manager, as its workers must end.

    Args:
        train: The pictures, alone and laid over one another.
        size: Pictures in a batch.
        teach: Is shown what the student will see, and says what it thinks of it.
        distil_weight: Share of what ``teach`` says in the targets, 0..1; the rest is the labels'.
        workers: How many make batches: processes, or one thread, which is enough where a core is busy training. None
            takes what cores there are.

    Attributes:
        per_epoch: Batches in an epoch.
    """

    def __init__(
        self,
        train: Blends,
        size: int,
        teach: Teach | None = None,
        distil_weight: float = 0.0,
        workers: int | None = None,
    ) -> None:
        many = workers or min(max(usable_cores() - 2, 1), _MOST_WORKERS)
        self._size, self._teach, self._distil_weight = size, teach, distil_weight
        self.per_epoch = max(len(train.split) // size, 1)
        self._pictures, self._ahead = len(train.split), 2 * many + 4
        lessons = BatchBuilder(train)
        self._makers: Executor = ThreadPoolExecutor(1) if many == 1 else _processes(many, lessons)
        self._make: Callable[..., Batch] = lessons.make if many == 1 else _make
        self._teacher = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._makers.shutdown(cancel_futures=True)
        self._teacher.shutdown(cancel_futures=True)

    def epoch(self, seed: tuple[int, int], strength: float) -> Iterator[Batch]:
        """Yield every picture once, in one framing drawn by chance; a last batch that is not full is left out.

        Args:
            seed: The same seed gives the same batches, whoever makes them.
            strength: Scales how often pictures are blended and degraded, 0 (never) to 1.

        Raises:
            DatasetError: A worker was killed.
        """
        order = np.random.default_rng(seed).permutation(self._pictures)
        starts = range(0, self.per_epoch * self._size, self._size)
        ahead: deque[Future[Batch]] = deque()
        try:
            for start in starts:
                made = self._makers.submit(self._make, order[start : start + self._size], (*seed, start), strength)
                ahead.append(self._teacher.submit(self._taught, made) if self._teach else made)
                if len(ahead) > self._ahead:
                    yield _result(ahead.popleft())
            while ahead:
                yield _result(ahead.popleft())
        except BrokenProcessPool as error:
            raise DatasetError(
                "a process that makes batches was ended from outside, most often for want of memory", "{resume} goes on"
            ) from error
        finally:
            for waiting in ahead:
                waiting.cancel()

    def _taught(self, made: Future[Batch]) -> Batch:
        assert self._teach
        pixels, heads, weights = made.result()
        said = self._teach(pixels)
        mixed = {name: (1 - self._distil_weight) * heads[name] + self._distil_weight * said[name] for name in said}
        return pixels, {**heads, **mixed}, weights


def _result(coming: Future[Batch]) -> Batch:
    """Wait for a batch; a place where the program may be stopped."""
    while True:
        check()
        wait([coming], _POLL_S)
        if coming.done():
            return coming.result()


class BatchBuilder:
    """Whatever it takes to make a batch, in this process or another."""

    def __init__(self, train: Blends) -> None:
        self.train, self._targets = train, train.split.targets
        self._known = {head: np.asarray(values.any(1), "f4") for head, values in self._targets.items()}

    def make(self, chosen: npt.NDArray[np.int64], seed: tuple[int, ...], strength: float) -> Batch:
        """Return the batch of the ``chosen`` pictures."""
        train, count, rng = self.train, len(chosen), np.random.default_rng(seed)
        variant = np.zeros(count, np.int64)
        if train.variants > 1:
            others = rng.integers(1, train.variants, count)
            variant = np.where(rng.random(count) < _BLENDED * strength, others, 0)
        crops = train.crops(chosen, variant, rng.integers(0, 2, count))
        pixels = np.stack([augment(crop, rng, strength) for crop in crops])
        heads = {name: train.mixed(values, chosen, variant) for name, values in self._targets.items()}
        partner = train.partner[chosen, variant]
        return pixels, heads, {head: known[chosen] * known[partner] for head, known in self._known.items()}


_here: BatchBuilder | None = None
"""What a worker process makes batches of."""


def _processes(many: int, lessons: BatchBuilder) -> ProcessPoolExecutor:
    """Return workers that know the lessons; crops that lie on disk are not sent but opened there."""
    train, crops = lessons.train, lessons.train.split.pixels
    file = Path(crops.filename) if isinstance(crops, np.memmap) and crops.filename else None
    if file:
        train = replace(train, split=replace(train.split, pixels=np.empty((0, *crops.shape[1:]), np.uint8)))
    # Spawned, as the libraries that train run threads, which a fork would leave behind with their locks held.
    return ProcessPoolExecutor(many, get_context("spawn"), _begin, (train, file))


def _begin(train: Blends, file: Path | None) -> None:
    """Make a process a worker: Ctrl-C is its parent's to answer, and it does not outlive that."""
    global _here
    ignore_signals()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if file:
        pixels = np.load(file, mmap_mode="r", allow_pickle=False)
        train = replace(train, split=replace(train.split, pixels=pixels))
    _here = BatchBuilder(train)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _make(chosen: npt.NDArray[np.int64], seed: tuple[int, ...], strength: float) -> Batch:
    assert _here
    return _here.make(chosen, seed, strength)

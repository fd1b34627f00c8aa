"""Augmented batches, made in advance by other cores while the network trains."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from livemood.core.errors import DatasetError
from livemood.runtime.processes import usable_cores
from livemood.runtime.stopping import check, leave_signals_to_parent
from livemood.runtime.workers import end_with_parent
from livemood.training.loop.augment import augment
from livemood.training.loop.mixup import Blends

# Share of blended pictures at strength 1, if the split has blends.
_BLENDED = 0.7
# The network and its teachers need a core each; this many workers are enough for the fastest GPU.
_MOST_WORKERS = 8
# Poll interval while waiting for a batch, s.
_POLL_S = 0.1

Heads = dict[str, npt.NDArray[np.float32]]
"""(n, K) probabilities or (n,) weights by head."""

Batch = tuple[npt.NDArray[np.uint8], Heads, Heads]
"""(n, S, S, C) uint8 crops, targets by head, sample weights by head."""

Teach = Callable[[npt.NDArray[np.uint8]], Mapping[str, npt.NDArray[np.float32]]]
"""Maps (n, S, S, C) uint8 crops to the teachers' (n, K) probabilities by head; a head may be missing."""


class Batches:
    """Batches of pictures, made in advance; a context manager that stops its workers.

    Args:
        train: The pictures and their blends.
        size: Pictures in a batch.
        teach: Returns the teachers' probabilities for a batch.
        distil_weight: Weight of ``teach`` in the targets, 0..1; the rest is the labels'.
        workers: Number of processes that make batches; 1 means a thread, which is enough where one core trains. None
            depends on the number of cores.

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
        count = workers or min(max(usable_cores() - 2, 1), _MOST_WORKERS)
        self._size, self._teach, self._distil_weight = size, teach, distil_weight
        self.per_epoch = max(len(train.split) // size, 1)
        self._pictures, self._ahead = len(train.split), 2 * count + 4
        builder = BatchBuilder(train)
        self._makers: Executor = ThreadPoolExecutor(1) if count == 1 else _processes(count, builder)
        self._make: Callable[..., Batch] = builder.make if count == 1 else _make
        self._teacher = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._makers.shutdown(cancel_futures=True)
        self._teacher.shutdown(cancel_futures=True)

    def epoch(self, seed: tuple[int, int], strength: float) -> Iterator[Batch]:
        """Yield every picture once, in a random framing; an incomplete last batch is dropped.

        Args:
            seed: The same seed gives the same batches, for any number of workers.
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
            check()  # a SIGTERM to all of the group reaches the workers too
            raise DatasetError(
                "a process that makes batches was killed, probably because memory ran out",
                "{resume} continues the run",
            ) from error
        finally:
            for waiting in ahead:
                waiting.cancel()

    def _taught(self, made: Future[Batch]) -> Batch:
        assert self._teach
        pixels, heads, weights = made.result()
        taught = self._teach(pixels)
        mixed = {name: (1 - self._distil_weight) * heads[name] + self._distil_weight * taught[name] for name in taught}
        return pixels, {**heads, **mixed}, weights


def _result(coming: Future[Batch]) -> Batch:
    """Wait for a batch; an interrupt is raised here."""
    while True:
        check()
        wait([coming], _POLL_S)
        if coming.done():
            return coming.result()


class BatchBuilder:
    """Makes batches, in this process or another."""

    def __init__(self, train: Blends) -> None:
        self.train, self._targets = train, train.split.targets
        self._known = {head: np.asarray(values.any(1), "f4") for head, values in self._targets.items()}

    def make(self, chosen: npt.NDArray[np.int64], seed: tuple[int, ...], strength: float) -> Batch:
        """Return a batch.

        Args:
            chosen: (n,) indices of the pictures.
            seed: The same seed gives the same batch.
            strength: Of augmentation, 0..1.
        """
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


_builder: BatchBuilder | None = None
"""The batch builder of a worker process."""


def _processes(count: int, builder: BatchBuilder) -> ProcessPoolExecutor:
    """Return worker processes with a batch builder; crops on disk are opened there instead of being sent."""
    train, crops = builder.train, builder.train.split.pixels
    file = Path(crops.filename) if isinstance(crops, np.memmap) and crops.filename else None
    if file:
        train = replace(train, split=replace(train.split, pixels=np.empty((0, *crops.shape[1:]), np.uint8)))
    # Spawned: training libraries run threads, and a forked child would inherit their held locks.
    return ProcessPoolExecutor(count, get_context("spawn"), _begin, (train, file))


def _begin(train: Blends, file: Path | None) -> None:
    """Initialise a worker process: it leaves Ctrl-C to its parent, and ends with its parent."""
    global _builder
    leave_signals_to_parent()
    end_with_parent()
    if file:
        pixels = np.load(file, mmap_mode="r", allow_pickle=False)
        train = replace(train, split=replace(train.split, pixels=pixels))
    _builder = BatchBuilder(train)


def _make(chosen: npt.NDArray[np.int64], seed: tuple[int, ...], strength: float) -> Batch:
    assert _builder
    return _builder.make(chosen, seed, strength)

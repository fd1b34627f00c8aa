"""Draw train, valid and test splits if a collection gives none: stratified by class, groups kept together."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from livemood.datasets.samples import SPLITS, Sample, SplitName

Counts = npt.NDArray[np.int64]

_SHARES: dict[SplitName, float] = {"train": 0.7, "valid": 0.15, "test": 0.15}


def is_open(samples: Sequence[Sample]) -> bool:
    """Return whether some samples have no split, or there is a train split but no valid one."""
    given = {sample.split for sample in samples}
    return None in given or ("train" in given and "valid" not in given)


def draw(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Give every sample a split; the same pictures get the same splits on every machine.

    Given splits stay, and other pictures of a group join those of it that have one. If the collection gives splits but
    no ``valid``, one is drawn from ``train``, and no ``test``.
    """
    given = {sample.split for sample in samples} - {None}
    if None in {sample.split for sample in samples}:
        open_, wanted = [s for s in samples if s.split is None], SPLITS
    elif "valid" not in given:
        open_, wanted = [s for s in samples if s.split == "train"], SPLITS[:2]
    else:
        return tuple(samples)
    # Where a group has several given splits, the earliest is harmless: training already knows such pictures.
    home = {s.group: name for name in reversed(SPLITS) for s in samples if s.split == name and s.group}
    joins = {s.file: home[s.group] for s in open_ if s.split is None and s.group in home}
    drawn = _draw([s for s in open_ if s.file not in joins], wanted) | joins
    return tuple(replace(s, split=drawn.get(s.file, s.split)) for s in samples)


def _draw(samples: Sequence[Sample], wanted: Sequence[SplitName]) -> dict[str, SplitName]:
    """Assign each group by a hash of its name alone, so that it stays where it is when pictures are added.

    Groups are moved only for a class that has less than half of its pictures in train, or none in a split.
    """
    if not samples:
        return {}
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.group or sample.file].append(sample)
    names = sorted(groups, key=_place)
    drawn = _Drawn(
        np.array([_place(name) for name in names]),
        np.array([_counts(groups[name]) for name in names]),
        np.array([_SHARES[name] for name in wanted]),
    )
    for label in drawn.by_rarity():
        drawn.fill_train(label)
    for split in range(1, len(wanted)):
        for label in drawn.by_rarity():
            drawn.fill(split, label)
    return {s.file: wanted[split] for name, split in zip(names, drawn.splits, strict=True) for s in groups[name]}


class _Drawn:
    """The split of every group, as an index; train is 0.

    Args:
        places: (G,) of the groups in order, 0..1.
        counts: (G, V) pictures of each group by the label with most votes.
        shares: (S,) of the splits.
    """

    def __init__(self, places: npt.NDArray[np.float64], counts: Counts, shares: npt.NDArray[np.float64]) -> None:
        self._places, self._counts, self._shares = places, counts, shares / shares.sum()
        ends = np.cumsum(self._shares)
        self._middles = ends - self._shares / 2
        self.splits = np.minimum(np.searchsorted(ends, places, side="right"), len(shares) - 1)

    def by_rarity(self) -> list[int]:
        """Return the labels, those in the fewest groups first."""
        return [int(label) for label in np.argsort((self._counts > 0).sum(0), kind="stable")]

    def fill_train(self, label: int) -> None:
        """Move groups to train, the largest first, until it has half of the pictures of a label."""
        inside = self._counts[:, label]
        while 2 * inside[self.splits == 0].sum() < inside.sum():
            self.splits[np.where(self.splits > 0, inside, -1).argmax()] = 0

    def fill(self, split: int, label: int) -> None:
        """Move one group to a split that has no picture of a label, if the others can spare one: a small one."""
        has = self._counts > 0
        if has[self.splits == split, label].any():
            return
        others = np.array([has[self.splits == one].sum(0) for one in range(len(self._shares))])
        may = has[:, label] & (self.splits != split)
        spare = may & (~has | (others[self.splits] > 1)).all(1)
        # Training needs valid more than test.
        found = np.flatnonzero(spare if spare.any() else may & (self.splits > split))
        if not len(found):
            return
        fullness = others[:, label] / self._shares
        sizes, away = self._counts.sum(1), abs(self._places - self._middles[split])
        self.splits[min(found, key=lambda one: (sizes[one], -fullness[self.splits[one]], away[one]))] = split


def _counts(samples: Sequence[Sample]) -> Counts:
    """Return (V,) pictures by the label with most votes."""
    return np.bincount([int(np.argmax(sample.votes)) for sample in samples], minlength=len(samples[0].votes))


def _place(name: str) -> float:
    """Return 0..1, a hash of a name, the same on every machine, also for names that are not UTF-8."""
    digest = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64

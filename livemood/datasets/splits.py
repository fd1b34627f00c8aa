"""Draw train, valid and test splits if a collection gives none: stratified by class, groups kept together."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from livemood.datasets.samples import SPLITS, Sample, SplitName

_SHARES: dict[SplitName, float] = {"train": 0.7, "valid": 0.15, "test": 0.15}


def is_open(samples: Sequence[Sample]) -> bool:
    """Return whether some samples have no split, or there is a train split but no valid one."""
    given = {sample.split for sample in samples}
    return None in given or ("train" in given and "valid" not in given)


def draw(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Give every sample a split; the same pictures get the same splits on every machine.

    Given splits stay. If the collection gives splits but no ``valid``, one is drawn from ``train``, and no ``test``.
    """
    given = {sample.split for sample in samples} - {None}
    if None in {sample.split for sample in samples}:
        open_, wanted = [s for s in samples if s.split is None], SPLITS
    elif "valid" not in given:
        open_, wanted = [s for s in samples if s.split == "train"], SPLITS[:2]
    else:
        return tuple(samples)
    drawn = _draw(open_, wanted)
    return tuple(replace(s, split=drawn.get(s.file, s.split)) for s in samples)


def _draw(samples: Sequence[Sample], wanted: Sequence[SplitName]) -> dict[str, SplitName]:
    """Assign groups, the largest first, each to the split that lacks most of the group's classes."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[f"group {sample.group}" if sample.group else f"file {sample.file}"].append(sample)
    votes = {name: np.sum([s.votes for s in members], axis=0) for name, members in groups.items()}
    total = np.sum(list(votes.values()), axis=0)
    shares = np.array([_SHARES[name] for name in wanted])
    quota = np.maximum(shares[:, None] / shares.sum() * total, 1e-9)
    lacking = quota.copy()
    drawn: dict[str, SplitName] = {}
    for name in sorted(groups, key=lambda name: (-len(groups[name]), _hash(name))):
        place = int((lacking / quota @ votes[name]).argmax())
        lacking[place] -= votes[name]
        drawn |= {sample.file: wanted[place] for sample in groups[name]}
    return drawn


def _hash(name: str) -> bytes:
    """Return a hash of a name, the same on every machine, also for names that are not UTF-8."""
    return hashlib.blake2b(name.encode(errors="surrogatepass")).digest()

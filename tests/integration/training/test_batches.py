"""Batches that processes make."""

import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.datasets.samples import FER2013_HEAD
from livemood.training.loop.batches import Batches
from livemood.training.loop.mixup import blended
from tests.support.splits import PICTURES, epoch, make_split


@pytest.mark.parametrize("on_disk", [False, True])
def test_batches_when_processes_make_them_then_the_same_as_a_thread_does(tmp_path, on_disk: bool):
    split = make_split()
    if on_disk:
        np.save(tmp_path / "crops.npy", split.pixels)
        split = replace(split, pixels=np.load(tmp_path / "crops.npy", mmap_mode="r"))
    blends = blended(split, 3, seed=5)
    made, alone = (epoch(blends, workers=many) for many in (2, 1))
    assert len(made) == len(alone) == PICTURES // 32
    for ours, theirs in zip(made, alone, strict=True):
        assert (ours[0] == theirs[0]).all()
        for told, said in zip(ours[1:], theirs[1:], strict=True):
            assert all((told[head] == said[head]).all() for head in (EMOTION, FER2013_HEAD))


def test_batches_when_a_worker_is_killed_then_one_clear_line():
    with Batches(blended(make_split(), 0, 0), 8, workers=2) as batches:
        list(batches.epoch((0, 0), 1.0))
        workers = multiprocessing.active_children()
        assert len(workers) == 2
        workers[0].kill()
        with pytest.raises(DatasetError, match="because memory ran out; resume continues the run"):
            for epoch in range(1000):  # the other one may end an epoch before it is noticed
                list(batches.epoch((0, epoch), 1.0))


def test_batches_when_the_trainer_is_killed_then_its_workers_end(tmp_path):
    """They read their work from a pipe that they hold open themselves, so they would wait for ever."""
    (tmp_path / "lesson.py").write_text(ENDLESS)
    run = subprocess.Popen([sys.executable, tmp_path / "lesson.py"], stdout=subprocess.PIPE, text=True)
    assert run.stdout
    workers = [int(word) for word in run.stdout.readline().split()]
    assert len(workers) == 2
    assert all(map(is_alive, workers))
    run.kill()
    run.wait()
    last = time.monotonic() + 20
    while any(map(is_alive, workers)) and time.monotonic() < last:
        time.sleep(0.1)
    assert not any(map(is_alive, workers))


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


ENDLESS = """
import multiprocessing, time
import numpy as np
from livemood.training.loop.batches import Batches
from livemood.training.loop.mixup import blended
from livemood.datasets.split import Split

if __name__ == "__main__":
    many = np.arange(64)
    pixels, votes = np.zeros((64, 2, 48, 48, 1), "u1"), {"emotion": np.ones((64, 2), int)}
    split = Split(pixels, many, many.astype(str), votes, {"emotion": ("a", "b")})
    with Batches(blended(split, 0, 0), 8, workers=2) as batches:
        next(batches.epoch((0, 0), 1.0))
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(600)
"""

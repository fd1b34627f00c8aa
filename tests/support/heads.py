"""A tiny model with two heads, trained once for all processes of the suite."""

import csv
import os
import shutil
from pathlib import Path

import pytest

from livemood.runtime.atomic_io import fcntl
from livemood.training.model.network import PRESETS, Architecture
from tests.support import commands
from tests.support.builders import write_faces


def two_heads(factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a bundle ``mine`` that knows two emotions and two kinds of smile; only to be read."""
    root = factory.getbasetemp()
    if fcntl and "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # that of all workers
    folder = root / "two_heads"
    with (root / "two_heads.lock").open("w") as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "mine" / "manifest.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _train(folder)
    return folder


def _train(folder: Path) -> None:
    write_faces(folder / "faces", 12, ("happy", "sad"))
    with (folder / "faces" / "heads.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "head", "label"))
        for place, picture in enumerate(sorted((folder / "faces" / "happy").glob("*.png"))):
            rows.writerow((picture.relative_to(folder / "faces").as_posix(), "smile", ("open", "closed")[place % 2]))
    words = ("train", "faces", "--out", "mine", "--preset", "small", "--epochs", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "small", Architecture(8, (16,), (1,)))  # its size is not the point
        done = commands.livemood(*words, folder=folder)
    assert done.returncode == 0, done.stderr

"""What tests of ``livemood batch`` read, and how they read what it makes."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pyarrow.dataset

from livemood.apps.batch.dataset import Part
from livemood.apps.batch.shard import Shard, ShardOptions, read_shard, set_up
from livemood.cli import run
from tests.support.builders import SAMPLES, write_clip


def write_album(folder: Path, photos: int) -> None:
    """Write photos of one size with a face each, different everywhere, one that is broken, and a short video."""
    image = cv2.imread(str(SAMPLES / "faces.png"))
    assert image is not None
    face = cv2.resize(image[200:540, 260:620], (180, 170), interpolation=cv2.INTER_AREA)
    for number in range(photos):
        cv2.imwrite(str(folder / f"{number:03}.jpg"), np.roll(face, number % 12, 1), [cv2.IMWRITE_JPEG_QUALITY, 90])
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    write_clip(folder / "film.mp4", [np.asarray(cv2.resize(image, (320, 180)), np.uint8)] * 5)


def batch(*words: object) -> int:
    """Run ``livemood batch`` in this process, and return its exit code."""
    return run(["batch", *map(str, words)])


def rows(out: Path, album: Path) -> list[tuple[str, ...]]:
    """Return the rows of a data set, sorted; paths as seen from the album."""
    table = pyarrow.dataset.dataset(str(out), exclude_invalid_files=False).to_table()
    found = [tuple(row.values()) for row in table.to_pylist()]
    return sorted(tuple(str(cell).replace(str(album), "") for cell in row) for row in found)


def read_here(_: object, shards: Iterable[Shard], options: ShardOptions) -> Iterator[tuple[Shard, Part | None]]:
    """Read shards in this process, in place of ``LocalEngine.run``."""
    set_up(options)
    for shard in shards:
        yield shard, read_shard(shard)


def until(holds, job=None, seconds=120):
    """Wait until a condition holds, while a process runs; return what it says."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert job is None or job.poll() is None, job.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return found

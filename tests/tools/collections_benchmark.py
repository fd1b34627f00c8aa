"""Speed and memory of photo collections: ``python -m tests.tools.collections_benchmark TABLE DATA [...]``.

    jobs DATA              photos per second of 12 megapixels, with one process and with two
    small DATA             the same over the 800 small photos of smiles.zip
    peer DATA PYTHON       both beside the peer `fer`, with the interpreter of its environment
    ray DATA               photos per second of ``batch`` on one and on two Ray workers, 400 photos
    memory DATA [PHOTOS]   memory of ``image`` over 20,000 photos, in the first and the second half

``DATA`` holds wild.zip and smiles.zip. Runs alternate, so that a host that slows down slows down all.
"""

import csv
import io
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

LIVEMOOD = [sys.executable, "-m", "livemood"]
TURNS = 3
_LARGE_PHOTOS = 24
# Times that ``jobs`` reads each, so that the start of the processes does not weigh more than in a folder of photos.
_REPEATED = 3
_MEGAPIXELS = 12
_EVERY_S = 0.5

_PEER = """
import json, sys, time
import cv2
from fer.fer import FER
detector, faces = FER(), 0
detector.detect_emotions(cv2.imread(sys.argv[1]))
began = time.perf_counter()
for path in sys.argv[1:]:
    faces += len(detector.detect_emotions(cv2.imread(path)))
print(json.dumps({"faces": faces, "seconds": time.perf_counter() - began}))
"""


def main(table: str, *words: str) -> None:
    """Print one table."""
    tables: dict[str, Callable[..., None]] = {work.__name__: work for work in (jobs, small, peer, ray, memory)}
    tables[table](*words)


def large_photos(data: Path, folder: Path) -> list[Path]:
    """Write the photos of the largest groups, scaled to 12 megapixels."""
    with zipfile.ZipFile(data / "wild.zip") as archive:
        table = csv.DictReader(io.StringIO(archive.read("wild/groups.csv").decode()))
        crowds = sorted(table, key=lambda row: -int(row["faces"].rstrip("+")))
        paths = []
        for name in (row["file"] for row in crowds[:_LARGE_PHOTOS]):
            image = cv2.imdecode(np.frombuffer(archive.read(f"wild/groups/{name}"), np.uint8), cv2.IMREAD_COLOR)
            assert image is not None
            scale = (_MEGAPIXELS * 1e6 / (image.shape[0] * image.shape[1])) ** 0.5
            paths.append(folder / f"{Path(name).stem}.jpg")
            large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(paths[-1]), large, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return paths


def small_photos(data: Path, folder: Path, count: int = 800) -> list[Path]:
    """Write the photos of smiles.zip, again and again under other names until there are ``count``."""
    with zipfile.ZipFile(data / "smiles.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith((".jpg", ".png"))]
        first = []
        for name in names[:count]:
            first.append(folder / f"00000-{Path(name).name}")
            first[-1].write_bytes(archive.read(name))
    paths = list(first)
    for number in range(len(first), count):
        paths.append(folder / f"{number // len(first):05}-{first[number % len(first)].name[6:]}")
        os.link(first[number % len(first)], paths[-1])
    return paths


def read_photos(folder: Path, *words: str) -> tuple[float, int]:
    """Run ``livemood image`` over a folder; return its wall time in seconds, start included, and the faces."""
    with TemporaryDirectory() as scratch:
        rows = Path(scratch) / "rows.jsonl"
        began = time.perf_counter()
        run = [*LIVEMOOD, "image", str(folder), "--records", str(rows), *words]
        subprocess.run(run, capture_output=True, check=True)
        seconds = time.perf_counter() - began
        faces = sum(json.loads(line).get("label") is not None for line in rows.open())
    return seconds, faces


def jobs(data: str) -> None:
    """One process and two over photos of 12 megapixels."""
    with TemporaryDirectory() as folder:
        photos = large_photos(Path(data), Path(folder))
        for number in range(1, _REPEATED):
            for path in photos:
                os.link(path, path.with_stem(f"{path.stem}-{number}"))
        _one_and_two(Path(folder), _REPEATED * len(photos))


def small(data: str) -> None:
    """One process and two over small photos."""
    with TemporaryDirectory() as folder:
        _one_and_two(Path(folder), len(small_photos(Path(data), Path(folder))))


def _one_and_two(folder: Path, photos: int) -> None:
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(TURNS):
        for count, found in rates.items():
            seconds, faces = read_photos(folder, "--jobs", str(count))
            found.append(photos / seconds)
            print(f"--jobs {count}: {found[-1]:.1f} photos/s, {faces} faces", flush=True)
    one, two = (statistics.median(found) for found in rates.values())
    print(f"{photos} photos, medians {one:.1f} and {two:.1f} photos/s: two processes {two / one:.2f} x one")


def peer(data: str, python: str) -> None:
    """Both kinds of photos beside the peer, which has one process; ours has two, and its start counts."""
    for name, make in (("12-megapixel group photos", large_photos), ("small photos", small_photos)):
        with TemporaryDirectory() as folder:
            photos = make(Path(data), Path(folder))
            theirs, ours = [], []
            for _ in range(TURNS):
                run = [python, "-c", _PEER, *map(str, photos)]
                printed = subprocess.run(run, capture_output=True, check=True, text=True).stdout
                found = json.loads(printed.splitlines()[-1])
                seconds, faces = read_photos(Path(folder), "--jobs", "2")
                theirs.append(len(photos) / found["seconds"])
                ours.append(len(photos) / seconds)
                print(
                    f"peer {theirs[-1]:.2f} photos/s, {found['faces']} faces; "
                    f"livemood {ours[-1]:.2f} photos/s, {faces} faces",
                    flush=True,
                )
            ratio = statistics.median(ours) / statistics.median(theirs)
            print(f"{len(photos)} {name}: {ratio:.2f} x the peer's photos per second")


def ray(data: str, photos: str = "400") -> None:
    """One and two Ray workers over photos, Ray's own start left out: it is the same for both."""
    with TemporaryDirectory() as folder:
        inputs = Path(folder) / "photos"
        inputs.mkdir()
        count = len(small_photos(Path(data), inputs, int(photos)))
        empty = Path(folder) / "one"
        empty.mkdir()
        small_photos(Path(data), empty, 1)
        rates: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(TURNS):
            for workers, found in rates.items():
                start = _batch(empty, Path(folder) / f"start-{turn}-{workers}", workers)
                seconds = _batch(inputs, Path(folder) / f"out-{turn}-{workers}", workers)
                found.append(count / (seconds - start))
                print(f"{workers} workers: {seconds:.1f} s, of which start {start:.1f} s", flush=True)
    one, two = (statistics.median(found) for found in rates.values())
    print(f"{count} photos, medians {one:.1f} and {two:.1f} photos/s: two workers {two / one:.2f} x one")


def _batch(inputs: Path, out: Path, workers: int) -> float:
    began = time.perf_counter()
    run = [*LIVEMOOD, "batch", str(inputs), "--out", str(out), "--engine", "ray", "--jobs", str(workers)]
    subprocess.run(run, capture_output=True, check=True)
    return time.perf_counter() - began


def memory(data: str, photos: str = "20000") -> None:
    """Resident memory of ``image --jobs 1`` over very many photos, watched twice a second."""
    with TemporaryDirectory() as folder:
        inputs = Path(folder) / "photos"
        inputs.mkdir()
        count = len(small_photos(Path(data), inputs, int(photos)))
        words = ["image", str(inputs), "--jobs", "1", "--records", f"{folder}/rows.jsonl"]
        began, seen = time.perf_counter(), []
        with subprocess.Popen([*LIVEMOOD, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                seen.append(_resident_mb(process.pid))
                time.sleep(_EVERY_S)
        assert process.returncode == 0
        half = len(seen) // 2
        first, second = (statistics.median(part) for part in (seen[len(seen) // 10 : half], seen[half:]))
        print(
            f"{count} photos in {time.perf_counter() - began:.0f} s; memory, median of the first half (without its "
            f"first tenth) {first:.0f} MB, of the second {second:.0f} MB, at most {max(seen):.0f} MB"
        )


def _resident_mb(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])

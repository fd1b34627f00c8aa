"""Label hours of looped video in one process and print its memory, descriptors and threads as it goes (``make soak``).

The sample clip is made small once and joined to itself as often as wanted without coding it again. The command runs
as a process of its own and is watched from outside.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from tests.support.builders import SAMPLES, repeated

_SIZE = (640, 360)
# Encoder queues and decoder pools fill in the first minutes; a leak goes on after that.
_SETTLED = 1 / 4
_MAX_GROWTH_MB = 48
_MAX_NEW_FDS = 4


@dataclass(frozen=True)
class Reading:
    """Resources of the process at one time; ``seconds`` counts from its start."""

    seconds: float
    frames: int
    rss_mb: float
    fds: int
    threads: int


def looped(path: Path, minutes: float) -> Path:
    """Write the sample, ``_SIZE`` large, as often as it takes to fill ``minutes``; return ``path``."""
    once = path.with_name("once.mp4")
    with av.open(str(SAMPLES / "faces.mp4")) as source, av.open(str(once), "w") as target:
        small = target.add_stream("libx264", rate=source.streams.video[0].average_rate, options={"preset": "veryfast"})
        small.width, small.height, small.pix_fmt = *_SIZE, "yuv420p"
        for frame in source.decode(video=0):
            target.mux(small.encode(frame.reformat(*_SIZE)))
        target.mux(small.encode())
    with av.open(str(once)) as source:
        stream = source.streams.video[0]
        length_s = float((stream.duration or 0) * (stream.time_base or Fraction(1)))
    repeated(once, path, max(round(minutes * 60 / length_s), 1))
    once.unlink()
    return path


def take_reading(pid: int, began: float, records: Path) -> Reading | None:
    """Read memory, descriptors and threads of a process from /proc; None if it has ended."""
    try:
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
        )
        fds = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
        return Reading(
            time.monotonic() - began,
            _last_frame(records),
            int(status["VmRSS"].split()[0]) / 1024,
            fds,
            int(status["Threads"]),
        )
    except (OSError, KeyError):
        return None


def _last_frame(records: Path) -> int:
    """Return the number of the frame in the last whole line that the command has written so far."""
    part = next(iter(records.parent.glob(f".{records.name}*")), records)
    if not part.exists():
        return 0
    with part.open("rb") as stream:
        stream.seek(max(part.stat().st_size - 4096, 0))
        lines = [line for line in stream.read().split(b"\n") if line.startswith(b'{"frame": ')]
    return int(lines[-1].split(b",")[0].removeprefix(b'{"frame": ')) if lines else 0


def soak(minutes: float, folder: Path) -> tuple[list[Reading], int]:
    """Label ``minutes`` of video in ``folder``; return the readings and the exit code."""
    clip, records = looped(folder / "long.mp4", minutes), folder / "moods.jsonl"
    command: list[Any] = [sys.executable, "-m", "livemood", "video", clip, "--out", folder / "out.mp4"]
    began, readings = time.monotonic(), list[Reading]()
    running = subprocess.Popen([*command, "--records", records])
    try:
        while running.poll() is None:
            time.sleep(max(0.5, minutes / 4))
            reading = take_reading(running.pid, began, records)
            if reading:
                readings.append(reading)
                print(row(reading), flush=True)
    finally:
        running.kill()
        running.wait()
    return readings, running.returncode


def row(reading: Reading) -> str:
    """Return one line of the table."""
    return (
        f"| {reading.seconds:8.0f} | {reading.frames:8d} | {reading.rss_mb:8.1f} | {reading.fds:4d} "
        f"| {reading.threads:7d} |"
    )


def verdict(readings: list[Reading]) -> list[str]:
    """Return the problems of a run: growth of memory or descriptors after it has settled."""
    settled = readings[int(len(readings) * _SETTLED) : -1]
    if len(settled) < 4:
        return ["the run was too short to judge; give it more minutes"]
    half = len(settled) // 2
    growth = _mean_mb(settled[half:]) - _mean_mb(settled[:half])
    fds = max(r.fds for r in settled[half:]) - max(r.fds for r in settled[:half])
    print(f"after settling: RSS {growth:+.1f} MB and at most {fds:+d} descriptors from the first half to the second")
    found = []
    if growth > _MAX_GROWTH_MB:
        found.append(f"memory grew by {growth:.1f} MB")
    if fds > _MAX_NEW_FDS:
        found.append(f"{fds} more descriptors are open")
    return found


def _mean_mb(readings: list[Reading]) -> float:
    return sum(r.rss_mb for r in readings) / len(readings)


def main() -> int:
    """Run and print; 1 if something grew."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=120, help="length of the looped video")
    minutes = options.parse_args().minutes
    print(f"{minutes:g} minutes of looped video, {_SIZE[0]}x{_SIZE[1]}")
    print("|  seconds |    frame |   RSS MB |  fds | threads |\n|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="livemood-soak-") as folder:
        readings, code = soak(minutes, Path(folder))
        problems = verdict(readings) if code == 0 else [f"the command ended with exit code {code}"]
    print("; ".join(problems) or "flat")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())

"""Interrupt `livemood video` at random times, again and again, and see that it ends each time.

    python -m tests.tools.signal_storm --count 300 [--seed 0] [--jobs 2] [--kind one|batch|photos]

A run must end within 30 s by an exit code that says so, leave no scratch file, and leave copies that play and tables
that can be read up to there, or none. In turn it gets SIGINT, SIGTERM and SIGHUP, one time in four twice, alone or, as
from a terminal, with all its processes. ``batch`` is four videos in two processes, ``photos`` a folder of 40 photos in
one or two with a table. Prints what went wrong, and exits with 1 if anything did.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import av

from livemood.records import read
from tests.support.builders import SAMPLES, heed_interrupts

_LIMIT_S = 30
_PHOTOS = 40
_TABLES = (".csv", ".jsonl", ".parquet")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Interrupted, or done before the signal came. Before livemood answers signals, Python and the system do: by the signal
# itself, or by whatever Python makes of it while it starts.
_ENDS = {130, 0}
_EARLY_ENDS = {-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP, 1}


def words_of(kind: str, folder: Path, number: int) -> list[str]:
    """Make the inputs of a run in a folder; return its command, which writes into ``out`` there."""
    out = folder / "out"
    if kind == "photos":
        (folder / "album").mkdir()
        for photo in range(_PHOTOS):
            shutil.copy(SAMPLES / "faces.png", folder / "album" / f"{photo}.png")
        words = ["image", str(folder / "album"), "--csv", str(out / f"a{(_TABLES[number % len(_TABLES)])}")]
        return [*words, "--jobs", str(1 + number % 2)]
    clips = [folder / f"{letter}.mp4" for letter in ("abcd" if kind == "batch" else "a")]
    for clip in clips:
        shutil.copy(SAMPLES / "faces.mp4", clip)
    words = ["--out-dir", str(out), "--jobs", "2"] if kind == "batch" else ["--out", str(out / "a.mp4")]
    return ["video", *map(str, clips), *words]


def storm(number: int, seed: int, what: str, longest_s: float) -> tuple[str, str]:
    """Run one command into one signal; return how it ended, and what was wrong, if anything."""
    chance = random.Random(f"{seed} {number}")
    kind, delay_s, twice = _SIGNALS[number % 3], chance.uniform(0, longest_s), chance.random() < 0.25
    to_all = what != "one" and chance.random() < 0.5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = words_of(what, folder, number)
        out = folder / "out"
        run = subprocess.Popen(
            [sys.executable, "-m", "livemood", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
        time.sleep(delay_s)
        _send(run, kind, to_all)
        if twice:
            time.sleep(chance.uniform(0, 0.3))
            _send(run, kind, to_all)
        about = f"run {number}, {kind.name}{' twice' * twice}{' to all' * to_all} after {delay_s:.3f} s"
        try:
            _, said = run.communicate(timeout=_LIMIT_S)
        except subprocess.TimeoutExpired:
            stacks = _stacks(run.pid)
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            return "hangs", f"{about}: hangs{stacks}"
        wrong = _wrong(out, run.returncode, said)
    return str(run.returncode), f"{about}: {wrong}" if wrong else ""


def _send(run: "subprocess.Popen[str]", kind: signal.Signals, to_all: bool) -> None:
    with suppress(ProcessLookupError):
        if to_all:
            os.killpg(run.pid, kind)
        else:
            run.send_signal(kind)


def _stacks(group: int) -> str:
    """Return what the processes of a run that hangs are waiting for."""
    ps = ["ps", "-e", "-o", "pgid=,pid=,stat=,wchan:30=,args="]
    lines = subprocess.run(ps, capture_output=True, text=True, check=False).stdout.splitlines()
    mine = [line.split(None, 1)[1] for line in lines if line.split()[0] == str(group)]
    return "".join(f"\n    {line[:160]}" for line in mine)


def _wrong(out: Path, code: int, said: str) -> str:
    made = sorted(out.iterdir()) if out.exists() else []
    left = [path.name for path in made if path.name.startswith(".")]
    if left:
        return f"leaves {', '.join(left)}"
    for path in made:
        if path.suffix in (".json", *_TABLES):
            if path.suffix in _TABLES:
                list(read(path))  # raises where it is not a table
            continue
        try:
            with av.open(str(path)) as container:
                frames = sum(1 for _ in container.decode(video=0))
        except av.FFmpegError as error:
            return f"{path.name} does not play: {error}"
        if not frames:
            return f"{path.name} is empty"
    if code in _ENDS:
        return "" if said.count("\n") <= 2 and "Traceback" not in said else f"says {said}"
    early = code in _EARLY_ENDS and not out.exists() and (not said or "KeyboardInterrupt" in said)
    return "" if early else f"ends with {code}: {said[-2000:]}"


def main() -> int:
    """Run the storm and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--kind", choices=("one", "batch", "photos"), default="one", help="what is run")
    parser.add_argument("--only", type=int, help="the number of one run, to try it again")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        words = words_of(asked.kind if asked.kind == "photos" else "one", Path(folder), 1)
        subprocess.run([sys.executable, "-m", "livemood", *words], stdout=subprocess.DEVNULL, check=True)
    longest_s = 1.1 * (time.monotonic() - began)
    ends: Counter[str] = Counter()
    failed = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        for end, wrong in pool.map(
            lambda number: storm(number, asked.seed, asked.kind, longest_s),
            range(asked.count) if asked.only is None else [asked.only],
        ):
            ends[end] += 1
            if wrong:
                failed += 1
                print(wrong, flush=True)
    print(f"{asked.count} runs, {failed} wrong; exit codes {dict(ends)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Interrupt `livemood video` at random times, again and again, and see that it ends each time.

    python -m tests.tools.signal_storm --count 300 [--seed 0] [--jobs 2]

A run must end within 30 s by an exit code that says so, leave no scratch file, and leave a copy that plays up to there,
or none. In turn it gets SIGINT, SIGTERM and SIGHUP, one time in four twice; with --batch, many videos in processes of
their own get it. Prints what went wrong, and exits with 1 if anything did.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av

from tests.support.builders import SAMPLES, heed_interrupts

_LIMIT_S = 30
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Interrupted, or done before the signal came. Before livemood answers signals, Python and the system do: by the signal
# itself, or by whatever Python makes of it while it starts.
_ENDS = {130, 0}
_EARLY_ENDS = {-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP, 1}


def storm(number: int, seed: int, batch: bool, longest_s: float) -> tuple[str, str]:
    """Run one video into one signal; return how it ended, and what was wrong, if anything."""
    chance = random.Random(f"{seed} {number}")
    kind, delay_s, twice = _SIGNALS[number % 3], chance.uniform(0, longest_s), chance.random() < 0.25
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = [folder / f"{letter}.mp4" for letter in ("abcd" if batch else "a")]
        for clip in clips:
            shutil.copy(SAMPLES / "faces.mp4", clip)
        out = folder / "out"
        words = ["--out-dir", str(out), "--jobs", "2"] if batch else ["--out", str(out / "a.mp4")]
        run = subprocess.Popen(
            [sys.executable, "-m", "livemood", "video", *map(str, clips), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
        time.sleep(delay_s)
        run.send_signal(kind)
        if twice:
            time.sleep(chance.uniform(0, 0.3))
            run.send_signal(kind)
        try:
            _, said = run.communicate(timeout=_LIMIT_S)
        except subprocess.TimeoutExpired:
            run.kill()
            run.communicate()
            return "hangs", f"{kind.name} after {delay_s:.3f} s: hangs"
        wrong = _wrong(out, run.returncode, said)
    return str(run.returncode), f"{kind.name} after {delay_s:.3f} s: {wrong}" if wrong else ""


def _wrong(out: Path, code: int, said: str) -> str:
    made = sorted(out.iterdir()) if out.exists() else []
    left = [path.name for path in made if path.name.startswith(".")]
    if left:
        return f"leaves {', '.join(left)}"
    for path in made:
        try:
            with av.open(str(path)) as container:
                frames = sum(1 for _ in container.decode(video=0))
        except av.FFmpegError as error:
            return f"{path.name} does not play: {error}"
        if not frames:
            return f"{path.name} is empty"
    if code in _ENDS:
        return "" if said.count("\n") <= 1 and "Traceback" not in said else f"says {said}"
    early = code in _EARLY_ENDS and not out.exists() and (not said or "KeyboardInterrupt" in said)
    return "" if early else f"ends with {code}: {said[-2000:]}"


def main() -> int:
    """Run the storm and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--batch", action="store_true", help="many videos in processes of their own")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "livemood", "video", str(SAMPLES / "faces.mp4"), "--out", f"{folder}/a.mp4"]
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    longest_s = 1.1 * (time.monotonic() - began)
    ends: Counter[str] = Counter()
    failed = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        for end, wrong in pool.map(
            lambda number: storm(number, asked.seed, asked.batch, longest_s), range(asked.count)
        ):
            ends[end] += 1
            if wrong:
                failed += 1
                print(wrong, flush=True)
    print(f"{asked.count} runs, {failed} wrong; exit codes {dict(ends)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

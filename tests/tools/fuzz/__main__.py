"""Fuzz one target for a time: guided by coverage if atheris is installed, otherwise with random mutations.

The input that broke a target is kept as ``out/fuzz-TARGET-...``; ``--replay FILE`` runs it again.
"""

import argparse
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SLOW_S = 20
"""An input that takes longer counts as a hang."""

_OUT = Path("out")


def main() -> int:
    """Run; 0 if nothing was found."""
    options = argparse.ArgumentParser(prog="python -m tests.tools.fuzz", description=__doc__)
    options.add_argument("targets", nargs="*", help="all by default")
    options.add_argument("--seconds", type=float, default=600, help="for each target")
    options.add_argument("--runs", type=int, default=0, help="for each target, if the time allows; 0: no limit")
    options.add_argument("--seed", type=int, default=0, help="0: another one each time")
    options.add_argument("--engine", choices=("atheris", "blind"), help="atheris where it is installed")
    options.add_argument("--replay", type=Path)
    given = options.parse_args()
    from tests.tools.fuzz.targets import TARGETS

    names = given.targets or list(TARGETS)
    if given.replay:
        TARGETS[names[0]][0](given.replay.read_bytes())
        return 0
    _OUT.mkdir(exist_ok=True)
    engine = given.engine or ("atheris" if _has_atheris() else "blind")
    if engine == "blind":
        return max([_blindly(name, given) for name in names])
    if len(names) == 1:
        return _guided(names[0], given)
    # libFuzzer ends its process, so each target has one of its own.
    return max([subprocess.call([*_again(given), name]) for name in names])


def _again(given: argparse.Namespace) -> list[str]:
    words = [sys.executable, "-m", "tests.tools.fuzz", "--engine", "atheris", "--seconds", str(given.seconds)]
    return [*words, "--runs", str(given.runs), "--seed", str(given.seed)]


def _has_atheris() -> bool:
    try:
        import atheris  # noqa: F401
    except ImportError:
        return False
    return True


def _blindly(name: str, given: argparse.Namespace) -> int:
    """Run the target on random mutations of valid inputs; print the number of runs."""
    from tests.tools.fuzz.targets import TARGETS

    target, make_seeds = TARGETS[name]
    seeds, chance = make_seeds(), random.Random(given.seed or None)
    runs, slowest, began = 0, 0.0, time.monotonic()
    while runs < len(seeds) or (time.monotonic() - began < given.seconds and runs < (given.runs or math.inf)):
        data = seeds[runs] if runs < len(seeds) else mutated(chance.choice(seeds), chance)
        started = time.monotonic()
        try:
            target(data)
        except BaseException:
            kept = _OUT / f"fuzz-{name}-crash"
            kept.write_bytes(data)
            print(f"fuzz: {name}: FAILED after {runs} runs, input in {kept}", flush=True)
            raise
        slowest = max(slowest, time.monotonic() - started)
        runs += 1
    print(f"fuzz: {name}: {runs} runs in {time.monotonic() - began:.0f} s, blind, slowest {slowest:.2f} s", flush=True)
    return 0


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the input with one to eight changes: bits, bytes, extremes, and pieces moved, cut or doubled."""
    new = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(new) + 1), chance.choice((1, 2, 4, 8, 64))
        kind = chance.randrange(6)
        if kind == 0 and at < len(new):
            new[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            new[at : at + length] = chance.randbytes(length)
        elif kind == 2:
            new[at : at + length] = chance.choice((b"\xff", b"\0", b"\x7f", b"\x80", b"9", b'"')) * length
        elif kind == 3:
            del new[at : at + length]
        elif kind == 4:
            new[at:at] = new[at : at + length]
        else:
            other = chance.randrange(len(new) + 1)
            new[at:at] = new[other : other + length]
    return bytes(new)


def _guided(name: str, given: argparse.Namespace) -> int:
    import atheris

    with atheris.instrument_imports(include=["livemood"]):
        from tests.tools.fuzz.targets import TARGETS

        target, make_seeds = TARGETS[name]
        seeds = make_seeds()
        for data in seeds:  # imports what the target imports late
            target(data)
    folder = Path(tempfile.mkdtemp(prefix="livemood-corpus-"))
    for number, data in enumerate(seeds):
        (folder / str(number)).write_bytes(data)
    words = [sys.argv[0], str(folder), f"-max_total_time={given.seconds:.0f}", f"-timeout={SLOW_S}"]
    words += ["-rss_limit_mb=4096", f"-runs={given.runs or -1}"]
    words += [f"-artifact_prefix={_OUT.absolute()}/fuzz-{name}-", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([*words, *([f"-seed={given.seed}"] if given.seed else [])], target)
    print(f"fuzz: {name}: {given.seconds:.0f} s at most, guided by coverage", flush=True)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())

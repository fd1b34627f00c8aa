"""Run the lines of the Dockerfile one by one in a fresh environment, then livemood in it, and print its size.

    python -m tests.tools.container

No Docker is needed: what the container would copy is copied, and what it would run is run. Packages come from the
package index.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.builders import ROOT

LARGEST_BYTES = 750_000_000
USE = "livemood video faces.mp4 --duration 0.5 --records moods.jsonl --out out.mp4 && livemood doctor"


def dockerfile_lines() -> list[tuple[str, str]]:
    """Return instructions and their arguments."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    parted = [line.partition(" ") for line in lines if line and line[0] != "#"]
    return [(what, rest.strip()) for what, _, rest in parted]


def main() -> None:
    """Check the container; exit with a message if a line fails, livemood complains, or it is too large."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        environment = _fresh_environment(folder)
        work = folder / "src"
        work.mkdir()
        for what, rest in dockerfile_lines():
            if what == "COPY":
                _copy(rest, work)
            elif what == "RUN":
                _run(rest, work, environment)
        data = shutil.copytree(ROOT / "samples", folder / "data")
        if said := _run(USE, data, environment):
            sys.exit(f"container: livemood complains: {said}")
        size = sum(file.stat().st_size for file in (folder / "venv").rglob("*") if file.is_file())
        if size > LARGEST_BYTES:
            sys.exit(f"container: {size / 1e6:.0f} MB of packages; at most {LARGEST_BYTES / 1e6:.0f} MB are wanted")
        print(f"container: its lines work, {size / 1e6:.0f} MB of packages")


def _fresh_environment(folder: Path) -> dict[str, str]:
    """Make a virtual environment, in which this one's pip installs, and return the variables of its commands."""
    interpreter = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    pip = interpreter.with_name("pip")
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python {interpreter} "$@"\n', encoding="utf-8")
    pip.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {**kept, "PATH": f"{interpreter.parent}:{os.environ['PATH']}", "HOME": str(folder)}


def _copy(rest: str, work: Path) -> None:
    *sources, target = rest.split()
    for source in sources:
        if (ROOT / source).is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / source, work / target, ignore=left_out)
        else:
            shutil.copy(ROOT / source, work / target)


def _run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a shell command and return what it wrote to stderr; exit if it fails."""
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"container: {command} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stderr.strip()


if __name__ == "__main__":
    main()

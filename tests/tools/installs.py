"""Check with pip that the plain and the slim install resolve for each supported Python version and system.

Nothing is installed: pip only resolves (``--dry-run``, wheels only). Environment markers are evaluated here for the
target, because pip evaluates them for the machine that it runs on; those of indirect dependencies remain pip's.

    python -m tests.tools.installs
    python -m tests.tools.installs --python 3.14 --system windows
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence

from packaging.requirements import Requirement

from tests.support.builders import ROOT

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Wheel tags for pip, and the values of environment markers, of each target.
SYSTEMS = {
    "linux": (
        ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_27_x86_64"),
        {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"},
    ),
    "linux-arm64": (
        ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64", "manylinux_2_27_aarch64"),
        {"sys_platform": "linux", "platform_machine": "aarch64", "platform_system": "Linux"},
    ),
    "windows": (
        ("win_amd64",),
        {"sys_platform": "win32", "platform_machine": "AMD64", "platform_system": "Windows"},
    ),
    "macos": (
        tuple(f"macosx_{version}_0_{kind}" for version in (15, 14, 13, 12, 11) for kind in ("arm64", "universal2")),
        {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin"},
    ),
}


def plain() -> list[str]:
    """Return the requirements of the plain install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def slim() -> list[str]:
    """Return the requirements of the slim install."""
    lines = (ROOT / "requirements-slim.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def wanted(lines: Sequence[str], python: str, system: str) -> list[str]:
    """Return the requirements whose environment markers hold on a target, without markers."""
    _, environment = SYSTEMS[system]
    target = {**environment, "python_version": python, "python_full_version": f"{python}.0"}
    found = []
    for line in map(Requirement, lines):
        if line.marker is None or line.marker.evaluate(target):
            line.marker = None
            found.append(str(line))
    return found


def error_of_pip(requirements: Sequence[str], python: str, system: str) -> str:
    """Return pip's error for a set of requirements; empty if they resolve."""
    tags, _ = SYSTEMS[system]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "install", "--dry-run"),
            *("--ignore-installed", "--target", folder, "--only-binary=:all:", "--implementation", "cp"),
            *("--python-version", python, *platforms, *requirements),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "" if done.returncode == 0 else (errors[0] if errors else done.stderr.strip())


def main() -> int:
    """Print a line for each target; return 1 if the requirements of one do not resolve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", action="append", choices=PYTHONS)
    parser.add_argument("--system", action="append", choices=SYSTEMS)
    args = parser.parse_args()
    failed = 0
    for system in args.system or SYSTEMS:
        for python in args.python or PYTHONS:
            for name, lines in (("plain", plain()), ("slim", slim())):
                error = error_of_pip(wanted(lines, python, system), python, system)
                failed += bool(error)
                print(f"{system:12} {python:5} {name:6} {error or 'ok'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

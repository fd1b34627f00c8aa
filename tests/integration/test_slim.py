"""The slim install: a virtual environment that holds what requirements-slim.txt names, and nothing else."""

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.builders import ROOT, SAMPLES

HEAVY = ("tensorflow", "keras", "mediapipe", "scipy")
SLIM = [Requirement(line) for line in (ROOT / "requirements-slim.txt").read_text().splitlines() if line[:1] not in "#"]


def closure(names: Iterator[str]) -> set[str]:
    """Return distributions with all that they depend on here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """A Python whose packages are links to those of this environment, but only to those that are named."""
    folder = tmp_path_factory.mktemp("slim")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    target = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    for name in closure(requirement.name for requirement in SLIM):
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
            source, link = Path(str(distribution.locate_file(top))), target / top
            if source.exists() and not link.exists():
                link.symlink_to(source, source.is_dir())
    return python


def livemood(python: Path, cwd: Path, *words: object) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command: list[str | Path] = [python, "-m", "livemood", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd, env=env, check=False)


def test_environment_then_holds_nothing_of_what_is_left_out(python) -> None:
    names = f"{HEAVY}"
    code = f"from importlib.util import find_spec; print([name for name in {names} if find_spec(name)])"
    assert subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "words",
    [
        (
            "video",
            SAMPLES / "faces.mp4",
            "--duration",
            "0.3",
            "--records",
            "a.csv",
            "--subtitles",
            "a.srt",
            "--markers",
            "a.edl",
        ),
        ("video", SAMPLES / "faces.mp4", "--duration", "0.3", "--out", "b.mp4", "--detector", "near"),
        ("image", SAMPLES / "faces.png"),
        ("image", SAMPLES / "faces.png", "--detector", "near"),
        ("image", SAMPLES / "faces.png", "--detector", "far"),
        ("image", SAMPLES / "faces.png", "--detector", "fast"),
        ("crop", SAMPLES / "faces.png", "--out", "crops"),
        ("camera", "--source", SAMPLES / "faces.mp4", "--no-window", "--records", "c.jsonl", "--duration", "1"),
        ("models",),
        ("cameras",),
        ("config",),
    ],
)
def test_command_that_needs_none_of_it_then_works(python, tmp_path, words) -> None:
    done = livemood(python, tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("image", SAMPLES / "faces.png", "--engine", "keras"),
            "keras is not installed, and is needed for training and the Keras engine",
        ),
        (("train", "crops", "--out", "m"), "keras is not installed, and is needed for training and the Keras engine"),
        (("export", "default", "--to", "onnx", "--out", "x.onnx"), "keras is not installed"),
        (("evaluate", "default", "crops"), "scipy is not installed, and is needed for training and measuring models"),
    ],
)
def test_command_that_needs_it_then_one_line_says_what_for_and_how_to_get_it(python, tmp_path, words, said) -> None:
    done = livemood(python, tmp_path, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "try: pip install" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_doctor_then_what_is_left_out_is_no_problem(python, tmp_path) -> None:
    report = json.loads(livemood(python, tmp_path, "doctor", "--json").stdout)
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["tensorflow"]["state"] == "note"
    assert checks["tensorflow"]["found"] == "not installed, needed for training and the Keras engine"
    assert checks["tensorflow"]["advice"] == "try: pip install tensorflow"
    assert all(checks[name]["state"] == "note" for name in HEAVY)
    assert checks["self-test"]["state"] == "ok"
    assert report["problems"] == 0


def test_slim_list_then_is_part_of_what_the_plain_install_needs() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = {requirement.name: requirement.specifier for requirement in map(Requirement, project["dependencies"])}
    assert {requirement.name: requirement.specifier for requirement in SLIM} == {
        name: versions for name, versions in known.items() if name not in HEAVY
    }


def test_tensorflow_on_python_3_14_then_the_line_says_why(monkeypatch) -> None:
    from livemood.runtime import optional_deps

    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    line = str(optional_deps.not_installed("tensorflow"))
    assert line.endswith("use Python 3.13 or older, as tensorflow has no release for Python 3.14 yet")

"""The README's commands, typed as written."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import ROOT, SAMPLES, half_sample, write_clip

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = {language: re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) for language in ("sh", "python")}
LINES = [line.split("#")[0].strip() for block in BLOCKS["sh"] for line in block.splitlines()]
# A camera and hours of training have tests of their own; make and pip are what the checks themselves run.
COMMANDS = [line for line in LINES if re.match(r"(\.venv/bin/)?livemood (video|image|models)", line)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", half_sample(15))


@pytest.fixture
def desk(clip, tmp_path) -> Path:
    """A folder with the files that the README's examples name; the videos are short."""
    shutil.copy(SAMPLES / "faces.png", tmp_path / "photo.jpg")
    shutil.copytree(SAMPLES, tmp_path / "samples")
    for name in ("samples/faces.mp4", "clip.mp4"):
        shutil.copy(clip, tmp_path / name)
    (tmp_path / "holiday").mkdir()
    shutil.copy(SAMPLES / "faces.png", tmp_path / "holiday" / "beach.png")
    return tmp_path


def test_readme_then_names_the_two_commands_and_shows_a_picture_that_is_there():
    assert "make demo" in LINES
    assert "make test" in LINES
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).is_file()
    for link in re.findall(r"\]\(((?:docs|models|samples)/[^)#]*)", README):
        assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_readme_then_works_without_a_word_on_stderr(desk, command):
    words = shlex.split(command)
    words[0] = str(Path(sys.executable).with_name("livemood"))
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_python_of_the_readme_then_runs_and_prints_the_moods():
    (code,) = BLOCKS["python"]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("happy ")


def test_python_of_the_readme_then_a_strict_type_checker_finds_no_fault(tmp_path):
    (code,) = BLOCKS["python"]
    (tmp_path / "snippet.py").write_text(code, encoding="utf-8")
    check = [sys.executable, "-m", "mypy", "--strict", tmp_path / "snippet.py"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout

"""The check-up as a person runs it, and what it says where something is missing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from livemood.bundles.manifest import default_bundle
from tests.support.builders import ROOT

_LIVEMOOD = Path(sys.executable).with_name("livemood")


def livemood(*words, **environment):
    env = {**os.environ, "DISPLAY": "", **environment}
    return subprocess.run([_LIVEMOOD, *words], capture_output=True, text=True, timeout=120, env=env)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What is found on a computer without a display, and with another OpenCV."""
    folder = tmp_path_factory.mktemp("installed")
    installed(folder, "opencv-python-headless")
    done = livemood("doctor", "--json", PYTHONPATH=str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def installed(folder, name):
    """Make ``name`` look installed to a Python that has ``folder`` on its path."""
    info = folder / f"{name.replace('-', '_')}-5.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 5.0.0\n")


def found(report, name):
    return [check for check in report["checks"] if check["name"] == name]


def test_doctor_when_all_is_here_then_no_problem_and_every_part_was_looked_at(report):
    assert report["problems"] == 0
    names = {check["name"] for check in report["checks"]}
    assert {"python", "mediapipe", "numpy", "windows", "camera backends", "video codecs", "model", "self-test"} <= names


def test_doctor_then_the_self_test_tells_milliseconds_of_each_stage(report):
    (check,) = found(report, "self-test")
    assert check["state"] == "ok"
    for stage in ("detect", "classify", "draw"):
        assert f"{stage} " in check["found"]
    assert check["found"].count(" ms") == 3


def test_doctor_then_all_model_files_are_checked(report):
    assert len(found(report, "model")) == 8
    assert all("checksum right" in check["found"] for check in found(report, "model"))


def test_doctor_when_there_is_no_display_then_a_note_with_advice(report):
    (check,) = found(report, "windows")
    assert check["state"] == "note"
    assert "--no-window" in check["found"]
    assert check["advice"]


def test_doctor_then_whatever_is_not_ok_comes_with_advice(report):
    assert all(check["advice"] for check in report["checks"] if check["state"] == "problem")
    assert all(check["advice"] for check in found(report, "cameras"))


def test_doctor_when_a_model_file_is_damaged_then_exit_code_1_and_what_to_do(tmp_path):
    for folder in ("livemood", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    network = tmp_path / "models/emotion/model.tflite"
    network.write_bytes(network.read_bytes()[:-1] + b"?")
    command = [sys.executable, "-m", "livemood", "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, env={**os.environ})
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    (check,) = (check for check in found(report, "models") if check["state"] == "problem")
    assert str(network) in check["found"]
    assert "reinstall" in check["advice"]
    assert report["problems"] >= 1


def test_doctor_when_another_opencv_lies_in_the_same_folder_then_a_note_says_which_to_remove(report):
    (check,) = found(report, "opencv-python-headless")
    assert check["state"] == "note"
    assert check["advice"].startswith("uninstall opencv-python-headless")


def test_camera_when_a_headless_opencv_took_the_windows_then_one_line_names_it(tmp_path):
    installed(tmp_path, "opencv-contrib-python-headless")
    (tmp_path / "sitecustomize.py").write_text("import cv2\ncv2.currentUIFramework = lambda: ''\n")
    done = livemood("camera", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "uninstall opencv-contrib-python-headless" in line
    assert "--no-window" in line


def test_doctor_as_text_then_one_page_of_plain_lines():
    done = livemood("doctor", COLUMNS="120")
    assert (done.returncode, done.stderr) == (0, "")
    assert "self-test" in done.stdout
    assert done.stdout.rstrip().endswith("Everything that livemood needs is here.")
    assert len(done.stdout.splitlines()) <= 60


def test_doctor_on_a_narrow_terminal_then_paths_are_whole():
    text = livemood("doctor", COLUMNS="60").stdout
    assert "…" not in text
    words = "".join(text.split())
    assert sys.executable in words
    assert f"checksumright({default_bundle()})" in words


def test_cameras_then_the_same_ones_as_json():
    lines = livemood("cameras").stdout.splitlines()
    listed = json.loads(livemood("cameras", "--json").stdout)["cameras"]
    if listed:
        assert [line.split()[0] for line in lines] == [str(camera["index"]) for camera in listed]
    else:
        assert lines == ["No camera was found; livemood doctor says more."]

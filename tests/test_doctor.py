"""The check-up as a person runs it, and what it says where something is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_LIVEMOOD = Path(sys.executable).with_name("livemood")


def livemood(*words, **environment):
    env = {**os.environ, "DISPLAY": "", **environment}
    return subprocess.run([_LIVEMOOD, *words], capture_output=True, text=True, timeout=120, env=env)


@pytest.fixture(scope="module")
def report():
    done = livemood("doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


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


def test_doctor_then_all_four_model_files_are_checked(report):
    assert len(found(report, "model")) == 4
    assert all("checksum right" in check["found"] for check in found(report, "model"))


def test_doctor_when_there_is_no_display_then_a_note_with_advice(report):
    (check,) = found(report, "windows")
    assert check["state"] == "note"
    assert "--no-window" in check["found"]
    assert check["advice"]


def test_doctor_then_whatever_is_not_ok_comes_with_advice(report):
    assert all(check["advice"] for check in report["checks"] if check["state"] == "problem")
    assert all(check["advice"] for check in found(report, "cameras"))


def test_doctor_as_text_then_one_page_of_plain_lines():
    done = livemood("doctor", COLUMNS="120")
    assert (done.returncode, done.stderr) == (0, "")
    assert "self-test" in done.stdout
    assert done.stdout.rstrip().endswith("Everything that livemood needs is here.")
    assert len(done.stdout.splitlines()) <= 60


def test_cameras_then_the_same_ones_as_json():
    lines = livemood("cameras").stdout.splitlines()
    listed = json.loads(livemood("cameras", "--json").stdout)["cameras"]
    if listed:
        assert [line.split()[0] for line in lines] == [str(camera["index"]) for camera in listed]
    else:
        assert lines == ["No camera was found; livemood doctor says more."]

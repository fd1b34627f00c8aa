"""Dependencies have ranges with a tested lower bound, and model files have their recorded checksums."""

import hashlib
import json
import re
import tomllib

import pytest

from livemood.bundles.manifest import default_bundle, models_folder, read_bundle, sha256_of
from livemood.bundles.shipped import face_model
from tests.support.builders import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def requirements(*extras: str) -> dict[str, str]:
    """Return the version part of every direct requirement by name; our own extras are left out."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    parts = (re.fullmatch(r"([\w-]+)(\[[\w,-]+\])?([^;]*)(;.*)?", line) for line in lines)
    return {part[1]: part[3].strip() for part in parts if part and part[1] != "livemood"}


def test_dependencies_of_users_then_each_has_both_ends():
    wanted = requirements(*(set(EXTRAS) - {"dev", "trust"}))
    assert len(wanted) > 12
    assert [name for name, versions in wanted.items() if not re.fullmatch(r">=[\d.]+,<\d+", versions)] == []


def test_lowest_set_then_is_the_lower_end_of_every_range():
    pins = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    lowest = dict(line.split("==") for line in pins if not line.startswith("#"))
    others = {"camera-names", "virtual-camera", "trust"}  # not for Linux, needs a driver, tools
    wanted = requirements(*(set(EXTRAS) - others))
    assert lowest == {name: versions.removeprefix(">=").split(",")[0] for name, versions in wanted.items()}


def test_models_then_every_binary_that_is_shipped_is_in_a_manifest_with_its_sha256():
    digests = set(read_bundle(default_bundle()).sha256.values())
    face = json.loads((models_folder() / "face" / "manifest.json").read_text(encoding="utf-8"))
    doubt = json.loads((models_folder() / "doubt" / "manifest.json").read_text(encoding="utf-8"))
    digests |= {entry["sha256"] for entry in [*face["models"], *doubt["models"]]}
    kinds = (".tflite", ".keras", ".h5", ".onnx", ".pb", ".npz")
    files = [path for path in models_folder().rglob("*") if path.suffix in kinds]
    assert len(files) == 8
    assert {sha256_of(path) for path in files} == digests


@pytest.mark.parametrize("which", ["near", "far", "yunet", "yunet-onnx"])
def test_face_networks_when_handed_out_then_they_are_the_bytes_of_the_manifest(which):
    face = json.loads((models_folder() / "face" / "manifest.json").read_text(encoding="utf-8"))
    wanted = {entry["name"]: entry["sha256"] for entry in face["models"]}
    assert hashlib.sha256(face_model(which).read_bytes()).hexdigest() == wanted[which]


def test_security_policy_then_it_has_supported_versions_reporting_and_guarantees():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert {"## Supported versions", "## Reporting", "## What is guaranteed"} <= set(text.splitlines())

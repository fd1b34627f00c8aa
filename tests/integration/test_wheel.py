"""The built wheel, away from the repository and with the network off, and the source archive."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.builders import ROOT, SAMPLES

PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("livemood-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory) -> Path:
    """A folder that holds only livemood; its dependencies come from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    install = [*PIP, "install", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return folder


def test_wheel_then_models_licences_and_the_type_marker_travel_inside(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "livemood/py.typed",
        "livemood/models/emotion/manifest.json",
        "livemood/models/emotion/model.tflite",
        "livemood/models/emotion/model.keras",
        "livemood/models/face/manifest.json",
        "livemood/models/face/face_detection_short_range.tflite",
        "livemood/models/face/face_detection_full_range_sparse.tflite",
        "livemood/web/static/index.html",
        "livemood/web/static/worker.js",
        "livemood/web/static/litert/litert_wasm_internal.wasm",
        "livemood/models/face/face_detection_yunet_2023mar.tflite",
        "livemood/models/face/face_detection_yunet_2023mar.onnx",
    ):
        assert name in names
    assert sum(name.endswith("licenses/NOTICE") for name in names) == 1
    assert any(name.endswith("licenses/models/face/LICENSE") for name in names)
    assert any(name.endswith("licenses/models/face/LICENSE-yunet") for name in names)
    assert any(name.endswith("licenses/livemood/web/static/litert/LICENSE") for name in names)
    assert not any(name.startswith(("tests/", "samples/", "livemood/web/src/")) for name in names)
    assert not any("node_modules" in name for name in names)


def test_wheel_when_installed_elsewhere_and_the_network_is_off_then_reads_a_photo(installed, tmp_path):
    code = "import livemood, sys; print(livemood.__file__, file=sys.stderr); from livemood.__main__ import main; main()"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", sys.executable, "-c", code, "image", SAMPLES / "faces.png", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr == f"{installed / 'livemood' / '__init__.py'}\n"
    faces = json.loads(done.stdout)["images"][0]["faces"]
    assert [face["label"] for face in faces] == ["happy", "surprise"]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a repository knows its files")
def test_source_archive_then_has_all_files_of_the_repository_and_none_that_git_ignores(tmp_path):
    code = f"import hatchling.build; hatchling.build.build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("livemood-*.tar.gz"))) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}

    def listed(*words: str) -> set[str]:
        command = ["git", "ls-files", *words]
        return set(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines())

    kept = listed()
    assert kept - found == set()
    assert found - kept - listed("--others", "--exclude-standard") == {"PKG-INFO"}

"""The pages of docs/ build without a dead link; every command and example in them runs, and so does the notebook."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import livemood
from livemood.bundles.manifest import default_bundle
from tests.support.builders import ROOT, SAMPLES, half_sample, write_clip
from tests.support.commands import livemood as here

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
BIN = Path(sys.executable).parent

# What a page shows and this test does not type, and where it is tested instead.
ELSEWHERE = {
    r"/shared/|s3://|^ray |--address": "a cluster and a store of objects: tests/integration/apps/test_batch.py",
    r"python3 -m venv|^source |pip install": "tests/integration/test_slim.py, test_house.py and every CI run install",
    r"livemood web(?! --out)": "a server that runs until it is stopped: tests/integration/web",
    r"^ffmpeg ": "needs ffmpeg; raw pictures on stdin: tests/integration/apps/test_camera_command.py",
    r"--source 1 ": "a second camera",
    r"merge-people": "needs people who come and go: tests/integration/records/test_merge.py",
    r"ferplus\.zip|smiles\.zip": "data that is not in the repository: make eval",
}
# Two pages train this model; it is trained in the tutorial, and the shipped one stands in for it on the other page.
TRAINED = "livemood train faces --out mine --from default"


def commands(page: str) -> list[str]:
    """Return the command lines of a page, in order, without what is said beside them."""
    text = (DOCS / page).read_text(encoding="utf-8")
    fenced = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    indented = re.findall(r"^ {4}((?:livemood|ffmpeg|python|pip) .*)$", text, re.MULTILINE)
    lines = (re.split(r" {2,}| #", line.strip())[0].strip() for line in fenced + indented)
    return [line for line in lines if line and not line.startswith("#")]


def typed(line: str) -> str:
    """Return a command as it is typed here: a clip stands in for a camera, no window is opened, and it ends soon."""
    if "livemood camera" in line:
        words = "" if "--source" in line else " --source samples/faces.mp4"
        words += "" if "--no-window" in line else " --no-window"
        words += "" if "--duration" in line else " --duration 2"
        words += "" if re.search(r"--(records|out|osc|lsl) ", line) else " --records seen.jsonl --force"
        line = line.replace("livemood camera", f"livemood camera{words}", 1)
    return line.replace("draw_people.py", "draw_people.py --people 4")


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line; here if it is one of livemood that loads no TensorFlow, else in a shell."""
    if re.match(r"livemood (?!train|evaluate)[^|<>$&;*]*$", line):
        return here(*shlex.split(line)[1:], folder=folder)
    words = ["bash", "-c", f"set -o pipefail; {line}"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def broker() -> Iterator[None]:
    """An MQTT broker on loopback, as the example with mosquitto_pub expects one."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "install mosquitto, mosquitto-clients and jq (Debian)"
    with subprocess.Popen([program, "-p", "1883"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", 1883), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield
        process.terminate()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the sample, at half its size."""
    return write_clip(tmp_path_factory.mktemp("clip") / "faces.mp4", half_sample(60))


@pytest.fixture
def desk(tmp_path: Path, clip: Path) -> Path:
    """A folder with the files that the pages name; the videos are short."""
    shutil.copytree(SAMPLES, tmp_path / "samples")
    for name in ("samples/faces.mp4", "clip.mp4"):
        shutil.copy(clip, tmp_path / name)
    (tmp_path / "holiday").mkdir()
    shutil.copy(SAMPLES / "faces.png", tmp_path / "holiday" / "beach.png")
    shutil.copytree(tmp_path / "holiday", tmp_path / "archive")
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_commands_of_a_page_then_all_run_in_their_order(page, desk, broker, monkeypatch) -> None:
    if page == "training.md":
        assert any(line.startswith(TRAINED) for line in commands("tutorial/own-model.md"))
        shutil.copytree(default_bundle(), desk / "mine")
        # One face is too few to measure anything on.
        draw = [BIN / "python", desk / "samples" / "draw_people.py", "--people", "4", "--out", desk / "holiday"]
        subprocess.run(draw, check=True)
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(desk / "nobody"))
    for line in commands(page):
        if any(re.search(pattern, line) for pattern in ELSEWHERE) or (page == "training.md" and line == TRAINED):
            continue
        done = run(typed(line), desk)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def test_records_to_a_broker_then_a_subscriber_gets_the_rows(desk, broker) -> None:
    listen = ["mosquitto_sub", "-t", "moods", "-C", "3", "-W", "60"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as subscriber:
        time.sleep(1)
        line = f"{BIN / 'livemood'} camera --source samples/faces.mp4 --no-window --records - --duration 3"
        subprocess.run(["bash", "-c", f"{line} | mosquitto_pub -l -t moods"], cwd=desk, check=True, timeout=120)
        rows, _ = subscriber.communicate(timeout=60)
    assert len(re.findall(r'^\{"frame": \d+', rows, re.MULTILINE)) == 3


@pytest.mark.parametrize("page", ["tutorial/first-labels.md", "tutorial/first-study.md"])
def test_python_of_a_page_then_runs_and_prints(page, desk) -> None:
    if page.endswith("study.md"):
        words = ("video", "clip.mp4", "--records", "ann.jsonl", "--out", "o.mp4")
        assert here(*words, folder=desk).returncode == 0
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for code in blocks:
        done = subprocess.run([sys.executable, "-c", code], cwd=desk, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_notebook_then_runs_from_top_to_bottom_and_shows_pictures(desk) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(DOCS / "tutorial" / "first-look.ipynb", as_version=4)
    nbformat.validate(notebook)
    kept = [cell.get("outputs") for cell in notebook.cells]
    folder = {"metadata": {"path": str(desk)}}  # with the samples, as there are above docs/
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=folder).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 4
    assert not [output for output in outputs if output.output_type == "error"]
    assert any(kept), "the notebook is kept with its pictures"


def test_site_then_builds_without_a_dead_link_and_loads_nothing_from_elsewhere(tmp_path) -> None:
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(build, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|iframe)[^>]*src=\"?(?:https?:)?//[^>]*>", text), page
        assert not re.findall(r"<link[^>]*rel=\"?(?:stylesheet|preconnect)\"?[^>]*https?://[^>]*>", text), page
    commands_page = (tmp_path / "site" / "reference" / "commands" / "index.html").read_text(encoding="utf-8")
    assert "Usage: livemood video" in commands_page
    python_page = (tmp_path / "site" / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    entries = {anchor.rpartition(".")[2] for anchor in re.findall(r'id="?(livemood[\w.]+)', python_page)}
    assert entries >= {*livemood.__all__, "Pipeline", "Detector", "Classifier", "Source", "Session"}


def test_site_when_a_link_leads_nowhere_then_the_build_ends(tmp_path) -> None:
    (tmp_path / "docs").mkdir()
    shutil.copy(DOCS / "build_reference.py", tmp_path / "docs")
    settings, _, _ = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[nowhere](gone.md)\n", encoding="utf-8")
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(build, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "gone.md" in done.stderr
    assert done.stderr.count("WARNING") == 1

"""Every command with the network cut off: it works, and writes what it was asked for and nothing else anywhere."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.builders import SAMPLES, TINY, write_clip, write_faces

LIVEMOOD = Path(sys.executable).with_name("livemood")
NO_NETWORK = ["unshare", "--map-root-user", "--net"]


@dataclass(frozen=True)
class Place:
    """A home, a folder for scratch files and a working folder that nothing has written to."""

    folder: Path

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def files(self) -> set[str]:
        """Return what lies where a program could leave something."""
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not path.is_dir()}

    def livemood(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run livemood here; see ``run``."""
        return self.run(LIVEMOOD, *words)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a program here, without a network; the environment names no other folder."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        homes = {"HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp"), "DISPLAY": ""}
        return subprocess.run(
            [*NO_NETWORK, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=900,
            cwd=self.work,
            env={**kept, **homes},
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in ("home", "tmp", "work"):
        (tmp_path / name).mkdir()
    shutil.copy(SAMPLES / "faces.png", tmp_path / "work")
    return Place(tmp_path)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """The first half second of the sample."""
    with av.open(str(SAMPLES / "faces.mp4")) as source:
        images = [np.asarray(f.to_ndarray(format="bgr24"), np.uint8) for f in islice(source.decode(video=0), 15)]
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", images)


def test_network_when_cut_off_then_nothing_answers_in_these_tests():
    code = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
    done = subprocess.run([*NO_NETWORK, sys.executable, "-c", code], capture_output=True, text=True)
    assert "Network is unreachable" in done.stderr


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["image", "faces.png"], []),
        (
            ["image", "faces.png", "--out", "copies", "--csv", "t.csv", "--sort-into", "sorted"],
            ["copies/faces.png", "t.csv", "t.csv.json", "sorted/happy/faces.png", "sorted/livemood-sorted.jsonl"],
        ),
        (["video", "clip.mp4"], ["clip-moods.mp4"]),
        (
            ["video", "clip.mp4", "--out", "o.mp4", "--records", "r.csv", "--report", "p.html", "--subtitles", "s.srt"],
            ["o.mp4", "r.csv", "r.csv.json", "p.html", "s.srt"],
        ),
        (["camera", "--no-window", "--source", "clip.mp4", "--records", "r.jsonl"], ["r.jsonl"]),
        (["camera", "--no-window", "--source", "clip.mp4", "--out", "o.mp4"], ["o.mp4"]),
        (["crop", "faces.png", "--out", "f"], ["f/index.csv", "f/faces-00001.png", "f/faces-00002.png"]),
        (["models", "--json"], []),
        (["doctor", "--json"], []),
        (["cameras"], []),
        (["bench", "clip.mp4", "--json"], []),
        (["image", "faces.png", "--engine", "keras"], []),
    ],
    ids=lambda value: " ".join(value[:1] + value[2:3]) if value and isinstance(value[0], str) else "",
)
def test_command_when_run_then_only_what_was_asked_for_is_written(place, clip, words, written):
    shutil.copy(clip, place.work)
    before = place.files()
    done = place.livemood(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert place.files() - before == {f"work/{name}" for name in written}


def test_report_when_made_from_a_recording_then_only_the_page_and_the_plot_are_written(place, clip):
    shutil.copy(clip, place.work)
    assert place.livemood("video", "clip.mp4", "--out", "o.mp4", "--records", "r.jsonl").returncode == 0
    before = place.files()
    done = place.livemood("report", "r.jsonl", "--out", "p.html", "--plot", "p.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert place.files() - before == {"work/p.html", "work/p.png"}


def test_training_and_measuring_when_run_then_only_the_bundle_and_its_work_folder_are_written(place):
    write_faces(place.work / "faces", 8, ("grin", "grump"))
    before = place.files()
    done = place.run(sys.executable, "-c", TINY, "train", "faces", "--out", "mine", "--preset", "small", "--epochs", 1)
    assert done.returncode == 0, done.stderr
    made = place.files() - before
    assert {name.split("/")[1] for name in made if name.startswith("work/")} == {"mine", "mine.work"}
    assert [name for name in made if not name.startswith("work/")] == []
    measured = place.livemood("evaluate", "mine", "faces", "--split", "all", "--json")
    assert measured.returncode == 0, measured.stderr
    assert json.loads(measured.stdout)["pictures"] == 16
    exported = place.livemood("export", "mine", "--to", "tflite", "--out", "mine.tflite")
    assert exported.returncode == 0, exported.stderr
    assert place.files() - before - made == {"work/mine.tflite"}


def test_faces_when_nobody_asked_for_them_then_none_is_stored(place, clip):
    """Records hold numbers and words; a page holds pictures only when thumbnails were asked for."""
    shutil.copy(clip, place.work)
    assert (
        place.livemood("video", "clip.mp4", "--out", "o.mp4", "--records", "r.jsonl", "--report", "p.html").returncode
        == 0
    )
    assert "data:image/jpeg" not in (place.work / "p.html").read_text(encoding="utf-8")
    said, *lines = (place.work / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(said)["livemood"]["source"] == "clip.mp4"
    assert str(place.work) not in said
    for line in lines:
        assert len(line) < 1500
        assert set(json.loads(line)) <= {
            *("frame", "time_s", "track", "box", "label", "confidence", "scores", "raw_scores", "keypoints"),
            *("event", "event_name", "reason", "smile", "v"),
        }

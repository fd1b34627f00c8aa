"""The commands around models, as a person runs them."""

import csv
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from livemood.bundle import default_bundle, read_bundle
from tests.builders import SAMPLES, write_faces

LIVEMOOD = Path(sys.executable).with_name("livemood")


def livemood(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in arguments]
    return subprocess.run([LIVEMOOD, *words], capture_output=True, text=True, timeout=180, env=os.environ, cwd=folder)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed command says."""
    assert done.returncode == 1
    assert done.stderr.startswith("livemood: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


class TestTrain:
    def test_train_when_few_pictures_and_from_default_then_a_bundle_that_other_commands_take(self, tmp_path):
        write_faces(tmp_path / "faces", 8, ("grin", "grump"))
        done = livemood(
            "train", "faces", "--out", "mine", "--from", "default", "--epochs", 1, "--no-class-balance", folder=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert "grin, grump: " in done.stderr
        assert "bundle: mine, of epoch 1" in done.stdout
        assert (tmp_path / "mine.work" / "learning.png").read_bytes().startswith(b"\x89PNG")
        assert read_bundle(tmp_path / "mine").labels == ("grin", "grump")
        shown = livemood("image", SAMPLES / "faces.png", "--model", tmp_path / "mine", "--json")
        assert set(json.loads(shown.stdout)["images"][0]["faces"][0]["scores"]) == {"grin", "grump"}

    @pytest.mark.parametrize(
        ("extra", "says"),
        [
            (["nothing"], "nothing is not there; give a FER+ folder"),
            (["faces", "--from", "nowhere"], "no model bundle at nowhere"),
            (["faces", "--votes", "v.csv"], "belongs to a fer2013.csv"),
            (["faces", "--resume"], "holds no run to resume"),
        ],
    )
    def test_train_when_asked_for_what_cannot_be_then_one_line(self, tmp_path, extra, says):
        write_faces(tmp_path / "faces", 4)
        assert says in complaint(livemood("train", *extra, "--out", "mine", folder=tmp_path))
        assert not (tmp_path / "mine").exists()


class TestEvaluate:
    def test_evaluate_when_data_has_two_classes_then_chooses_between_those_and_writes_all(self, tmp_path):
        write_faces(tmp_path / "faces", 6)
        bundle = shutil.copytree(default_bundle(), tmp_path / "bundle")
        (tmp_path / "groups.csv").write_text("file,age\n" + "".join(f"happy{n}.png,old\n" for n in range(6)))
        done = livemood(
            *("evaluate", bundle, "faces", "--split", "all", "--groups", "groups.csv", "--against", default_bundle()),
            *("--html", "report.html", "--card", "--json"),
            folder=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["labels"] == ["happy", "sad"]
        assert report["pictures"] == sum(map(sum, report["confusion"])) == 12
        assert report["against"]["p_value"] == 1.0
        assert report["groups"]["age"]["values"]["old"]["pictures"] == 6
        assert (tmp_path / "report.html").is_file()
        assert (bundle / "MODEL_CARD.md").is_file()

    def test_evaluate_when_data_has_a_class_unknown_to_the_model_then_says_which(self, tmp_path):
        write_faces(tmp_path / "faces", 4, ("happy", "wink"))
        assert "does not know wink" in complaint(livemood("evaluate", "default", "faces", folder=tmp_path))


class TestCrop:
    def test_crop_when_a_photo_then_each_face_sorted_and_listed(self, tmp_path):
        done = livemood("crop", SAMPLES / "faces.png", "--out", tmp_path / "faces", "--sort", "--size", 96)
        assert (done.returncode, done.stderr) == (0, "")
        with (tmp_path / "faces" / "index.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == 2
        for row in rows:
            assert (tmp_path / "faces" / row["file"]).is_file()
            assert row["file"].startswith(f"{row['label']}/")
            assert row["source"].endswith("faces.png")

    def test_crop_when_a_clip_then_a_frame_every_so_often(self, tmp_path):
        done = livemood("crop", SAMPLES / "faces.mp4", "--out", tmp_path / "faces", "--every", 2)
        assert done.returncode == 0
        with (tmp_path / "faces" / "index.csv").open() as stream:
            times = sorted({float(row["time_s"]) for row in csv.DictReader(stream)})
        assert len(times) >= 2
        assert all(later - earlier >= 2 for earlier, later in pairwise(times))

    def test_crop_when_folder_was_used_before_then_nothing_is_overwritten(self, tmp_path):
        (tmp_path / "index.csv").write_text("mine")
        assert "is there already; use --force" in complaint(livemood("crop", SAMPLES, "--out", tmp_path))
        assert (tmp_path / "index.csv").read_text() == "mine"


def test_export_when_the_library_for_onnx_is_missing_or_target_is_there_then_one_line(tmp_path):
    (tmp_path / "m.onnx").write_text("mine")
    done = livemood("export", "default", "--to", "onnx", "--out", tmp_path / "m.onnx")
    assert "is there already; use --force" in complaint(done)

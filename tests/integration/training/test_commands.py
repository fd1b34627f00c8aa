"""The commands around models, as a person runs them."""

import csv
import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.bundles.verify.tflite_file import check_tflite
from livemood.core.errors import DatasetError, SinkError
from livemood.core.labels import EMOTIONS
from livemood.core.probabilities import with_temperature
from livemood.datasets.crop_index import read_index
from livemood.datasets.dataset import Dataset
from livemood.datasets.files import Files
from livemood.datasets.open import DataSource
from livemood.emotion.classifier import EmotionClassifier
from livemood.evaluation.run import EvaluationJob, Watcher, evaluate
from livemood.sinks.image import write_image
from tests.support.builders import QUICK_XLA, SAMPLES, TINY, make_face_crop, read_still, write_faces
from tests.support.commands import livemood


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed command says."""
    assert done.returncode == 1
    assert done.stderr.startswith("livemood: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


class TestTrain:
    def test_train_when_few_odd_pictures_and_from_default_then_told_and_a_bundle_that_other_commands_take(
        self, tmp_path
    ):
        write_faces(tmp_path / "faces" / "train", 12, ("happiness", "wink"))
        write_faces(tmp_path / "faces" / "valid", 4, ("happiness", "frown"), first=50)
        write_image(tmp_path / "faces/train/wink/dot.png", np.zeros((2, 2, 3), np.uint8))
        done = livemood(
            *("train", "faces", "--out", "mine", "--from", "default", "--epochs", 1, "--time-budget", "20m"),
            *("--class", "frown=wink", "--no-class-balance"),
            folder=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        told = [" ".join(line.split()) for line in done.stderr.splitlines()]
        assert "class train valid test" in told
        assert "happy 12 4 0" in told
        assert "wink 12 4 0" in told
        assert "taken: frown as wink, happiness as happy" in told
        assert any(line.startswith("new classes beside neutral, happy, ") and line.endswith(": wink") for line in told)
        lost = "neutral, surprise, sad, angry, disgust, fear, contempt, head smile"
        assert f"the new model will not have {lost}: the data has no such labels" in told
        assert "training ends after 20:00; measuring and converting the model come after" in told
        assert any("dot.png: 2x2 px, too small" in line for line in told)
        assert any(line.startswith("no picture in test: the figures will be those of valid") for line in told)
        command = json.loads((tmp_path / "mine/manifest.json").read_text())["training"]["command"]
        assert "--class frown=wink --from default" in command
        assert "bundle: mine, of epoch 1" in done.stdout
        assert (tmp_path / "mine.work" / "learning.png").read_bytes().startswith(b"\x89PNG")
        assert read_bundle(tmp_path / "mine").labels == ("happy", "wink")
        shown = livemood("image", SAMPLES / "faces.png", "--model", tmp_path / "mine", "--json")
        assert set(json.loads(shown.stdout)["images"][0]["faces"][0]["scores"]) == {"happy", "wink"}

    def test_train_when_keras_runs_on_jax_then_it_learns_all_the_same_and_logs_it(self, tmp_path):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util import tensor_util

        write_faces(tmp_path / "faces", 24)
        words = ["train", "faces", "--out", "mine", "--preset", "small", "--tensorboard", "logs"]
        words += ["--epochs", "8", "--batch", "8", "--learning-rate", "0.05"]
        environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": QUICK_XLA}
        run = [sys.executable, "-c", TINY, *words]
        done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / "mine/manifest.json").read_text())["training"]["environment"]["backend"] == "jax"
        with (tmp_path / "mine.work/history.csv").open() as stream:
            losses = [float(epoch["loss"]) for epoch in csv.DictReader(stream)]
        assert losses[-1] < 0.8 * losses[0]
        log = EventAccumulator(str(tmp_path / "logs"), {"tensors": 0}).Reload()
        logged = [float(tensor_util.make_ndarray(event.tensor_proto)) for event in log.Tensors("loss")]
        assert logged == pytest.approx(losses)

    def test_train_when_tensorboard_is_missing_then_the_extra_is_named(self, tmp_path, monkeypatch):
        write_faces(tmp_path / "faces", 4)
        monkeypatch.setitem(sys.modules, "tensorboard", None)
        done = livemood("train", "faces", "--out", "mine", "--tensorboard", "l", folder=tmp_path)
        assert "tensorboard is not installed; try: pip install 'livemood[tensorboard]'" in complaint(done)

    def test_train_when_precision_is_asked_with_a_bundle_to_begin_with_then_a_usage_error(self, tmp_path):
        done = livemood("train", ".", "--out", "m", "--from", "default", "--precision", "bfloat16", folder=tmp_path)
        assert done.returncode == 2
        assert "--precision" in done.stderr
        (tmp_path / "livemood.toml").write_text('[train]\nprecision = "bfloat16"\n')  # without effect there
        assert "m is inside the data" in complaint(
            livemood("train", ".", "--out", "m", "--from", "default", folder=tmp_path)
        )

    @pytest.mark.parametrize(
        ("out", "said"),
        [
            ("faces", "is inside the data, so its pictures would count as data; choose another --out"),
            ("faces/models/mine", "is inside the data"),
            ("notes", "is not empty and contains no bundle; choose another --out"),
        ],
    )
    def test_train_when_the_bundle_would_lie_among_other_things_then_refused_at_once(self, tmp_path, out, said):
        write_faces(tmp_path / "faces", 4)
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "mine.txt").touch()
        before = sorted(tmp_path.rglob("*"))
        assert said in complaint(livemood("train", "faces", "--out", out, folder=tmp_path))
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize("time", ["0", "0m", "1h30", "soon"])
    def test_train_when_the_time_is_none_or_has_two_meanings_then_a_usage_error(self, tmp_path, time):
        done = livemood("train", ".", "--out", "m", "--time-budget", time, folder=tmp_path)
        assert done.returncode == 2
        assert f"{time!r} is not a time to train for; write 45m, 2h or 1h30m" in done.stderr

    @pytest.mark.parametrize(
        ("extra", "says"),
        [
            (["nothing"], "nothing is not there; give a FER+ folder"),
            (["faces", "--from", "nowhere"], "no model bundle at nowhere"),
            (["faces", "--votes", "v.csv"], "belongs to a fer2013.csv"),
            (["faces", "--resume"], "contains no run to resume"),
        ],
    )
    def test_train_when_asked_for_what_cannot_be_then_one_line(self, tmp_path, extra, says):
        write_faces(tmp_path / "faces", 4)
        assert says in complaint(livemood("train", *extra, "--out", "mine", folder=tmp_path))
        assert not (tmp_path / "mine").exists()

    @pytest.mark.parametrize("pair", ["wink", "=wink", "wink="])
    def test_train_when_a_class_is_renamed_to_nothing_then_a_usage_error(self, tmp_path, pair):
        done = livemood("train", ".", "--out", "m", "--class", pair, folder=tmp_path)
        assert done.returncode == 2
        assert "is not NAME=LABEL" in done.stderr

    def test_train_when_a_class_looks_like_a_slip_then_asked_with_the_option_to_answer_by(self, tmp_path):
        write_faces(tmp_path / "faces", 4, ("suprise", "sad"))
        said = complaint(livemood("train", "faces", "--out", "mine", folder=tmp_path))
        assert "class suprise looks like surprise; rename it, or say what it is with --class: suprise=surprise" in said


class TestEvaluate:
    def test_evaluate_when_data_has_two_classes_then_chooses_between_those_and_writes_all(self, tmp_path):
        write_faces(tmp_path / "faces", 6)
        bundle = shutil.copytree(default_bundle(), tmp_path / "bundle")
        (tmp_path / "groups.csv").write_text("file,age,skin\n" + "".join(f"happy{n}.png,old,\n" for n in range(9)))
        done = livemood(
            *("evaluate", bundle, "faces", "--split", "all", "--groups", "groups.csv", "--against", "default"),
            *("--html", "report.html", "--card", "--force", "--json"),
            folder=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        assert "livemood: note: skin in groups.csv is empty for all labelled pictures: left out\n" in done.stderr
        assert "livemood: note: 3 rows of groups.csv without a labelled picture, such as happy6.png\n" in done.stderr
        report = json.loads(done.stdout)
        asked = {name: report[name] for name in ("data", "votes", "find_faces", "split")}
        assert asked == {"data": "faces", "votes": None, "find_faces": False, "split": "all"}
        assert report["labels"] == ["happy", "sad"]
        assert (report["votes"], report["find_faces"]) == (None, False)
        assert report["pictures"] == sum(map(sum, report["confusion"])) == 12
        assert report["against"]["p_value"] == 1.0
        assert report["groups"]["age"]["values"]["old"]["pictures"] == 6
        assert (tmp_path / "report.html").is_file()
        assert "evaluate BUNDLE faces --split all" in (bundle / "MODEL_CARD.md").read_text()

    def test_evaluate_when_the_bundle_has_a_card_then_it_stays_unless_forced(self, tmp_path):
        bundle = shutil.copytree(default_bundle(), tmp_path / "bundle")
        (bundle / "MODEL_CARD.md").write_text("mine")
        said = complaint(livemood("evaluate", bundle, write_faces(tmp_path / "faces", 4), "--card"))
        assert "MODEL_CARD.md is there already; use --force" in said
        assert (bundle / "MODEL_CARD.md").read_text() == "mine"

    def test_evaluate_when_the_page_is_there_then_it_stays_unless_forced(self, tmp_path):
        (tmp_path / "page.html").write_text("mine")
        done = livemood("evaluate", "default", write_faces(tmp_path / "faces", 4), "--html", tmp_path / "page.html")
        assert "page.html is there already; use --force or another --html" in complaint(done)
        assert (tmp_path / "page.html").read_text() == "mine"

    def test_evaluate_when_votes_are_another_file_then_the_report_names_it(self, tmp_path):
        pixels = " ".join(map(str, make_face_crop("sad", 1)[..., 0].ravel()))
        (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n4,{pixels},PrivateTest\n")
        votes = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
        (tmp_path / "new.csv").write_text(f"Usage,Image name,{votes}\nPrivateTest,a.png,1,0,0,9,0,0,0,0,0,0\n")
        done = livemood("evaluate", "default", "fer2013.csv", "--votes", "new.csv", "--json", folder=tmp_path)
        assert json.loads(done.stdout)["votes"] == "new.csv"

    def test_evaluate_when_groups_look_like_markup_then_printed_as_they_are(self, tmp_path):
        write_faces(tmp_path / "faces", 4)
        rows = [f"happy{n}.png,[/old]\nsad{n}.png,:smile: [bright]\n" for n in range(4)]
        (tmp_path / "groups.csv").write_text("file,[red]age\n" + "".join(rows))
        done = livemood(*("evaluate", "default", "faces", "--split", "all", "--groups", "groups.csv"), folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "By [red]age" in done.stdout
        assert "\n [red]age " in done.stdout
        assert "\n [/old] " in done.stdout
        assert "\n :smile: [bright] " in done.stdout

    def test_evaluate_when_the_data_has_one_class_and_a_head_of_its_own_then_told_and_all_classes_are_the_choice(
        self, tmp_path
    ):
        shutil.rmtree(write_faces(tmp_path / "faces", 2) / "sad")
        (tmp_path / "faces" / "heads.csv").write_text("file,head,label\nhappy0.png,mouth,up\nhappy1.png,mouth,down\n")
        datasets: list[Dataset] = []
        notes: list[str] = []
        job = EvaluationJob(default_bundle(), DataSource(tmp_path / "faces"), "all")
        report = evaluate(job, Watcher(on_data=datasets.append, on_note=notes.append))
        assert (report["pictures"], report["labels"]) == (2, list(EMOTIONS))
        assert sum(map(sum, report["confusion"])) == 2
        assert datasets[0].notes == ("all pictures are of class happy: the model chooses among 8 classes",)
        assert notes == ["emotion has no head mouth: its labels are left out"]

    @pytest.mark.parametrize("shown", [[], ["--json"]])
    def test_evaluate_when_pictures_are_also_in_train_then_said_unless_there_are_no_splits(self, tmp_path, shown):
        for split, first in (("train", 0), ("valid", 50), ("test", 0)):
            write_faces(tmp_path / "faces" / split, 6, first=first)
        (tmp_path / "faces/test/sad/broken.png").write_text("no picture")
        done = livemood("evaluate", "default", "faces", *shown, folder=tmp_path)
        assert "livemood: 12 of 12 pictures are also in train; their accuracy is too high" in done.stderr
        assert "livemood: left out 1 file\n" in done.stderr
        done = livemood("evaluate", "default", "faces", "--split", "all", *shown, folder=tmp_path)
        assert "in train" not in done.stdout + done.stderr
        assert "livemood: left out 1 file\n" in done.stderr

    @pytest.mark.parametrize("folder", ["faces", "faces/train"])
    def test_evaluate_when_the_split_is_empty_then_said_with_the_number_of_pictures(self, tmp_path, folder):
        write_faces(tmp_path / folder, 2)
        job = EvaluationJob(default_bundle(), DataSource(tmp_path / "faces"))
        with pytest.raises(DatasetError, match="test has none of the 4 pictures; choose another split, such as all"):
            evaluate(job, Watcher())

    @pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="space cannot be asked for in advance")
    def test_evaluate_when_there_is_no_room_for_crops_then_no_option_is_advised_that_it_lacks(
        self, tmp_path, monkeypatch
    ):
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "posix_fallocate", full)
        job = EvaluationJob(default_bundle(), DataSource(write_faces(tmp_path / "faces", 2)), "all")
        with pytest.raises(SinkError, match=r"\(No space left on device\); free some space, or name another folder in"):
            evaluate(job, Watcher())

    def test_evaluate_when_smiles_cannot_be_read_then_said_before_anything_is_measured(self, tmp_path):
        done = livemood("evaluate", "default", "no-faces", "--smiles", "nowhere.zip", folder=tmp_path)
        assert "nowhere.zip is not a zip with photos and a labels.csv" in complaint(done)

    def test_evaluate_when_people_cannot_be_read_then_said_before_anything_is_measured(self, tmp_path):
        done = livemood("evaluate", "default", "no-faces", "--people", "nowhere.zip", folder=tmp_path)
        assert "nowhere.zip is not a zip; give a zip of photos with a table of file, person, kind" in complaint(done)

    def test_evaluate_when_data_has_a_class_unknown_to_the_model_then_says_which(self, tmp_path):
        write_faces(tmp_path / "faces", 4, ("happy", "wink"))
        said = complaint(livemood("evaluate", "default", "faces", folder=tmp_path))
        assert "does not know wink, a class of faces, only neutral, " in said
        assert "say what it is with --class, such as wink=neutral" in said
        assert "/" not in said

    def test_evaluate_when_pictures_are_whole_photos_and_a_class_has_none_then_told(self, tmp_path):
        photo = read_still(SAMPLES / "faces.png")
        middle = photo.shape[1] // 2 + 60
        for number in range(4):
            for label, image in (("happiness", photo[:, :middle]), ("surprised", photo[:, middle:])):
                wide = np.pad(image[:, number * 8 :], ((150, 150), (150, 150), (0, 0)), "edge")
                write_image(tmp_path / "photos" / label / f"{number}.png", wide)
        done = livemood("evaluate", "default", "photos", "--split", "all", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "they look like whole photos; use --find-faces" in done.stderr
        assert "livemood: note: taken: happiness as happy, surprised as surprise" in done.stderr
        done = livemood("evaluate", "default", "photos", "--split", "all", "--find-faces", folder=tmp_path)
        assert "whole photos" not in done.stderr


def listed(folder: Path) -> list[dict[str, str]]:
    """Return the rows of the index of a folder of crops."""
    with (folder / "index.csv").open() as stream:
        return list(csv.DictReader(stream))


class TestCrop:
    @pytest.mark.parametrize("name", ["faces.png", "faces", "faces.tmp"])
    def test_crop_when_a_photo_then_each_face_sorted_and_listed(self, tmp_path, name):
        shutil.copy(SAMPLES / "faces.png", tmp_path / name)
        done = livemood("crop", tmp_path / name, "--out", tmp_path / "cut", "--sort", "--size", 96)
        assert (done.returncode, done.stderr) == (0, "")
        rows = listed(tmp_path / "cut")
        assert len(rows) == 2
        for row in rows:
            assert (tmp_path / "cut" / row["file"]).is_file()
            assert row["file"].startswith(f"{row['label']}/")
            assert row["source"].endswith(name)

    def test_crop_when_a_clip_then_a_frame_every_so_often(self, tmp_path):
        done = livemood("crop", SAMPLES / "faces.mp4", "--out", tmp_path / "faces", "--every", 2)
        assert done.returncode == 0
        times = sorted({float(row["time_s"]) for row in listed(tmp_path / "faces")})
        assert len(times) >= 2
        assert all(later - earlier >= 2 for earlier, later in pairwise(times))

    @pytest.mark.parametrize("name", ["a.gif", "a.png"])
    def test_crop_when_a_picture_of_a_folder_is_broken_then_it_is_skipped_and_said(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"GIF89a and no more")
        shutil.copy(SAMPLES / "faces.png", tmp_path)
        done = livemood("crop", tmp_path, "--out", tmp_path / "faces")
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert name in done.stderr
        assert done.stderr.endswith("; skipped\n")
        assert len(listed(tmp_path / "faces")) == 2

    @pytest.mark.parametrize("out", ["album", "album/crops"])
    def test_crop_when_crops_lie_among_the_photos_then_they_are_not_cropped_again(self, tmp_path, out):
        (tmp_path / "album").mkdir()
        shutil.copy(SAMPLES / "faces.png", tmp_path / "album")
        assert livemood("crop", "album", "--out", out, folder=tmp_path).returncode == 0
        first = listed(tmp_path / out)
        assert livemood("crop", "album", "--out", out, "--force", folder=tmp_path).returncode == 0
        assert listed(tmp_path / out) == first
        assert len(first) == 2

    def test_crop_when_folder_was_used_before_then_nothing_is_overwritten(self, tmp_path):
        (tmp_path / "index.csv").write_text("mine")
        assert "is there already; use --force" in complaint(livemood("crop", SAMPLES, "--out", tmp_path))
        assert (tmp_path / "index.csv").read_text() == "mine"

    @pytest.mark.parametrize("sort", [[], ["--sort"]])
    def test_crop_when_a_picture_of_ones_own_has_the_name_then_it_stays_unless_forced(self, tmp_path, sort):
        names = ["faces-00001.png", "happy/faces-00001.png"]
        (tmp_path / "happy").mkdir()
        for name in names:
            (tmp_path / name).write_text("mine")
        done = livemood("crop", SAMPLES / "faces.png", "--out", tmp_path, *sort)
        assert (done.returncode, done.stderr) == (0, "")
        assert [(tmp_path / name).read_text() for name in names] == ["mine", "mine"]
        assert len(listed(tmp_path)) == 2
        (tmp_path / "index.csv").unlink()
        livemood("crop", SAMPLES / "faces.png", "--out", tmp_path, *sort, "--force")
        assert names[len(sort)] in {row["file"] for row in listed(tmp_path)}

    def test_crop_when_a_name_is_no_utf8_then_its_crops_are_listed_and_made_anew(self, tmp_path):
        photo = tmp_path / os.fsdecode(b"caf\xe9.png")
        shutil.copy(SAMPLES / "faces.png", photo)
        for _ in range(2):
            done = livemood("crop", photo, "--out", tmp_path / "faces", "--force")
            assert (done.returncode, done.stderr) == (0, "")
        rows = read_index(Files(tmp_path / "faces"))
        assert [row["file"] for row in rows] == [os.fsdecode(b"caf\xe9-0000%d.png" % n) for n in (1, 2)]
        assert {row["source"] for row in rows} == {str(photo)}

    def test_crop_when_forced_into_a_used_folder_then_earlier_crops_stay_and_stay_listed(self, tmp_path):
        out = tmp_path / "faces"
        (tmp_path / "other").mkdir()
        shutil.copy(SAMPLES / "faces.png", tmp_path / "faces.png")
        shutil.copy(SAMPLES / "faces.png", tmp_path / "other" / "faces.png")
        assert livemood("crop", "faces.png", "--out", out, folder=tmp_path).returncode == 0
        (out / "sad").mkdir()
        (out / "faces-00001.png").rename(out / "sad" / "faces-00001.png")
        (out / "faces-00002.png").unlink()
        done = livemood("crop", "other/faces.png", "--out", out, "--sort", "--size", 48, "--force", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("2 faces in ")
        assert {Path(row["file"]).name: row["source"] for row in listed(out)} == {
            "faces-00001.png": str(tmp_path / "faces.png"),
            "faces-00002.png": str(tmp_path / "other/faces.png"),
            "faces-00003.png": str(tmp_path / "other/faces.png"),
        }
        assert read_still(out / "sad" / "faces-00001.png").shape == (192, 192, 3)


class TestExport:
    def test_export_when_to_litert_then_the_file_carries_its_labels_and_still_runs_as_a_bundle_s(self, tmp_path):
        done = livemood("export", "default", "--to", "tflite", "--out", tmp_path / "model.tflite")
        assert (done.returncode, done.stderr) == (0, "")
        bundle = read_bundle(default_bundle())
        with zipfile.ZipFile(tmp_path / "model.tflite") as archive:
            assert archive.read("labels.txt").decode().split() == list(bundle.labels)
            assert archive.read("smile_labels.txt").decode().split() == ["none", "closed", "open"]
        found = check_tflite(tmp_path / "model.tflite", bundle.crop.shape, {"emotion": 8, "smile": 3})
        network = Interpreter(str(tmp_path / "model.tflite"))
        network.allocate_tensors()
        shapes = [output["shape"].tolist() for output in network.get_output_details()]
        assert dict(zip(found, shapes, strict=True)) == {"emotion": [1, 8], "smile": [1, 3]}

    def test_export_when_run_elsewhere_as_onnx_then_it_says_what_livemood_says(self, tmp_path):
        import onnxruntime

        done = livemood("export", "default", "--to", "onnx", "--out", tmp_path / "model.onnx")
        assert (done.returncode, done.stderr) == (0, "")
        assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
        classifier = EmotionClassifier()
        crops = np.random.default_rng(0).integers(0, 256, (4, *classifier.crop_spec.shape), np.uint8)
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
        assert [output.name for output in session.get_outputs()] == ["emotion", "smile"]
        emotion, smile = session.run(None, {session.get_inputs()[0].name: crops.astype(np.float32)})
        assert session.get_modelmeta().custom_metadata_map["labels.txt"].split() == list(classifier.labels)
        calibrated = with_temperature(emotion, read_bundle(default_bundle()).temperature)
        keras = EmotionClassifier(engine="keras")
        assert np.abs(calibrated - keras.probabilities(crops)).max() < 1e-3
        assert np.abs(smile - keras.probabilities(crops, "smile")).max() < 1e-3
        assert np.abs(calibrated - classifier.probabilities(crops)).max() < 0.03, "weights of the LiteRT file are int8"

    def test_export_when_the_target_is_there_then_one_line_and_it_stays(self, tmp_path):
        (tmp_path / "m.onnx").write_text("mine")
        done = livemood("export", "default", "--to", "onnx", "--out", tmp_path / "m.onnx")
        assert "is there already; use --force" in complaint(done)
        assert (tmp_path / "m.onnx").read_text() == "mine"

    def test_export_when_a_library_is_missing_then_the_extra_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "tf2onnx", None)
        done = livemood("export", "default", "--to", "onnx", "--out", tmp_path / "m.onnx")
        assert "tf2onnx is not installed; try: pip install 'livemood[onnx]'" in complaint(done)
        assert not (tmp_path / "m.onnx").exists()

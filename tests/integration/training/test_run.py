"""Short training runs on drawn faces: the loss falls, the bundle classifies them, runs resume, bad ones end cleanly."""

import csv
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from livemood.bundles.keras_model import load_keras
from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.cli.command_lines import card_command, train_command
from livemood.cli.options import option_name
from livemood.core.crop_spec import CROP, CropSpec
from livemood.core.errors import DatasetError, ModelIncompatible, ModelMissing, SinkError
from livemood.core.labels import EMOTION
from livemood.datasets import dataset
from livemood.datasets.open import DataSource
from livemood.datasets.split import ALIGNED, RAW
from livemood.emotion.classifier import EmotionClassifier
from livemood.emotion.crop import resize_crop
from livemood.evaluation import card
from livemood.evaluation.evaluate import examine
from livemood.training.export import finish as finish_module
from livemood.training.export import formats
from livemood.training.export.formats import write
from livemood.training.export.provenance import provenance
from livemood.training.loop import distil
from livemood.training.loop.batches import Teach
from livemood.training.loop.checkpoint import Epoch, Run, restore_job, save, save_job
from livemood.training.loop.earlier_runs import from_runs, load_run
from livemood.training.loop.fit import fit
from livemood.training.model.network import PRESETS, Architecture, build, predict, sizes
from livemood.training.model.transfer import from_bundle
from livemood.training.run import Job, Watcher, train
from livemood.training.settings import TrainSettings
from tests.support.builders import make_face_crop, write_faces
from tests.unit.evaluation.test_figures import make_report

# Too small for real faces, but it separates the drawings and compiles in a second.
PRESETS["tiny"] = Architecture(16, (24, 40), (1, 1))
PRESETS["wider"] = Architecture(16, (24, 64), (1, 1))
FACES = Path("faces")
ODD_NAME = os.fsdecode(b"caf\xe9.txt")
MOUTH, LIPS = "mouth", {"happy": "up", "sad": "down"}
"""A second head of the drawings."""
ASKED: dict[str, Any] = {"preset": "tiny", "epochs": 8, "batch": 8, "learning_rate": 0.05}


def job_of(data: Path, out: Path, **more: Any) -> Job:
    """Return a job on pictures that are read as they come."""
    return Job(DataSource(data), out, describe=train_command, **more)


class Trained:
    """A finished run, which tests inspect and continue."""

    def __init__(self, folder: Path) -> None:
        self.job = job_of(write_faces(folder / "faces", 80), folder / "mine", overrides=ASKED)
        (self.job.data.path / "happy" / ODD_NAME).write_text("not a picture")
        rows = [f"{kind}{n}.png,{MOUTH},{LIPS[kind]}" for kind in LIPS for n in range(40)]
        (self.job.data.path / "heads.csv").write_text("\n".join(["file,head,label", *rows]))
        self.epochs: list[Epoch] = []
        self.metrics, self.run = train(self.job, False, False, Watcher(on_epoch=self.epochs.append))

    def copy(self, folder: Path) -> Job:
        """Return the same job with a work folder and a bundle of its own."""
        shutil.copytree(self.job.work, folder / "mine.work")
        shutil.copytree(self.job.out, folder / "mine")
        return replace(self.job, out=folder / "mine")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def no_conversion(trained, monkeypatch) -> None:
    """Bundles get the LiteRT file of the finished run: converting another takes longer than an epoch."""
    converted = (trained.job.out / "model.tflite").read_bytes()
    monkeypatch.setattr(finish_module, "to_tflite", lambda model: converted)
    monkeypatch.setattr(finish_module, "parity", lambda *_: 0.0)


def share_right(bundle: Path, labels: tuple[str, str] = ("happy", "sad")) -> float:
    """Return the share of 40 drawings that no run has seen which a bundle reads right: chance is one half."""
    classifier = EmotionClassifier(bundle)
    hits = []
    for label, kind in zip(labels, ("happy", "sad"), strict=True):
        crops = np.stack([resize_crop(make_face_crop(kind, seed), CROP) for seed in range(900, 920)])
        hits.append(classifier.probabilities(crops).argmax(1) == classifier.labels.index(label))
    return float(np.mean(hits))


class TestTrain:
    def test_run_when_done_then_the_loss_fell_and_the_bundle_separates_the_classes(self, trained):
        losses = [epoch.loss for epoch in trained.epochs]
        assert len(losses) == 8
        assert losses[-1] < 0.8 * losses[0]
        assert read_bundle(trained.job.out).labels == ("happy", "sad")
        assert share_right(trained.job.out) > 0.75

    def test_run_when_a_file_is_skipped_then_it_is_listed_under_any_name(self, trained):
        listed = (trained.job.work / "skipped.txt").read_text(encoding="utf-8", errors="surrogateescape")
        assert listed == f"happy/{ODD_NAME}: not a picture\n"

    def test_run_when_done_then_history_and_manifest_say_how(self, trained):
        with (trained.job.work / "history.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert [int(row["epoch"]) for row in rows] == list(range(1, 9))
        assert float(rows[2]["loss"]) == pytest.approx(trained.epochs[2].loss)
        training = json.loads((trained.job.out / "manifest.json").read_text())["training"]
        assert training["command"] == (
            "livemood train faces --out BUNDLE --preset tiny --epochs 8 --batch 8 --learning-rate 0.05"
        )
        assert sum(training["pictures"].values()) == 160
        assert all(training["pictures"].values())
        assert not training["ferplus_votes"]
        assert {"keras", "ai-edge-litert", "opencv-contrib-python"} <= set(training["environment"])

    def test_fit_when_in_bfloat16_and_with_blends_then_it_learns_from_them_and_what_is_shipped_is_float32(
        self, trained, tmp_path
    ):
        data = dataset.restore(trained.job.work)
        settings = TrainSettings(**{**ASKED, "precision": "bfloat16", "blends": 2})
        model, run = fit(data, CROP, settings, tmp_path)
        assert {layer.compute_dtype for layer in model.layers} == {"float32"}
        assert (predict(model, data.splits["test"], RAW).argmax(1) == data.splits["test"].top_vote).mean() > 0.75
        assert run.history[-1].loss > 1.2 * trained.epochs[-1].loss  # nobody can tell half a face for sure

    def test_measure_when_no_picture_is_happy_or_sad_then_no_figure_of_those_two(self, trained):
        network, _ = load_run(trained.job.work, CROP, "float32")
        data = dataset.restore(trained.job.work)
        test = data.splits["test"]
        unknown = replace(test, votes={**test.votes, EMOTION: np.tile([0, 0, 1], (len(test), 1))})
        metrics = finish_module.measure(network, replace(data, splits={**data.splits, "test": unknown}), 1.0)
        assert trained.metrics["happy_versus_sad"] > 0.9
        assert "happy_versus_sad" not in metrics

    def test_run_when_the_data_has_a_second_head_then_it_is_learnt_and_its_accuracy_told(self, trained):
        network, heads = load_run(trained.job.work, CROP, "float32")
        assert heads == {EMOTION: ("happy", "sad"), MOUTH: ("down", "up")}
        assert network.get_layer(MOUTH).get_weights()[1].shape == (2,)
        assert trained.metrics["mouth_accuracy"] > 0.9

    def test_examine_when_pictures_have_labels_of_a_further_head_then_its_figures_in_the_model_s_order(self, trained):
        data = dataset.restore(trained.job.work)
        test = data.splits["test"]
        turned = {**test.votes, MOUTH: test.votes[EMOTION][:, :2]}
        pictures = replace(test, votes=turned, heads={**test.heads, MOUTH: ("up", "down")})
        found = examine(trained.job.out, data, pictures, {})["heads"][MOUTH]
        assert list(found["classes"]) == ["down", "up"]
        assert found["pictures"] == len(test)
        assert found["accuracy"] > 0.9
        with pytest.raises(ModelIncompatible, match="does not know shut, a class of head mouth, only down, up"):
            examine(trained.job.out, data, replace(pictures, heads={**test.heads, MOUTH: ("up", "shut")}), {})

    def test_run_when_bundle_is_there_then_refused_before_any_work(self, trained):
        with pytest.raises(SinkError, match="is there already; use force"):
            train(trained.job, False, False, Watcher())

    @pytest.mark.parametrize("out", [".", "..", "/"])
    def test_run_when_out_has_no_name_then_refused_before_any_work(self, tmp_path, out):
        with pytest.raises(SinkError, match=r"names no folder to write; give out a name, such as .*mine"):
            train(job_of(write_faces(tmp_path / "faces", 4), Path(out)), False, False, Watcher())

    @pytest.mark.parametrize("name", ["m" * 81, "two\nlines"])
    def test_run_when_no_bundle_could_be_called_like_out_then_refused_before_any_work(self, tmp_path, name):
        with pytest.raises(SinkError, match="is not a name for a bundle; give out one line of at most 80 characters"):
            train(job_of(write_faces(tmp_path / "faces", 4), tmp_path / name), False, False, Watcher())
        assert not (tmp_path / f"{name}.work").exists()

    def test_run_when_out_is_a_file_then_refused_before_any_work(self, tmp_path):
        (tmp_path / "mine").write_text("mine")
        with pytest.raises(SinkError, match=r"mine is a file; give out a folder"):
            train(job_of(write_faces(tmp_path / "faces", 4), tmp_path / "mine"), False, False, Watcher())
        assert not (tmp_path / "mine.work").exists()

    @pytest.mark.parametrize("name", ["unsure", "no-face"])
    def test_run_when_a_class_has_a_word_of_livemood_s_own_then_refused_before_any_work(self, tmp_path, name):
        faces = write_faces(tmp_path / "faces", 4, ("happy", name))
        with pytest.raises(DatasetError, match=rf"faces has a class {name}, .*; rename that class, or leave it out"):
            train(job_of(faces, tmp_path / "mine"), False, False, Watcher())
        assert not (tmp_path / "mine.work").exists()

    def test_run_when_work_folder_is_there_then_refused_without_resume(self, trained):
        with pytest.raises(DatasetError, match="contains an earlier run; continue it with resume"):
            train(trained.job, False, True, Watcher())


@pytest.mark.usefixtures("no_conversion")
class TestResume:
    def test_resume_when_more_epochs_and_a_teacher_then_goes_on_counting_and_the_manifest_names_it(
        self, trained, tmp_path
    ):
        job = replace(trained.copy(tmp_path), teachers=(trained.job.out,))
        seen: list[Epoch] = []
        train(replace(job, overrides={"epochs": 9}), True, False, Watcher(on_epoch=seen.append))
        train(replace(job, overrides={}), True, False, Watcher(on_epoch=lambda epoch: pytest.fail("it trained again")))
        assert [epoch.epoch for epoch in seen] == [9]
        training = json.loads((job.out / "manifest.json").read_text())["training"]
        assert "--teacher mine --preset tiny --epochs 9 " in training["command"]
        assert len(training["history"]) == 9

    def test_resume_when_stopped_after_an_epoch_then_learns_what_the_whole_run_did(self, trained, tmp_path):
        def stop(epoch: Epoch) -> None:
            if epoch.epoch == 3:
                raise KeyboardInterrupt

        data, settings = dataset.restore(trained.job.work), TrainSettings(**ASKED)
        assert fit(data, CROP, settings, tmp_path, on_epoch=stop)[1].ended == "interrupted"
        _, run = fit(data, CROP, settings, tmp_path)
        losses = [epoch.loss for epoch in run.history]
        assert losses == pytest.approx([epoch.loss for epoch in trained.epochs], rel=1e-4)

    def test_resume_when_only_the_conversion_failed_then_writes_the_bundle_without_training(
        self, trained, tmp_path, monkeypatch
    ):
        def missing(model: object) -> bytes:
            raise SinkError("LiteRT conversion needs a working tensorflow")

        job = trained.copy(tmp_path)
        shutil.rmtree(job.out)
        again = Watcher(on_epoch=lambda epoch: pytest.fail("it trained again"))
        with (
            monkeypatch.context() as patch,
            pytest.raises(SinkError, match="is kept; write it with resume where tensorflow"),
        ):
            patch.setattr(finish_module, "to_tflite", missing)
            train(job, True, False, again)
        assert not job.out.exists()
        train(job, True, False, again)
        assert read_bundle(job.out).labels == ("happy", "sad")

    @pytest.mark.parametrize("framing", [RAW, ALIGNED])
    def test_finish_when_one_framing_is_hard_to_read_then_the_temperature_allows_for_it(
        self, trained, tmp_path, framing
    ):
        job = trained.copy(tmp_path)
        sure = read_bundle(job.out).temperature
        pixels = np.load(job.work / "crops.npy", mmap_mode="r+")
        pixels[:, framing] = np.random.default_rng(0).permutation(pixels[:, framing])
        pixels.flush()
        train(job, True, False, Watcher(on_epoch=lambda epoch: pytest.fail("it trained again")))
        assert read_bundle(job.out).temperature > 1.2 * sure

    def test_resume_when_a_teacher_cannot_teach_then_the_run_does_without_it(self, trained, tmp_path):
        job = trained.copy(tmp_path)
        with pytest.raises(ModelMissing, match="no model bundle at nowhere"):
            train(replace(job, teachers=(Path("nowhere"),)), True, False, Watcher())
        train(job, True, False, Watcher())

    @pytest.mark.parametrize(
        ("recorded", "change", "line"),
        [
            ({"teachers": ["mine"]}, {}, "with mine; give the same --teacher"),
            ({"from": ["mine"]}, {"base": (default_bundle(),), "overrides": {}}, "with mine, not default; give the"),
            ({}, {"base": (default_bundle(),), "overrides": {}}, "with other settings; leave --from out"),
            ({"class": {"1": "sad"}}, {"data": DataSource(FACES, classes={"2": "sad"})}, "with 1=sad, not 2=sad; give"),
            ({}, {"overrides": {"preset": "large"}}, "with tiny, not large; give the same --preset"),
            ({}, {"overrides": {"seed": 2}}, "with 1, not 2; give the same --seed"),
            ({}, {"data": DataSource(Path("other"))}, "with faces, not other; give the same data"),
            ({}, {"data": DataSource(FACES, find_faces=True)}, "with other settings; leave --find-faces out"),
            ({}, {"data": DataSource(FACES, group_by="person")}, "with other settings; leave --group-by out"),
            ({}, {"data": DataSource(FACES, classes={"a": "b"})}, "with other settings; leave --class out"),
            ({}, {"data": DataSource(FACES, votes=Path("votes.csv"))}, "with other settings; leave --votes out"),
            ({}, {"data": DataSource(FACES, heads=Path("h.csv"))}, "with other settings; leave --heads out"),
        ],
    )
    def test_resume_when_settings_differ_then_names_the_option_and_the_values(
        self, trained, tmp_path, recorded, change, line
    ):
        job = replace(trained.copy(tmp_path), **change)
        save_job(job.work, restore_job(job.work) | recorded)
        with pytest.raises(DatasetError) as caught:
            train(job, True, False, Watcher())
        assert f"was begun {line}" in caught.value.line(option_name)

    def test_resume_when_there_is_nothing_then_says_so(self, trained, tmp_path):
        with pytest.raises(DatasetError, match="contains no run to resume"):
            train(replace(trained.job, out=tmp_path / "none"), True, False, Watcher())

    def test_resume_when_its_record_is_cut_off_then_one_clear_line(self, trained, tmp_path):
        job = trained.copy(tmp_path)
        file = job.work / "job.json"
        for kept in (file.read_text()[:40], "[]", '{"data": "faces"}'):
            file.write_text(kept)
            with pytest.raises(DatasetError, match=r"job\.json is not a record of a run .*; remove .*mine\.work "):
                train(job, True, False, Watcher())

    def test_resume_when_checkpoint_is_cut_off_then_one_clear_line(self, trained, tmp_path):
        job = trained.copy(tmp_path)
        file = job.work / "checkpoint.npz"
        file.write_bytes(file.read_bytes()[:1000])
        with pytest.raises(DatasetError, match="is not a checkpoint of this run"):
            train(job, True, False, Watcher())


class TestEnds:
    def ended(self, trained: Trained, folder: Path, settings: TrainSettings, **watch) -> Run:
        """Go on with a copy of the run's checkpoint, and return how that ended."""
        work = trained.copy(folder).work
        return fit(dataset.restore(work), CROP, settings, work, **watch)[1]

    def test_fit_when_the_loss_is_no_number_then_stops_and_keeps_the_best(self, trained, tmp_path):
        run = self.ended(trained, tmp_path, TrainSettings(**{**ASKED, "epochs": 16, "learning_rate": 1e30}))
        assert run.ended == "loss not a number"
        assert run.best_epoch == trained.run.best_epoch
        assert run.history == trained.run.history

    def test_fit_when_the_loss_never_was_a_number_then_says_what_to_try(self, trained, tmp_path):
        data = dataset.restore(trained.job.work)
        with pytest.raises(DatasetError, match="not a number from the start; try a lower learning_rate"):
            fit(data, CROP, TrainSettings(**{**ASKED, "learning_rate": 1e30}), tmp_path / "new")

    def test_fit_when_interrupted_then_keeps_what_was_learned_before(self, trained, tmp_path):
        def interrupt(step: object) -> None:
            raise KeyboardInterrupt

        run = self.ended(trained, tmp_path, TrainSettings(**{**ASKED, "epochs": 16}), on_step=interrupt)
        assert run.ended == "interrupted"
        assert run.history == trained.run.history

    def test_fit_when_nothing_gets_better_then_early_stop(self, trained, tmp_path):
        still = TrainSettings(**{**ASKED, "epochs": 16, "learning_rate": 1e-12, "early_stop": 1})
        run = self.ended(trained, tmp_path, still)
        assert run.ended == "early stop"
        assert run.epoch < 16


class TestTransfer:
    def test_from_bundle_when_few_pictures_and_own_labels_then_learns_what_scratch_does_not(self, trained, tmp_path):
        faces = write_faces(tmp_path / "faces", 30, ("grin", "grump"), first=300)
        asked = {"epochs": 12, "batch": 8}
        train(job_of(faces, tmp_path / "tuned", base=(trained.job.out,), overrides=asked), False, False, Watcher())
        tuned = read_bundle(tmp_path / "tuned")
        assert tuned.labels == ("grin", "grump")
        assert share_right(tmp_path / "tuned", ("grin", "grump")) > 0.75
        assert json.loads((tuned.folder / "manifest.json").read_text())["training"]["from"] == ["mine"]

    def test_from_bundle_when_a_head_is_known_there_then_begins_with_it_unless_it_stands_on_other_features(
        self, trained
    ):
        mine = read_bundle(trained.job.out)
        kernel = from_bundle(mine, {EMOTION: mine.labels, MOUTH: ("up", "down")}).get_layer(MOUTH).get_weights()[0]
        assert np.array_equal(kernel[:, ::-1], load_keras(mine).get_layer(MOUTH).get_weights()[0])
        shipped = read_bundle(default_bundle())
        anew = from_bundle(shipped, {EMOTION: ("happy", "sad"), "smile": ("none", "closed", "open")})
        features = len(load_keras(shipped).get_layer(EMOTION).get_weights()[0])
        assert [weights.shape for weights in anew.get_layer("smile").get_weights()] == [(features, 3), (3,)]

    @pytest.mark.parametrize(
        ("base", "asked", "said"),
        [
            ("mine", {"epochs": 80, "learning_rate": 0.1}, " --from mine --epochs 80 --learning-rate 0.1"),
            ("mine", {"epochs": 40}, " --from mine"),
            (None, {"preset": "tiny", "precision": "bfloat16"}, " --preset tiny --precision bfloat16"),
            (None, {"blends": 2}, " --blends 2"),
        ],
    )
    def test_provenance_then_the_command_says_what_is_unusual(self, trained, base, asked, said):
        job = replace(trained.job, base=(trained.job.out,) if base else (), overrides=asked)
        assert provenance_of(trained, job)["command"] == f"livemood train faces --out BUNDLE{said}"

    def test_provenance_when_the_batch_shrank_then_the_settings_are_what_was_used_and_the_command_what_was_asked(
        self, trained
    ):
        found = provenance_of(trained, replace(trained.job, overrides={"preset": "tiny", "learning_rate": 0.16}))
        assert found["settings"]["batch"] == 8
        assert found["settings"]["learning_rate"] == pytest.approx(0.01)
        assert found["command"] == "livemood train faces --out BUNDLE --preset tiny --learning-rate 0.16"

    def test_teaching_when_labels_come_in_another_order_then_follows_the_student(self, trained):
        straight, turned = (teaching([trained.job.out], labels)(drawn("happy"))[EMOTION] for labels in ORDERS)
        assert np.allclose(straight, turned[:, ::-1])
        assert (straight[:, 0] > 0.5).mean() >= 0.75

    def test_teaching_when_by_a_bundle_then_says_what_it_says_when_served(self, trained):
        said = teaching([trained.job.out])(drawn("happy"))
        served = EmotionClassifier(trained.job.out, emotions=ORDERS[0]).probabilities(drawn("happy"))
        assert said.keys() == {EMOTION}
        assert np.abs(said[EMOTION] - served).max() < 1e-3

    def test_teaching_when_by_a_run_then_says_what_its_best_weights_say_of_both_heads(self, trained):
        said = teaching([trained.job.work])(drawn("sad"))
        network, _ = load_run(trained.job.work, CROP, "float32")
        own = network.predict_on_batch(drawn("sad"))
        assert said.keys() == {EMOTION, MOUTH}
        assert all(np.allclose(said[head], own[head], atol=1e-6) for head in said)
        assert (said[EMOTION][:, 1] > 0.5).mean() >= 0.75

    def test_teaching_when_by_several_then_says_the_mean_and_the_second_head_of_those_that_have_it(self, trained):
        bundle, run = (teaching([folder])(drawn("happy")) for folder in (trained.job.out, trained.job.work))
        both = teaching([trained.job.out, trained.job.work])(drawn("happy"))
        assert np.abs(bundle[EMOTION] - run[EMOTION]).max() > 1e-3
        assert np.allclose(both[EMOTION], (bundle[EMOTION] + run[EMOTION]) / 2, atol=1e-6)
        assert np.allclose(both[MOUTH], run[MOUTH], atol=1e-6)

    def test_teaching_when_a_teacher_lacks_a_class_or_takes_other_crops_then_refused(self, trained):
        for folder in (trained.job.out, trained.job.work):
            with pytest.raises(ModelIncompatible, match="does not know angry"):
                teaching([folder], ("happy", "angry"))
        with pytest.raises(ModelIncompatible, match="takes 48-px grey crops, the student 64-px grey ones"):
            teaching([trained.job.out], spec=replace(CROP, size_px=64))

    def test_teaching_when_a_run_is_cut_off_then_says_to_take_its_bundle(self, trained, tmp_path):
        work = trained.copy(tmp_path).work
        file = work / "checkpoint.npz"
        file.write_bytes(file.read_bytes()[:1000])
        with pytest.raises(ModelIncompatible, match=r"contains no run of a preset .*; take its bundle instead"):
            teaching([work])

    def test_from_runs_then_begins_with_the_mean_of_their_weights_and_both_heads(self, trained, tmp_path):
        one = load_run(trained.job.work, CROP, "float32")[0].get_weights()
        other, two = trained.copy(tmp_path), [weights + 1 for weights in one]
        save(other.work, trained.run, 1, {"best": two})
        works = trained.job.work, other.work
        mean = from_runs(works, {EMOTION: ORDERS[0], MOUTH: ("down", "up")}, CROP, "float32").get_weights()
        assert all(np.allclose(m, (a + b) / 2, atol=1e-6) for a, b, m in zip(one, two, mean, strict=True))

    @pytest.mark.usefixtures("no_conversion")
    def test_train_when_from_a_run_then_knows_at_once_what_that_knew_and_names_it(self, trained, tmp_path):
        """And can be gone on from in its turn, whatever its preset."""
        overrides = {"epochs": 1, "batch": 8}
        job = job_of(trained.job.data.path, tmp_path / "longer", base=(trained.job.work,), overrides=overrides)
        epochs: list[Epoch] = []
        train(job, False, False, Watcher(on_epoch=epochs.append))
        assert epochs[0].valid_accuracy > 0.9
        training = json.loads((job.out / "manifest.json").read_text())["training"]
        assert training["command"].startswith(
            "livemood train faces --out BUNDLE --from mine.work --preset tiny --epochs 1"
        )
        network, _ = load_run(job.work, CROP, "float32")
        assert (network.predict_on_batch(drawn("happy"))[EMOTION][:, 0] > 0.5).mean() >= 0.75

    def test_train_when_from_runs_of_other_networks_then_refused(self, trained, tmp_path):
        wider = trained.copy(tmp_path)
        record = restore_job(wider.work)
        save_job(wider.work, {**record, "settings": {**record["settings"], "preset": "wider"}})
        network = build(PRESETS["wider"], CROP, sizes(dataset.restore(wider.work).heads))
        save(wider.work, trained.run, 1, {"best": network.get_weights()})
        job = job_of(trained.job.data.path, tmp_path / "mixed", base=(trained.job.work, wider.work))
        with pytest.raises(ModelIncompatible, match=r"contain different networks; give from runs of the same network"):
            train(job, False, False, Watcher())

    @pytest.mark.parametrize("resume", [False, True])
    @pytest.mark.parametrize("kind", ["work", "out"])
    def test_train_when_from_what_has_its_own_network_then_another_preset_is_refused(
        self, trained, tmp_path, kind, resume
    ):
        job = job_of(
            trained.job.data.path, tmp_path / "other", base=(getattr(trained.job, kind),), overrides={"preset": "wider"}
        )
        with pytest.raises(ModelIncompatible, match="and preset wider makes another; leave out from or preset"):
            train(job, resume, False, Watcher())

    def test_train_when_from_a_bundle_and_a_run_then_refused(self, trained, tmp_path):
        job = job_of(trained.job.data.path, tmp_path / "mixed", base=(trained.job.work, trained.job.out))
        with pytest.raises(ModelIncompatible, match=r"mine is a bundle; from takes one bundle, or folders of runs"):
            train(job, False, False, Watcher())

    def test_fit_when_taught_by_one_who_is_always_believed_then_says_what_the_teacher_says(self, trained, tmp_path):
        """All training labels are inverted; only the teacher has the right ones."""
        data = dataset.restore(trained.job.work)
        told = data.splits["train"]
        turned = replace(told, votes={head: votes[:, ::-1] for head, votes in told.votes.items()})
        settings = TrainSettings(**{**ASKED, "epochs": 10, "distil_weight": 1.0})
        lying = replace(data, splits={**data.splits, "train": turned})
        model, _ = fit(lying, CROP, settings, tmp_path / "student", teachers=(trained.job.out,))
        valid = data.splits["valid"]
        assert (predict(model, valid, RAW).argmax(1) == valid.top_vote).mean() > 0.8


ORDERS = ("happy", "sad"), ("sad", "happy")


def provenance_of(trained: Trained, job: Job) -> dict[str, Any]:
    """Return the provenance that the manifest of a job with the data of the finished run would have."""
    record: dict[str, Any] = {"data": "faces", "votes": None, "find_faces": False, "teachers": [], "heads": None}
    record |= {"group_by": None, "class": {}, "from": [folder.name for folder in job.base]}
    record["settings"] = asdict(job.settings)
    data, command = dataset.restore(trained.job.work), train_command(record)
    return provenance(data, job.settings, trained.run, record, 0, 0, 0, command)


def teaching(folders: list[Path], labels: tuple[str, ...] = ORDERS[0], spec: CropSpec = CROP) -> Teach:
    return distil.teaching(folders, {EMOTION: labels, MOUTH: ("down", "up")}, spec, "float32")


def drawn(emotion: str) -> npt.NDArray[np.uint8]:
    """Return four drawn faces, (4, S, S, 1)."""
    return np.stack([resize_crop(make_face_crop(emotion, seed), CROP) for seed in range(4)])


def test_write_when_saved_model_then_answers_as_the_bundle(trained, tmp_path):
    gap = write(read_bundle(trained.job.out), "saved-model", tmp_path / "saved", force=False)
    assert gap < 1e-4
    assert (tmp_path / "saved" / "saved_model.pb").is_file()
    assert (tmp_path / "saved" / "assets.extra" / "labels.txt").read_text() == "happy\nsad\n"


def test_write_when_keras_runs_on_another_backend_then_a_process_on_tensorflow_converts(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "on_tensorflow", lambda: False)
    assert write(read_bundle(trained.job.out), "onnx", tmp_path / "mine.onnx", force=False) < 1e-4
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(SinkError, match="conversion needs a working tensorflow beside other Keras backends"):
        write(read_bundle(trained.job.out), "onnx", tmp_path / "other.onnx", force=False)


def test_write_when_target_is_there_then_refused(trained, tmp_path):
    (tmp_path / "m.tflite").write_text("mine")
    with pytest.raises(SinkError, match="is there already; use force"):
        write(read_bundle(trained.job.out), "tflite", tmp_path / "m.tflite", force=False)
    assert (tmp_path / "m.tflite").read_text() == "mine"


@pytest.mark.parametrize("to", ["tflite", "saved-model"])
def test_write_when_target_is_a_folder_of_other_things_then_it_stays_whatever_is_asked(trained, tmp_path, to):
    models = tmp_path / "models.tflite"
    (models / "deep").mkdir(parents=True)
    (models / "deep" / "notes.txt").write_text("precious")
    with pytest.raises(SinkError, match=r"models\.tflite is (a folder|not a SavedModel)"):
        write(read_bundle(trained.job.out), to, models, force=True)
    assert (models / "deep" / "notes.txt").read_text() == "precious"


def test_write_when_target_is_a_saved_model_then_force_replaces_it(trained, tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_text("old")
    write(read_bundle(trained.job.out), "saved-model", tmp_path / "saved", force=True)
    assert (tmp_path / "saved" / "saved_model.pb").read_bytes() != b"old"


class TestCard:
    @pytest.fixture
    def folder(self, tmp_path):
        """A copy of the shipped bundle."""
        return Path(shutil.copytree(default_bundle(), tmp_path / "bundle"))

    def written(self, folder: Path, changes: dict[str, Any] | None = None, **report: object) -> str:
        """Write the card of a bundle with another record of its training, and return it."""
        file = folder / "manifest.json"
        manifest = json.loads(file.read_text())
        file.write_text(json.dumps(manifest | {"training": manifest["training"] | (changes or {})}))
        full = {**make_report(), **report}
        card.write_card(folder, full, card_command(full))
        return (folder / "MODEL_CARD.md").read_text()

    @pytest.mark.parametrize("changes", [{}, {"ferplus_votes": True}])
    def test_card_when_trained_on_ferplus_then_it_says_so_and_claims_no_unseen_photos(self, folder, changes):
        text = self.written(folder, changes)
        assert "Ten people voted on each" in text
        assert "FER2013's faces (Goodfellow" in text
        assert "GENKI" not in text
        assert "Skin tone" not in text

    def test_card_when_the_eight_usual_labels_are_of_ones_own_pictures_then_not_ferplus_s(self, folder):
        text = self.written(folder, {"ferplus_votes": False})
        assert "the judgement of the person who sorted the" in text
        assert "## Data\n\n`faces`.\n" in text
        assert "FER+" not in text
        assert "otes as targets" not in text

    def test_card_when_evaluate_was_given_more_then_making_it_again_is_too(self, folder):
        asked: dict[str, Any] = {"data": "my faces", "votes": "fer2013new.csv", "find_faces": True}
        text = self.written(folder, **asked, group_by="person", **{"class": {"1": "happy"}})
        again = "livemood evaluate BUNDLE 'my faces' --split test --votes fer2013new.csv --find-faces"
        assert f"    {again} --group-by person --class 1=happy --card\n" in text

    def test_card_when_names_hold_markup_then_they_are_shown_as_they_are(self, folder):
        protocol = {"pictures": 3, "accuracy": 0.5, "interval": [0.2, 0.9]}
        values = {"<b>old": protocol, "a|b": protocol}
        groups = {"<i>age": {"values": values, "largest_gap": 0.1, "between": ["<b>old", "a|b"]}}
        text = self.written(folder, {"ferplus_votes": False}, data="my `faces`", groups=groups)
        assert "## Data\n\n`` my `faces` ``.\n" in text
        assert "test split of `` my `faces` `` (" in text
        assert "### By &lt;i&gt;age\n\n| &lt;i&gt;age | n |" in text
        assert "| &lt;b&gt;old | 3 |" in text
        assert "| a\\|b | 3 |" in text
        assert "between &lt;b&gt;old and a|b." in text

    def test_card_when_there_is_one_of_a_thing_then_told_in_the_singular(self, folder):
        text = self.written(folder, {"copies_removed": 1, "epochs": 1, "pictures": {"train": 1, "valid": 0, "test": 0}})
        assert "- 1 picture for training, 0 for validation" in text
        assert "valid or test: 1 training picture." in text
        assert "- 1 epoch in 0 h" in text

    def test_card_when_people_were_measured_then_every_group_and_gap_stands_in_it(self, folder):
        rows = {"male": (28, 0.357, [0.207, 0.542]), "female": (22, 0.773, [0.566, 0.899])}
        values = {
            name: {"pictures": pictures, "accuracy": accuracy, "interval": interval}
            for name, (pictures, accuracy, interval) in rows.items()
        }
        smiling = {"values": values, "largest_gap": 0.416, "between": ["male", "female"]}
        people = {"people": 50, "file": "london.zip", "least": 5, "groups": {"gender": {"smiling": smiling}}}
        text = self.written(folder, people=people)
        assert "| male | 28 | 35.7 % (20.7 to 54.2) |" in text
        assert "smiling 41.6 points, male and female" in text
        assert "ethnicity and age band are audited" in text
        assert "--people london.zip --card\n" in text
        assert "People, by group" not in self.written(folder)

    def test_card_when_training_was_interrupted_in_its_first_epoch_then_no_epoch_is_called_best(self, folder):
        text = self.written(folder, {"epochs": 0, "best_epoch": 0, "history": [], "wall_s": 2})
        assert "- 0 epochs in 0 h 0 min, ended before any was measured on valid; preset" in text

    @pytest.mark.parametrize(
        ("entry", "odd"),
        [
            ("training", "by hand"),
            ("training", {"x": 1}),
            ("training", {"history": [{"epoch": 1}]}),
            ("training", {"wall_s": "long"}),
            ("training", {"wall_s": float("inf")}),
            ("training", {"settings": []}),
            ("training", {"environment": "mine"}),
            ("metrics", {"fer2013_accuracy": "x"}),
            ("metrics", {"smile": 1}),
        ],
    )
    def test_card_when_the_manifest_s_record_is_odd_then_one_line_and_nothing_is_written(self, folder, entry, odd):
        file = folder / "manifest.json"
        manifest = json.loads(file.read_text())
        partly = isinstance(odd, dict) and odd != {"x": 1}
        file.write_text(json.dumps(manifest | {entry: manifest[entry] | odd if partly else odd}))
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        with pytest.raises(ModelIncompatible) as told:
            card.write_card(folder, make_report(), card_command(make_report()))
        assert "manifest.json" in str(told.value)
        assert "\n" not in str(told.value)
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before

    def test_card_when_the_manifest_says_nothing_of_training_then_that_is_said(self, folder):
        file = folder / "manifest.json"
        manifest = json.loads(file.read_text())
        del manifest["training"]
        file.write_text(json.dumps(manifest))
        card.write_card(folder, make_report(), card_command(make_report()))
        text = (folder / "MODEL_CARD.md").read_text()
        assert "of unknown origin" in text
        assert "## How it was trained\n\nThe manifest does not say.\n" in text
        assert "## Reproduce\n\n    livemood evaluate BUNDLE faces --split test --card\n" in text
        assert "learning.png" not in text


def test_card_when_written_then_carries_figures_and_pictures(trained, tmp_path):
    folder = shutil.copytree(trained.job.out, tmp_path / "bundle")
    card.write_card(folder, make_report(), card_command(make_report()))
    text = (folder / "MODEL_CARD.md").read_text()
    assert "| all, as they come |" not in text
    assert "66.7 %" in text
    assert "AI Act" in text
    for name in ("learning", "confusion", "reliability"):
        assert f"(card/{name}.png)" in text
        assert (folder / "card" / f"{name}.png").read_bytes().startswith(b"\x89PNG")

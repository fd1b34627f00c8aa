"""What is checked before faces are cut, and what stays of a run that ends before its first epoch does."""

import errno
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.cli import run as command
from livemood.core.errors import DatasetError, LivemoodError, ModelIncompatible, ModelMissing, SinkError
from livemood.datasets import dataset as data_sets
from livemood.datasets.open import DataSource
from livemood.training import run as run_module
from livemood.training.loop.checkpoint import Run, Step
from livemood.training.run import Job, Watcher, train
from tests.support.builders import write_faces

SETTINGS = {"preset": "small", "epochs": 1, "batch": 8}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(DataSource(write_faces(tmp_path / "faces", 12)), tmp_path / "mine", overrides=SETTINGS)


@pytest.fixture
def no_cutting(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object, **__: object) -> NoReturn:
        pytest.fail("faces were cut before all was checked")

    monkeypatch.setattr(run_module, "load", cut)


def begin(job: Job, resume: bool = False, watcher: Watcher | None = None) -> None:
    train(job, resume, False, watcher or Watcher())


def end_in(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object] = lambda: None) -> None:
    """Call a function instead of training, and then end as Ctrl-C does in the first epoch."""

    def fit(*_: object, on_begin: Callable[[Run], None], **__: object) -> NoReturn:
        on_begin(Run())
        work()
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "fit", fit)


def with_heads(data: Path, rows: list[tuple[str, str]]) -> None:
    """Write a ``heads.csv`` that gives the first pictures of a class these labels of heads."""
    lines = [f"happy{number}.png,{head},{label}" for number, (head, label) in enumerate(rows)]
    (data / "heads.csv").write_text("\n".join(["file,head,label", *lines]))


@pytest.mark.usefixtures("no_cutting")
class TestChecks:
    @pytest.mark.parametrize(
        ("head", "base"), [("pixels", ()), ("dropout", ()), ("re_lu_3", ()), ("rescale", (default_bundle(),))]
    )
    def test_train_when_a_head_is_called_like_a_layer_then_refused(self, job, head, base):
        with_heads(job.data.path, [(head, "a"), (head, "b")])
        overrides = {"epochs": 1} if base else SETTINGS
        with pytest.raises(DatasetError, match=f"a head cannot be called {head}, like a layer of the network; rename"):
            begin(replace(job, base=base, overrides=overrides))
        assert not job.work.exists()

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            ([("fer2013", "a"), ("fer2013", "b")], "a head cannot be called fer2013, which is FER2013's own labels"),
            ([("mouth", "open"), ("mouth", "unsure")], "head mouth has a class unsure, livemood's own word"),
            ([("mouth", "open"), ("mouth", "no-face")], "head mouth has a class no-face, livemood's own word"),
            ([(f"h{n // 2}", "ab"[n % 2]) for n in range(32)], "17 heads, and a bundle has 16 at most"),
        ],
    )
    def test_train_when_a_bundle_could_not_hold_a_head_then_refused(self, tmp_path, rows, said):
        job = Job(DataSource(write_faces(tmp_path / "faces", 32)), tmp_path / "mine", overrides=SETTINGS)
        with_heads(job.data.path, rows)
        with pytest.raises(DatasetError, match=said):
            begin(job)

    def test_train_when_a_teacher_cannot_teach_then_refused(self, job, tmp_path):
        with pytest.raises(ModelMissing, match="no model bundle at nowhere"):
            begin(replace(job, teachers=(Path("nowhere"),)))
        wink = Job(DataSource(write_faces(tmp_path / "winks", 12, ("happy", "wink"))), job.out, overrides=SETTINGS)
        with pytest.raises(ModelIncompatible, match="does not know wink"):
            begin(replace(wink, teachers=(default_bundle(),)))
        assert not job.work.exists()

    def test_train_when_out_is_the_name_of_the_shipped_model_then_refused(self, job):
        with pytest.raises(SinkError, match="default is the name of the shipped model; choose another out"):
            begin(replace(job, out=Path("default")))

    def test_train_when_the_work_folder_would_be_the_data_then_refused(self, job, tmp_path):
        data = job.data.path.rename(tmp_path / "mine.work")
        with pytest.raises(SinkError, match=r"mine\.work is inside the data"):
            begin(replace(job, data=DataSource(data)))
        assert sorted(path.name for path in data.iterdir()) == ["happy", "sad"]

    def test_train_when_out_holds_the_manifest_of_another_program_then_refused_and_it_stays(self, job):
        job.out.mkdir()
        (job.out / "manifest.json").write_text('{"manifest_version": 3}')
        with pytest.raises(SinkError, match="mine is not empty and contains no bundle; choose another out"):
            train(job, False, True, Watcher())
        assert (job.out / "manifest.json").read_text() == '{"manifest_version": 3}'

    @pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
    def test_train_when_out_is_a_link_that_leads_nowhere_then_refused(self, job):
        job.out.symlink_to(job.out)
        with pytest.raises(SinkError, match="mine is a broken link"):
            begin(job)

    def test_train_when_a_folder_of_the_data_cannot_be_searched_then_that_folder_is_named(self, job, monkeypatch):
        picture = job.data.path / "happy" / "happy0.png"

        def unsearchable(*_: object) -> NoReturn:
            raise PermissionError(errno.EACCES, "Permission denied", str(picture))

        monkeypatch.setattr(DataSource, "collection", unsearchable)
        with pytest.raises(DatasetError) as told:
            begin(job)
        assert str(told.value) == f"{picture} cannot be read: Permission denied; make it readable, or leave it out"

    def test_train_when_the_learning_rate_is_none_then_refused(self, job):
        with pytest.raises(LivemoodError, match="is not a learning rate"):
            begin(replace(job, overrides={"learning_rate": 0.0}))

    @pytest.mark.parametrize(
        ("option", "value", "said"),
        [
            ("--seed", "-1", "-1 is too small; 0 is the least"),
            ("--seed", "99999999999", "99999999999 is too large; 4294967295 is the most"),
            ("--ema-decay", "nan", "nan is not a number"),
            ("--ema-decay", "1.5", "1.5 is too large; 1 is the most"),
            ("--blends", "101", "101 is too large; 100 is the most"),
            ("--learning-rate", "0", "0 is not a learning rate; give one above 0, such as 0.1"),
            ("--learning-rate", "nan", "nan is not a learning rate"),
            ("--learning-rate", "inf", "inf is not a learning rate"),
        ],
    )
    def test_command_when_a_number_is_out_of_range_then_a_usage_error(self, job, option, value, said, capsys):
        assert command(["train", str(job.data.path), "--out", str(job.out), option, value]) == 2
        line = capsys.readouterr().err
        assert said in line
        assert option in line

    def test_command_when_tensorboard_s_folder_is_a_file_then_one_line_without_names_of_tensorflow(self, job, capsys):
        logs = job.data.path / "happy" / "happy0.png"
        words = ["train", str(job.data.path), "--out", str(job.out), "--tensorboard", str(logs)]
        assert command(words) == 1
        reason = r"cannot be written: [\w ]+; choose another --tensorboard\n"
        assert re.fullmatch(f"livemood: {re.escape(str(logs))} {reason}", capsys.readouterr().err)

    @pytest.mark.parametrize("name", ["train", "export"])
    def test_command_when_keras_has_no_such_backend_then_one_line(self, job, name, monkeypatch, capsys):
        monkeypatch.setenv("KERAS_BACKEND", "foo")
        words = ["train", str(job.data.path)] if name == "train" else ["export", "default", "--to", "onnx"]
        assert command([*words, "--out", str(job.out)]) == 1
        assert capsys.readouterr().err.startswith("livemood: KERAS_BACKEND is 'foo', no backend of Keras")


class TestEarlyEnds:
    def test_train_when_another_run_has_the_folder_then_refused_and_that_one_is_not_disturbed(self, job, monkeypatch):
        def again() -> None:
            before = {path: path.read_bytes() for path in job.work.iterdir()}
            for resume in (False, True):
                with pytest.raises(SinkError, match=r"mine\.work is being written by another run; wait, or"):
                    begin(job, resume)
            assert {path: path.read_bytes() for path in job.work.iterdir()} == before

        end_in(monkeypatch, again)
        with pytest.raises(KeyboardInterrupt):
            begin(job)

    def test_train_when_begun_anew_then_the_record_is_that_of_the_crops_from_the_first_one_on(self, job, monkeypatch):
        end_in(monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            begin(job)
        assert data_sets.is_there(job.work)

        def killed(*_: object, **__: object) -> NoReturn:
            assert not data_sets.is_there(job.work)
            assert json.loads((job.work / "job.json").read_text())["settings"]["seed"] == 7
            raise SystemExit

        monkeypatch.setattr(run_module, "load", killed)
        with pytest.raises(SystemExit):
            begin(replace(job, overrides={**SETTINGS, "seed": 7}))

    def test_command_when_interrupted_while_cutting_then_nothing_stays(self, job, tmp_path, monkeypatch, capsys):
        def interrupt(*_: object) -> NoReturn:
            raise KeyboardInterrupt

        monkeypatch.setattr("livemood.datasets.load._Cutter.cut", interrupt)
        before = sorted(tmp_path.iterdir())
        out = tmp_path / "models" / "mine"
        assert command(["train", str(job.data.path), "--out", str(out), "--preset", "small"]) == 130
        assert capsys.readouterr().err == "livemood: interrupted; nothing was written\n"
        assert sorted(tmp_path.iterdir()) == before

    def test_command_when_interrupted_in_the_first_epoch_then_the_old_bundle_stays_and_crops_wait_for_resume(
        self, job, monkeypatch, capsys
    ):
        shutil.copytree(default_bundle(), job.out)

        def interrupt(step: Step) -> NoReturn:
            raise KeyboardInterrupt

        monkeypatch.setattr("livemood.cli.training.Display._on_step", lambda self, step: interrupt(step))
        words = [
            "train",
            str(job.data.path),
            "--out",
            str(job.out),
            "--preset",
            "small",
            "--time-budget",
            "90s",
            "--force",
        ]
        assert command(words) == 130
        said = capsys.readouterr().err
        assert "training ends after 1:30; measuring and converting the model come after" in said
        assert "livemood: interrupted before the first epoch ended: no bundle to keep; --resume trains on" in said
        assert said.endswith(f"livemood: interrupted; kept: {job.work}\n")
        assert read_bundle(job.out).sha256 == read_bundle(default_bundle()).sha256
        assert data_sets.is_there(job.work)

    def test_resume_when_part_of_the_time_is_spent_then_the_rest_is_told(self, job, monkeypatch):
        def fit(*_: object, on_begin: Callable[[Run], None], **__: object) -> NoReturn:
            on_begin(Run(elapsed_s=70.0))
            raise KeyboardInterrupt

        monkeypatch.setattr(run_module, "fit", fit)
        told: list[Any] = []
        with pytest.raises(KeyboardInterrupt):
            begin(replace(job, overrides={**SETTINGS, "time_budget_s": 100.0}))
        with pytest.raises(KeyboardInterrupt):
            begin(job, resume=True, watcher=Watcher(on_budget=told.append))
        assert told == [30.0]

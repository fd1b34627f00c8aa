"""The files of a run, where they cannot be written or are not those of a preset."""

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.errors import DatasetError, ModelIncompatible, SinkError
from livemood.training.loop import checkpoint
from livemood.training.loop.checkpoint import Run
from livemood.training.loop.earlier_runs import load_run, preset_of


def test_save_when_the_disk_is_full_then_names_file_and_resume_and_the_last_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = {"best": [np.ones(2)]}
    checkpoint.save(tmp_path, Run(epoch=1), 5, weights)

    def full(stream: Any, **_: Any) -> None:
        stream.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(SinkError) as told:
        patch.setattr(np, "savez", full)
        checkpoint.save(tmp_path, Run(epoch=2), 10, weights)
    line = f"{tmp_path / 'checkpoint.npz'} could not be written (No space left on device); "
    assert str(told.value) == f"{line}fix that, then continue with resume"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "history.csv"]
    found = checkpoint.restore(tmp_path, {"best": 1})
    assert found
    assert (found[0].epoch, found[1]) == (1, 5)


def test_load_run_when_it_was_begun_from_a_bundle_then_nobody_is_told_to_remove_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path, Run(epoch=1), 5, {"best": [np.ones(2)]})
    settings = {"preset": "small"}
    record = dict.fromkeys(("data", "votes", "heads", "find_faces", "group_by", "class", "from", "teachers"))
    checkpoint.save_job(tmp_path, {**record, "settings": settings})
    with pytest.raises(ModelIncompatible) as told:
        load_run(tmp_path, CROP, "float32")
    assert str(told.value).startswith(f"{tmp_path} contains no run of a preset (")
    assert str(told.value).endswith("; take its bundle instead")
    assert "remove" not in str(told.value)


@pytest.mark.parametrize("text", ["{}", "1", "{", "[" * 100_000], ids=["empty", "number", "half", "deep"])
def test_restore_job_when_the_record_is_damaged_then_said_where_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(DatasetError, match=r"job\.json is not a record of a run \(.*; remove .* to begin again$"):
        checkpoint.restore_job(tmp_path)


def test_preset_of_when_the_record_is_damaged_then_nobody_is_told_to_remove_the_run(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"data": "faces"}))
    with pytest.raises(ModelIncompatible) as told:
        preset_of(tmp_path)
    assert "remove" not in str(told.value)

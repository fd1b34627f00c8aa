"""What lies in the folder of a data set when cutting its crops ends early."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.errors import SinkError
from livemood.datasets import dataset as data_sets
from livemood.datasets.load import load
from livemood.datasets.open import open_collection
from livemood.testing import ScriptedDetector
from tests.support.builders import write_faces


class Killed(BaseException):
    """Ends a program where it stands."""


def test_load_when_killed_over_an_earlier_data_set_then_its_table_does_not_stay_beside_other_crops(
    tmp_path: Path,
) -> None:
    one, other = (write_faces(tmp_path / name, 8, first=first) for name, first in (("one", 0), ("other", 100)))
    work = tmp_path / "work"
    load(open_collection(one), CROP, ScriptedDetector(), work)
    assert data_sets.is_there(work)

    def kill(done: int, total: int) -> None:
        if done == total - 4:  # while cutting
            raise Killed

    with pytest.raises(Killed):
        load(open_collection(other), CROP, ScriptedDetector(), work, on_progress=kill)
    assert not data_sets.is_there(work)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="space cannot be asked for in advance")
@pytest.mark.parametrize("at", ["crops", "table"])
def test_load_when_the_disk_is_full_then_no_unfinished_file_stays(
    tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((os, "posix_fallocate") if at == "crops" else (np, "savez")), full)
    with pytest.raises(SinkError, match="No space left on device"):
        load(open_collection(write_faces(tmp_path / "faces", 8)), CROP, ScriptedDetector(), tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ([] if at == "crops" else ["crops.npy"])

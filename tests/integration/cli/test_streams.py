"""Commands that are started without stdin, stdout or stderr, as by a program without a console."""

import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.support.builders import ROOT, write_film


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_video_when_a_stream_is_closed_then_the_copy_is_made_all_the_same(closed: str, tmp_path: Path) -> None:
    write_film(tmp_path / "clip.mp4")
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m livemood video clip.mp4 --out out.mp4 --records out.csv {closed}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.csv", "out.csv.json", "out.mp4"]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-"])
def test_video_when_stderr_is_closed_and_something_is_wrong_then_the_exit_code_says_so(
    closed: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m livemood video none.mp4 --out out.mp4 {closed}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert list(tmp_path.iterdir()) == []

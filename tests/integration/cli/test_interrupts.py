"""What a command that was interrupted says it has kept, and that this is there and whole."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import pytest

from livemood.apps.session import Session
from livemood.cli import run
from livemood.detection.combined import FaceDetector
from livemood.records.inputs import read_groups
from livemood.sources.image import decode
from tests.support.builders import SAMPLES, half_sample, heed_interrupts, read_still

CLIP = SAMPLES / "faces.mp4"


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Six photos with a face each."""
    _, coded = cv2.imencode(".png", half_sample(1)[0])
    names = [str(tmp_path / "in" / f"{number}.png") for number in range(6)]
    (tmp_path / "in").mkdir()
    for name in names:
        Path(name).write_bytes(coded.tobytes())
    return names


def interrupt_at(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, count: int) -> None:
    """Make a function raise KeyboardInterrupt when it is called for the so manyth time."""
    work: Callable[..., Any] = getattr(where, name)
    calls = []

    def called(*given: Any, **named: Any) -> Any:
        calls.append(name)
        if len(calls) == count:
            raise KeyboardInterrupt
        return work(*given, **named)

    monkeypatch.setattr(where, name, called)


@pytest.mark.parametrize("words", [[], ["--out", "out"], ["--csv", "moods.csv"], ["--sort-into", "sorted"]])
def test_image_when_interrupted_before_anything_was_written_then_says_so(
    photos, words, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    interrupt_at(monkeypatch, Session, "read_photo", 1)
    assert run(["image", *photos, *words]) == 130
    assert capsys.readouterr().err == "livemood: 0 of 6 photos are done\nlivemood: interrupted; nothing was written\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "in"] == []


@pytest.mark.parametrize(
    ("count", "kept"),
    [
        (2, "kept: out/0.png, moods.csv\n"),
        (3, "kept: out/0.png, moods.csv, out/1.png\n"),
        (6, "kept: 6 files, the last of them out/4.png\n"),
    ],
)
def test_image_when_interrupted_then_names_the_copies_that_are_whole(
    photos, count, kept, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    interrupt_at(monkeypatch, Session, "read_photo", count)
    assert run(["image", *photos, "--out", "out", "--csv", "moods.csv"]) == 130
    assert f"livemood: interrupted; {kept}" in capsys.readouterr().err
    made = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in made] == [f"{number}.png" for number in range(count - 1)]
    assert all(read_still(path).size for path in made)
    with (tmp_path / "moods.csv").open() as lines:
        assert [row["path"] for row in csv.DictReader(lines)] == photos[: count - 1]


def test_crop_when_interrupted_then_tells_of_its_crops_or_of_none(photos, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    interrupt_at(monkeypatch, decode, "read_image", 1)
    assert run(["crop", *photos, "--out", "none"]) == 130
    assert capsys.readouterr().err == "livemood: interrupted; nothing was written\n"
    assert not (tmp_path / "none").exists()
    interrupt_at(monkeypatch, FaceDetector, "detect", 3)
    assert run(["crop", *photos, "--out", "some"]) == 130
    made = sorted((tmp_path / "some").glob("*.png"))
    assert len(made) == 2
    assert "kept: some/index.csv, some/0-00001.png, some/1-00001.png\n" in capsys.readouterr().err
    with (tmp_path / "some" / "index.csv").open() as lines:
        assert [row["file"] for row in csv.DictReader(lines)] == [path.name for path in made]


def test_video_when_interrupted_before_a_frame_then_says_that_nothing_was_written(
    tmp_path, monkeypatch, capsys
) -> None:
    interrupt_at(monkeypatch, Session, "run", 1)
    assert run(["video", str(CLIP), "--out", str(tmp_path / "o.mp4")]) == 130
    assert capsys.readouterr().err == "livemood: interrupted; nothing was written\n"
    assert list(tmp_path.iterdir()) == []


def test_command_when_interrupted_then_tells_nothing_of_the_one_before(tmp_path, monkeypatch, capsys) -> None:
    clip = shutil.copy(CLIP, tmp_path / "clip.mp4")
    assert run(["video", str(clip), "--out", str(tmp_path / "o.mp4"), "--duration", "0.2"]) == 0
    interrupt_at(monkeypatch, Session, "run", 1)
    assert run(["video", str(clip), "--out", str(tmp_path / "p.mp4"), "--duration", "0.2"]) == 130
    assert capsys.readouterr().err == "livemood: interrupted; nothing was written\n"


# Makes a second signal come at the moment at which processes are to be ended, and then runs a command.
TWICE = """if True:
    import signal, sys
    from concurrent.futures import ProcessPoolExecutor
    from livemood.cli import main
    shut_down = ProcessPoolExecutor.shutdown
    def again(self, *given, **named):
        signal.raise_signal(number)
        shut_down(self, *given, **named)
    ProcessPoolExecutor.shutdown = again
    number = int(sys.argv.pop(1))
    main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_image_in_processes_when_interrupted_twice_then_ends_and_its_table_is_whole(photos, number, tmp_path) -> None:
    """The second signal comes while the processes are being ended."""
    many = tmp_path / "many"
    many.mkdir()
    for place in range(120):
        shutil.copy(photos[0], many / f"{place:03}.png")
    table = tmp_path / "moods.parquet"
    words = [str(int(number)), "image", many, "--csv", table, "--jobs", "2"]
    running = subprocess.Popen(
        [sys.executable, "-c", TWICE, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=heed_interrupts, start_new_session=True,
    )  # fmt: skip
    rows = table.with_name(".moods.parquet.rows.jsonl")
    try:
        ends = time.monotonic() + 120
        while not (rows.exists() and rows.read_bytes().count(b"\n") > 3) and time.monotonic() < ends:
            time.sleep(0.02)
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 130
    done = len({said.path for said, _ in read_groups(table)})
    assert said.startswith(f"livemood: {done} of 120 photos are done")
    assert 0 < done < 120
    assert not rows.exists()


def test_command_when_interrupted_while_python_runs_text_then_ends_by_its_own_code(tmp_path) -> None:
    """``python -m`` ends by the signal after an interrupt that went through an exec, as of a dataclass being made."""
    code = """if True:
        import runpy, sys, livemood.cli
        def interrupted(words=None):
            try:
                exec("raise KeyboardInterrupt")
            except KeyboardInterrupt:
                return 130
        livemood.cli.run = interrupted
        livemood.cli.main()
    """
    (tmp_path / "interrupted_once.py").write_text(code)
    done = subprocess.run([sys.executable, "-m", "interrupted_once"], cwd=tmp_path, timeout=60)
    assert done.returncode == 130

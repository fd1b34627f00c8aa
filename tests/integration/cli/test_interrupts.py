"""What a command that was interrupted says it has kept, and that this is there and whole."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from livemood.apps.session import Session
from livemood.cli import run
from livemood.detection.combined import FaceDetector
from livemood.sources.image import decode
from livemood.sources.video.file import VideoSource
from tests.support.builders import SAMPLES, read_still

CLIP = SAMPLES / "faces.mp4"


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Six photos with a face each."""
    with VideoSource(CLIP) as clip:
        image = next(clip.frames()).image
    names = [str(tmp_path / "in" / f"{number}.png") for number in range(6)]
    (tmp_path / "in").mkdir()
    for name in names:
        cv2.imwrite(name, image)
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

"""Faces cropped from photos and videos, once and again, with a scripted detector; the command around it."""

import csv
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.apps.crop_faces import CropJob, Cropped, crop_faces
from livemood.apps.session import Session
from livemood.cli import run
from livemood.core.errors import LivemoodError, SinkError
from livemood.core.settings import ReaderSettings
from livemood.core.types import Detection
from livemood.runtime.atomic_io import claimed_folder
from livemood.testing import ScriptedDetector, TableClassifier
from tests.support.builders import SAMPLES, make_detection, refuse, refuse_reading, write_clip
from tests.support.disks import full_disk

LEFT, RIGHT = make_detection(80, 60, 40), make_detection(30, 60, 40)


def crop(
    *paths: Path,
    out: Path,
    skipped: list[LivemoodError] | None = None,
    label: str = "happy",
    faces: Sequence[Detection] = (LEFT, RIGHT),
    **job,
) -> Cropped:
    """Crop the same faces, two if not given, of each frame."""
    errors: list[LivemoodError] = [] if skipped is None else skipped
    classifier = TableClassifier(default={label: 1})
    with Session(ReaderSettings(), detector=ScriptedDetector([list(faces)]), classifier=classifier) as session:
        return crop_faces(CropJob(paths, out, **job), session, errors.append)


def photo(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), np.full((120, 160, 3), 90, np.uint8))
    return path


def listed(out: Path) -> list[dict[str, str]]:
    with (out / "index.csv").open() as stream:
        return list(csv.DictReader(stream))


def crops(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))


def test_clip_when_cropped_again_then_its_crops_take_the_place_of_all_earlier_ones(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 20, 10)
    out = tmp_path / "faces"
    crop(clip, out=out, every_s=0.5)
    assert len(crops(out)) == 8
    other = crop(photo(tmp_path / "other" / "clip.png"), out=out, force=True)
    assert (other.count, len(crops(out))) == (2, 10)
    assert crop(clip, out=out, every_s=1.5, force=True).count == 4
    assert [row["file"] for row in listed(out)] == ["clip-00009.png", "clip-00010.png", *crops(out)[:4]]
    assert [row["time_s"] for row in listed(out)[2:]] == ["0.000", "0.000", "1.500", "1.500"]


def test_photo_when_it_is_hidden_then_its_crops_are_not_and_are_replaced(tmp_path):
    source, out = photo(tmp_path / ".a.png"), tmp_path / "faces"
    for _ in range(2):
        crop(source, out=out, force=True)
        assert crops(out) == [row["file"] for row in listed(out)] == ["a-00001.png", "a-00002.png"]


def test_photo_when_it_has_no_face_any_more_then_its_crops_go_and_those_of_an_unreadable_one_stay(tmp_path):
    photos, out = [photo(tmp_path / name) for name in ("a.png", "b.png")], tmp_path / "faces"
    crop(*photos, out=out)
    photos[1].write_bytes(b"no picture")
    cropped = crop(*photos, out=out, faces=(), force=True)
    assert (cropped.count, cropped.index) == (0, out / "index.csv")
    assert crops(out) == [row["file"] for row in listed(out)] == ["b-00001.png", "b-00002.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_folder_when_another_run_writes_its_crops_there_then_refused_at_once(tmp_path):
    source, out = photo(tmp_path / "a.png"), tmp_path / "faces"
    with claimed_folder(out, "out"), pytest.raises(SinkError, match="faces is being written by another run; wait, or"):
        crop(source, out=out, force=True)
    crop(source, out=out)


@pytest.mark.parametrize("sort", [False, True])
def test_crop_when_it_was_moved_then_it_stays_and_its_face_is_not_cropped_again(tmp_path, sort):
    source, out = photo(tmp_path / "a.png"), tmp_path / "faces"
    crop(source, out=out, sort=sort)
    (out / "fear").mkdir()
    first = out / crops(out)[0]
    first.rename(out / "fear" / first.name)
    labelled = (out / "fear" / first.name).read_bytes()
    for label in ("sad", "happy", "happy"):
        crop(source, out=out, sort=sort, label=label, size_px=96, force=True)
        assert crops(out) == sorted(["fear/a-00001.png", f"{label}/a-00002.png" if sort else "a-00002.png"])
        assert sorted(Path(row["file"]).name for row in listed(out)) == ["a-00001.png", "a-00002.png"]
        assert (out / "fear" / first.name).read_bytes() == labelled


def test_clip_when_a_crop_was_moved_then_other_moments_are_cropped_under_other_names(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 20, 10)
    out = tmp_path / "faces"
    crop(clip, out=out, every_s=1)
    (out / "sad").mkdir()
    (out / "clip-00003.png").rename(out / "sad" / "clip-00003.png")
    assert crop(clip, out=out, every_s=1.5, force=True).count == 4
    assert crops(out) == [*(f"clip-0000{number}.png" for number in (1, 2, 4, 5)), "sad/clip-00003.png"]


@pytest.mark.parametrize("spelled", ["album", "./album", "other/../album", "absolute", "link"])
def test_photo_when_spelled_otherwise_then_it_is_the_same(tmp_path, monkeypatch, spelled):
    monkeypatch.chdir(tmp_path)
    album = photo(tmp_path / "album" / "a.png").parent
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(album)
    crop(Path("album"), out=Path("faces"))
    crop(album if spelled == "absolute" else Path(spelled), out=Path("faces"), force=True)
    assert crops(Path("faces")) == ["a-00001.png", "a-00002.png"]
    assert len(listed(Path("faces"))) == 2


def test_photo_when_its_relative_path_is_that_of_another_then_each_keeps_its_crops(tmp_path, monkeypatch):
    out = Path("../faces")
    for album in ("one", "other"):
        photo(tmp_path / album / "a.png")
        monkeypatch.chdir(tmp_path / album)
        crop(Path("a.png"), out=out, force=True)
    (out / "sad").mkdir()
    (out / "a-00001.png").rename(out / "sad" / "a-00001.png")
    assert crop(Path("../one/a.png"), out=out, force=True).count == 1
    assert crops(out) == ["a-00002.png", "a-00003.png", "a-00004.png", "sad/a-00001.png"]
    sources = {row["file"]: row["source"] for row in listed(out)}
    assert sources["a-00001.png"] == sources["a-00002.png"] != sources["a-00003.png"] == sources["a-00004.png"]


@pytest.mark.parametrize("relative", [False, True])
def test_index_when_written_by_hand_then_only_crops_in_the_folder_are_replaced(tmp_path, monkeypatch, relative):
    monkeypatch.chdir(tmp_path)
    source, out, mine = photo(tmp_path / "a.png"), tmp_path / "faces", photo(tmp_path / "mine.png")
    photo(out / "b.png")
    said = source.name if relative else source
    (out / "index.csv").write_text(f"file,source\n../mine.png,{said}\nb.png,{said}\nc.png,\0\n")
    crop(source, out=out, force=True)
    assert mine.exists()
    assert crops(out) == ["a-00001.png", "a-00002.png"]


def test_name_when_it_is_too_long_for_crops_then_one_line_says_so_and_the_others_are_cropped(tmp_path):
    album = photo(tmp_path / "album" / "z.png").parent
    long = album / f"{'a' * 250}.png"
    shutil.copy(album / "z.png", long)
    skipped: list[LivemoodError] = []
    assert crop(album, out=tmp_path / "faces", skipped=skipped).count == 2
    assert [str(error) for error in skipped] == [
        f"{long} has a name that is too long to name its crops after; shorten it"
    ]
    assert crops(tmp_path / "faces") == ["z-00001.png", "z-00002.png"]


def test_disk_when_full_then_one_line_names_the_index(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 20, 10)
    out = tmp_path / "faces"
    with full_disk(room=1000), pytest.raises(SinkError) as told:
        crop(clip, out=out, every_s=0.1, size_px=48)
    assert str(told.value) == f"{out / 'index.csv'} could not be written (File too large); try another out"


def said(capsys: pytest.CaptureFixture[str], words: Sequence[object]) -> tuple[int, str, str]:
    """Run ``livemood crop``; return its exit code and what it printed."""
    code = run(["crop", *map(str, words)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_command_when_inputs_cannot_be_read_then_fails_and_blocks_no_later_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("bad\x1b[31m\n.png").write_bytes(b"no picture")
    Path("loop.png").symlink_to("loop.png")
    code, out, err = said(capsys, ["bad\x1b[31m\n.png", "loop.png", f"{'a' * 300}.png", "--out", "faces"])
    assert (code, out, err.count("; skipped\n"), err.count("\n")) == (1, "No face was found.\n", 3, 3)
    assert "\x1b" not in err
    assert "bad\\x1b[31m" in err
    assert not Path("faces").exists()
    shutil.copy(SAMPLES / "faces.png", "faces.png")
    code, out, err = said(capsys, ["faces.png", "--out", "faces\x1b"])
    assert (code, out, err) == (0, "2 faces in faces\\x1b, listed in faces\\x1b/index.csv\n", "")


def test_command_when_something_in_a_folder_is_not_read_then_says_so(tmp_path, monkeypatch, capsys):
    photo(tmp_path / "album" / "a.png")
    photo(tmp_path / "album" / "private" / "b.png")
    (tmp_path / "album" / "loop.png").symlink_to("loop.png")
    (tmp_path / "album" / "clip.mov").touch()
    refuse(monkeypatch, "scandir", tmp_path / "album" / "private")
    code, _, err = said(capsys, [tmp_path / "album", "--out", tmp_path / "faces"])
    assert (code, sorted(err.splitlines())) == (
        0,
        [
            "livemood: note: 1 x broken link skipped: it points to no file that can be reached",
            "livemood: note: 1 x unreadable folder skipped: it cannot be read (Permission denied)",
            "livemood: note: 1 x video skipped: name it itself to crop its faces",
        ],
    )


def test_command_when_a_photo_may_not_be_read_then_the_others_are_cropped(tmp_path, monkeypatch, capsys):
    locked = photo(tmp_path / "locked.png")
    shutil.copy(SAMPLES / "faces.png", tmp_path / "faces.png")
    refuse_reading(monkeypatch, locked)
    code, out, err = said(capsys, [locked, tmp_path / "faces.png", "--out", tmp_path / "faces"])
    assert (code, out.partition(" in ")[0]) == (1, "2 faces")
    assert err == f"livemood: {locked} cannot be read (Permission denied); check its permissions; skipped\n"

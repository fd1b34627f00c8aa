"""Runs over photos that were interrupted and are resumed; files that are there already."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest

from livemood.apps import photo_reader
from livemood.records.inputs import read_groups
from livemood.runtime import stopping
from tests.support.builders import heed_interrupts
from tests.support.photos import image, rows


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_resume_then_goes_on_in_the_same_file_as_if_nothing_had_happened(album, tmp_path, suffix, capsys):
    whole, target = tmp_path / f"whole{suffix}", tmp_path / f"rows{suffix}"
    image(album, "--records", whole)
    first = tmp_path / ("first.jsonl" if suffix == ".parquet" else f"first{suffix}")
    image(*(album / f"{number}.jpg" for number in range(3)), "--records", first)
    # What a killed process leaves: for Parquet, rows beside the file that is still to come.
    cut_off = tmp_path / ".rows.parquet.rows.jsonl" if suffix == ".parquet" else target
    for torn in (0, 1, 40, 900):
        target.unlink(missing_ok=True)
        cut_off.write_bytes(first.read_bytes()[: -torn or None])
        assert image(album, "--records", target, "--resume") == 1
        assert list(read_groups(target)) == list(read_groups(whole)), torn
        before = target.read_bytes()
        capsys.readouterr()
        assert image(album, "--records", target, "--resume") == 1
        assert f"livemood: 1 photo failed before; {target} says why" in capsys.readouterr().err
        assert list(read_groups(target)) == list(read_groups(whole)), torn
        if suffix != ".parquet":
            assert target.read_bytes() == before == whole.read_bytes(), torn


def test_resume_when_an_interrupted_run_left_a_copy_of_a_photo_without_rows_then_it_is_made_anew(album, tmp_path):
    target, copies = tmp_path / "rows.csv", tmp_path / "copies"
    photos = [album / f"{number}.jpg" for number in range(3)]
    further = ["--out", copies, "--gallery", tmp_path / "page.html", "--list-skipped", tmp_path / "skipped.csv"]
    assert image(*photos[:2], "--records", target, *further) == 0
    done = (copies / "0.jpg").stat().st_mtime_ns
    (copies / "2.jpg").write_bytes(b"what a killed process left")
    assert image(*photos, "--records", target, *further, "--resume") == 0
    assert "<h1>Moods in 3 photos</h1>" in (tmp_path / "page.html").read_text()
    assert (copies / "2.jpg").read_bytes().startswith(b"\xff\xd8")
    assert (copies / "0.jpg").stat().st_mtime_ns == done
    assert {Path(row["path"]).name for row in rows(target)} == {"0.jpg", "1.jpg", "2.jpg"}


def test_records_when_there_already_then_neither_replaced_nor_mixed(album, tmp_path, capsys):
    target = tmp_path / "rows.csv"
    image(album / "0.jpg", "--records", target)
    before = target.read_bytes()
    assert image(album / "1.jpg", "--records", target) == 1
    assert "use --resume to continue it, --force or another --records" in capsys.readouterr().err
    assert image(album / "1.jpg", "--records", target, "--resume", "--emotions", "happy,sad") == 1
    assert "contains other emotions" in capsys.readouterr().err
    assert target.read_bytes() == before
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert image(album / "1.jpg", "--records", tmp_path / "other.csv", "--resume") == 1
    assert "contains no records of photos" in capsys.readouterr().err
    assert (tmp_path / "other.csv").read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupt_then_what_is_done_is_kept_and_resume_goes_on(tmp_path, small, jobs):
    album = tmp_path / "album"
    album.mkdir()
    data = cv2.imencode(".jpg", cv2.resize(small, (320, 180)))[1].tobytes()
    for number in range(150):
        (album / f"{number:03}.jpg").write_bytes(data)
    target = tmp_path / "rows.csv"
    words = [
        sys.executable,
        "-m",
        "livemood",
        "image",
        album,
        "--records",
        target,
        "--jobs",
        str(jobs),
        "--detector",
        "fast",
    ]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    ) as job:
        until(lambda: target.exists() and target.read_bytes().count(b"\n") > 20)
        os.killpg(job.pid, signal.SIGINT)
        out, err = job.communicate(timeout=300)
    done = len({row["path"] for row in rows(target)})
    assert job.returncode == 130
    assert 10 <= done < 150
    assert err.splitlines() == [
        f"livemood: {done} of 150 photos are done; {target} has them, run the same command with --resume to continue",
        f"livemood: interrupted; kept: {target}",
    ]
    assert f"{done} photos, {2 * done} faces" in out
    assert image(*words[4:], "--resume") == 0
    found = [row["path"] for row in rows(target)]
    assert found == [str(path) for path in sorted(album.iterdir()) for _ in range(2)]


def until(holds, seconds=200):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_resume_without_records_then_a_usage_error(album, capsys):
    assert image(album, "--resume") == 2
    assert "add --records" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "name"), [("--out", "0.jpg"), ("--gallery", "a.html"), ("--list-skipped", "a.csv")])
@pytest.mark.parametrize("begun", [False, True], ids=["no records", "records without rows"])
def test_resume_when_there_is_nothing_to_go_on_in_then_nothing_is_replaced(
    album, tmp_path, option, name, begun, capsys
):
    mine, records = tmp_path / "mine" / name, tmp_path / "rows.csv"
    mine.parent.mkdir()
    mine.write_text("mine")
    if begun:
        records.touch()
    target = mine.parent if option == "--out" else mine
    assert image(album / "0.jpg", "--records", records, option, target, "--resume") == 1
    assert f"{mine} is there already; use --force or another {option}" in capsys.readouterr().err
    assert mine.read_text() == "mine"


def test_resume_when_photos_were_moved_then_copies_keep_their_names_and_the_page_leads_to_all(tmp_path, small):
    folder, page = tmp_path / "hol", tmp_path / "page.html"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    cv2.imwrite(str(folder / "a" / "1.jpg"), small)
    cv2.imwrite(str(folder / "b" / "1.jpg"), np.ascontiguousarray(small[:, ::-1]))
    copies = tmp_path / "copies"
    words = ["--records", tmp_path / "m.csv", "--out", copies, "--sort-into", tmp_path / "s", "--move"]

    def check(count: int) -> None:
        text = page.read_text()
        hrefs = re.findall(r'"href":"(.*?)"', text)
        assert len({(tmp_path / unquote(href)).resolve(strict=True) for href in hrefs}) == count
        assert len(re.findall(r"^/9j/", text, re.MULTILINE)) == count

    assert image(folder / "a", *words, "--gallery", page) == 0
    check(1)
    first = (copies / "1.jpg").read_bytes()
    assert image(folder, *words, "--gallery", page, "--resume") == 0
    check(2)
    assert (copies / "1.jpg").read_bytes() == first != (copies / "1-2.jpg").read_bytes()
    page.unlink()
    assert image(folder, *words, "--gallery", page, "--resume") == 0  # all photos were moved
    check(2)
    assert len(rows(tmp_path / "m.csv")) == 4


def test_interrupt_when_photos_of_an_earlier_run_get_thumbnails_then_the_page_stays(
    album, tmp_path, monkeypatch, capsys
):
    photos = [album / f"{number}.jpg" for number in range(3)]
    words = ["--records", tmp_path / "rows.csv", "--gallery", tmp_path / "page.html"]
    assert image(*photos, *words) == 0
    before = (tmp_path / "page.html").read_bytes()
    shutil.move(photos.pop(0), tmp_path)
    made = []

    def interrupted(path: Path) -> tuple[bytes, bytes]:
        made.append(path)
        stopping.ask()
        return b"", b""

    monkeypatch.setattr(photo_reader, "thumbnail_of", interrupted)
    capsys.readouterr()
    assert image(*photos, album / "3.jpg", *words, "--resume") == 130
    told = capsys.readouterr()
    assert "livemood: 3 of 4 photos are done; " in told.err
    assert "gallery: " not in told.out
    assert len(made) == 1
    assert (tmp_path / "page.html").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--records", "x.csv", "--list-skipped", "x.csv"], "--list-skipped: x.csv is the file of --records"),
        (["--records", "x.csv", "--list-skipped", "x.csv.json"], "x.csv.json is the file of --records"),
        (["--records", "p.parquet", "--list-skipped", ".p.parquet.rows.jsonl"], "is the file of --records"),
        (["--gallery", "x.html", "--list-skipped", "album/../x.html"], "x.html is the file of --gallery"),
        (
            ["--sort-into", "s", "--list-skipped", "s/livemood-sorted.jsonl"],
            "--sort-into: s/livemood-sorted.jsonl is the file of",
        ),
        (["--list-skipped", "album/0.jpg"], "album/0.jpg is one of the inputs; choose another --list-skipped"),
        (["--out", "o", "--list-skipped", "o/0.jpg"], "--list-skipped: o/0.jpg is named as a photo or a sidecar"),
        (["--gallery", "x.pdf"], "x.pdf does not end in .html or .htm; give --gallery a name that does"),
        (["--list-skipped", "/dev/null"], "/dev/null is a device or a pipe; give --list-skipped a file"),
        (["--xmp", "--list-skipped", "album/0.jpg.XMP"], "--list-skipped: album/0.jpg.XMP is named as a photo or"),
    ],
    ids=lambda words: words if isinstance(words, str) else " ".join(words),
)
def test_file_when_wanted_twice_or_a_photo_then_refused(album, tmp_path, words, line, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = (album / "0.jpg").read_bytes()
    assert image("album", *words, "--force") in (1, 2)
    assert line in capsys.readouterr().err
    assert (album / "0.jpg").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["album"]

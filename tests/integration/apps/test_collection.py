"""Collections of photos through ``livemood image``: rows as they come, cores, order, sorting, copies."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from livemood.apps import photo_reader
from livemood.apps.collection import CollectionJob, CollectionSummary, _Placer, read_collection
from livemood.apps.photo import PhotoJob, PhotoOptions
from livemood.apps.session import Session
from livemood.bundles.heads import heads_of_bundle
from livemood.cli import run
from livemood.core.settings import DrawStyle, ReaderSettings
from livemood.records import Record
from livemood.records.inputs import Input, read_groups
from livemood.sources.image.decode import read_photo
from tests.support.builders import SAMPLES, read_still, refuse, refuse_reading
from tests.support.photos import image, rows


def test_summary_then_a_photo_that_failed_is_not_one_without_a_face():
    summary = CollectionSummary()
    for error in (None, "a.jpg is not a picture"):
        summary.add((Input("a.jpg", 8, 8, 0, error), ()))
    assert (summary.photos, summary.failed, summary.faceless) == (2, 1, 1)


def test_summary_then_its_strongest_faces_are_the_surest_of_all_photos():
    summary = CollectionSummary()
    for number in range(30):
        faces = tuple(Record(0, 0.0, 1, label=label, confidence=number * 7 % 30 / 30) for label in ("happy", "neutral"))
        summary.add((Input(f"{number}.jpg", 8, 8, 2), faces))
    assert [round(30 * one.confidence) for one in summary.strongest] == list(range(29, 19, -1))
    assert {one.label for one in summary.strongest} == {"happy"}


def test_copy_that_would_replace_another_photo_of_the_run_then_it_is_refused_even_by_force(tmp_path):
    photos = [tmp_path / "a.png", tmp_path / "out" / "a.png"]
    (tmp_path / "out").mkdir()
    for photo in photos:
        shutil.copy(SAMPLES / "faces.png", photo)
    before = photos[1].read_bytes()
    options = PhotoOptions(ReaderSettings(), DrawStyle(), force=True)
    job = CollectionJob(photos, options, copies=tmp_path / "out", force=True)
    reader = photo_reader.open_photo_reader(options)
    first, second = read_collection(job, reader.session.heads, open_reader=lambda: reader)
    assert str(first.error).endswith("a.png is one of the inputs; choose another out")
    assert (first.copy, second.copy) == (None, tmp_path / "out" / "a-2.png")
    assert photos[1].read_bytes() == before


def test_copy_of_a_photo_that_was_searched_at_a_part_of_its_size_then_as_large_as_the_photo(tmp_path):
    height, width = (4 * side for side in read_still(SAMPLES / "faces.png").shape[:2])
    cv2.imwrite(str(tmp_path / "a.jpg"), cv2.resize(read_still(SAMPLES / "faces.png"), (width, height)))
    options = PhotoOptions(ReaderSettings(), DrawStyle())
    result = photo_reader.open_photo_reader(options).read(PhotoJob(tmp_path / "a.jpg", tmp_path / "copy.jpg"))
    assert (result.width, result.height) == (width, height)
    assert read_still(tmp_path / "copy.jpg").shape == (height, width, 3)


def test_copy_when_a_process_was_killed_then_only_what_the_run_made_is_replaced(tmp_path):
    photos = [tmp_path / "a.png", tmp_path / "b.png"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"mine")
    options = PhotoOptions(ReaderSettings(), DrawStyle())
    placer = _Placer(CollectionJob(photos, options, copies=tmp_path / "out"), ())
    assert [placer.again(placer.job(photo)).replaces for photo in photos] == [False, True]


def test_copy_that_is_there_already_then_the_photo_has_no_copy_and_the_error_says_why(tmp_path):
    (tmp_path / "copy.png").write_bytes(b"mine")
    photo = PhotoJob(SAMPLES / "faces.png", tmp_path / "copy.png")
    result = photo_reader.open_photo_reader(PhotoOptions(ReaderSettings(), DrawStyle())).read(photo)
    assert result.copy is None
    assert "copy.png is there already" in str(result.error)
    assert len(result.moods) == 2
    assert (tmp_path / "copy.png").read_bytes() == b"mine"


@pytest.mark.parametrize(("size", "expected"), [((30, 40), (30, 40)), ((300, 400), (144, 192))])
def test_thumbnail_then_small_and_no_larger_than_its_photo(size, expected):
    data = photo_reader.thumbnail(np.zeros((*size, 3), np.uint8))
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[:2] == expected


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_records_then_hold_a_row_for_every_face_and_for_photos_without(album, tmp_path, suffix, capsys):
    target = tmp_path / f"rows{suffix}"
    assert image(album, "--records", target) == 1
    groups = list(read_groups(target))
    assert [Path(said.path).name for said, _ in groups] == [
        "0.jpg",
        "1.jpg",
        "2.jpg",
        "3.jpg",
        "broken.jpg",
        "empty.png",
    ]
    assert [len(faces) for _, faces in groups] == [2, 2, 2, 2, 0, 0]
    assert [said.faces for said, _ in groups] == [2, 2, 2, 2, 0, 0]
    assert "is not a picture" in str(groups[4][0].error)
    assert groups[4][0].width is None
    assert (groups[5][0].width, groups[5][0].height, groups[5][0].error) == (120, 90, None)
    assert groups[0][1][0].label == "happy"
    assert sum(groups[0][1][0].scores.values()) == pytest.approx(1, abs=1e-4)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert capsys.readouterr().err.count("\n") == 1


def test_records_when_read_by_two_processes_then_are_the_same_in_the_same_order(album, tmp_path, capsys):
    for jobs in (1, 2):
        assert image(album, "--records", tmp_path / f"{jobs}.jsonl", "--jobs", jobs, "--json") == 1
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    one, two = (text for text in capsys.readouterr().out.split("\n}\n") if text)
    assert one == two
    assert len(json.loads(one + "}")["images"]) == 6


def test_photos_when_other_processes_read_them_then_this_one_loads_neither_networks_nor_decoders(album, tmp_path):
    code = (
        "import atexit, sys\n"
        f"sys.argv = ['livemood', 'image', {str(album)!r}, '--records', 'rows.csv', '--jobs', '2']\n"
        "atexit.register(lambda: print([name for name in ('cv2', 'ai_edge_litert', 'av') if name in sys.modules]))\n"
        "from livemood.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1  # one photo is broken
    assert len(rows(tmp_path / "rows.csv")) == 10
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("side", "decoded"), [(2000, 1), (240, 2)], ids=["large faces", "small faces"])
def test_large_photo_then_its_faces_are_those_of_its_full_size(tmp_path, small, monkeypatch, side, decoded):
    canvas = np.full((3000, 4000, 3), 90, np.uint8)
    people = cv2.resize(small, (side, side * 9 // 16), interpolation=cv2.INTER_AREA)
    canvas[500 : 500 + people.shape[0], 600 : 600 + side] = people
    cv2.imwrite(str(tmp_path / "large.jpg"), canvas)
    sides = []

    def read(path, side):
        sides.append(side)
        return read_photo(path, side)

    monkeypatch.setattr(photo_reader, "read_photo", read)
    assert image(tmp_path / "large.jpg", "--csv", tmp_path / "rows.csv") == 0
    assert len(sides) == decoded
    with Session() as session:
        full = session.read_photo(canvas)
    found = rows(tmp_path / "rows.csv")
    assert [row["label"] for row in found] == [mood.label for mood in full]
    for row, mood in zip(found, full, strict=True):
        assert [float(row[f"box_{edge}"]) for edge in ("left", "top", "right", "bottom")] == pytest.approx(
            [mood.box.left, mood.box.top, mood.box.right, mood.box.bottom], abs=0.01 * side
        )


def test_model_when_it_is_called_default_then_is_the_shipped_one(tmp_path):
    for name, words in (("a", ()), ("b", ("--model", "default"))):
        assert image(SAMPLES / "faces.png", "--records", tmp_path / f"{name}.jsonl", *words) == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_json_when_printed_piece_by_piece_then_is_what_json_would_print(album, capsys):
    image(album, "--json")
    text = capsys.readouterr().out
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n"


def test_many_photos_then_a_summary_in_place_of_a_table(tmp_path, small, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    album = tmp_path / "album"
    album.mkdir()
    data = cv2.imencode(".jpg", small)[1].tobytes()
    for number in range(60):
        (album / f"{number}.jpg").write_bytes(data if number else b"\xff\xd8")
    assert image(album, "--jobs", 1) == 1
    told = capsys.readouterr()
    assert "60 photos, 118 faces; 0 without a face, 1 failed" in told.out
    assert "50.0%" in told.out
    assert told.out.count(".jpg") == 10
    assert told.err.count("\n") == 1


def test_errors_when_there_are_very_many_then_a_few_are_shown_and_the_rest_counted(tmp_path, capsys):
    for number in range(300):
        (tmp_path / f"{number}.jpg").write_bytes(b"\xff\xd8")
    assert image(tmp_path, "--jobs", 1) == 1
    assert capsys.readouterr().err.splitlines()[10:] == ["livemood: 290 more photos failed"]


def test_photo_when_it_may_not_be_read_then_the_others_are(tmp_path, monkeypatch, capsys):
    for name in ("locked.jpg", "open.jpg"):
        shutil.copy(SAMPLES / "faces.png", tmp_path / name)
    refuse_reading(monkeypatch, tmp_path / "locked.jpg")
    assert image(tmp_path / "locked.jpg", tmp_path / "open.jpg", "--json") == 1
    told = capsys.readouterr()
    said = f"{tmp_path / 'locked.jpg'} cannot be read (Permission denied); check its permissions"
    assert told.err == f"livemood: {said}\n"
    assert [(len(one["faces"]), one["error"]) for one in json.loads(told.out)["images"]] == [(0, said), (2, None)]


def test_files_that_are_skipped_then_counted_by_kind_and_listed(album, tmp_path, capsys):
    for name in ("a.cr2", "b.NEF", "c.mov", ".hidden.jpg", "a.jpg.xmp", "d\x1b[31m.txt", "e\rf.txt"):
        (album / name).touch()
    (album / "loop").symlink_to(album)
    (album / ".hidden").mkdir()
    shutil.copy(album / "0.jpg", album / ".hidden")
    listed = tmp_path / "skipped.csv"
    assert image(album, "--list-skipped", listed) == 1
    err = capsys.readouterr().err
    assert "livemood: note: 2 x raw photo skipped: export it as JPEG" in err
    assert "1 x video skipped: livemood video reads it" in err
    assert "1 x link to a folder skipped" in err
    assert "sidecar" not in err
    assert "\x1b" not in err
    assert {Path(row["path"]).name: row["kind"] for row in rows(listed)} == {
        ".hidden": "hidden folder",
        ".hidden.jpg": "hidden file",
        "a.jpg.xmp": "sidecar",
        "a.cr2": "raw photo",
        "b.NEF": "raw photo",
        "c.mov": "video",
        "d\x1b[31m.txt": "other file",
        "e\rf.txt": "other file",
        "loop": "link to a folder",
    }


def test_folder_when_it_holds_nothing_that_can_be_read_then_one_line_says_what_it_holds(tmp_path, capsys):
    assert image(tmp_path) == 1
    assert capsys.readouterr().err == f"livemood: {tmp_path} contains no pictures\n"
    for name in ("a.cr2", "b.cr2", "c.mov"):
        (tmp_path / name).touch()
    listed = tmp_path.with_suffix(".csv")
    assert image(tmp_path, "--list-skipped", listed) == 1
    assert capsys.readouterr().err == f"livemood: {tmp_path} contains no pictures (2 x raw photo, 1 x video)\n"
    assert [Path(row["path"]).name for row in rows(listed)] == ["a.cr2", "b.cr2", "c.mov"]


def test_name_when_it_holds_a_terminals_commands_then_they_are_shown_and_not_sent(tmp_path, small, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    cv2.imwrite(str(tmp_path / "p.png"), small)
    (tmp_path / "p.png").rename(tmp_path / "a\x1b[31mred\x07\u202e.png")
    (tmp_path / "b\x1b]0;title\x07.jpg").write_bytes(b"\xff\xd8")
    assert image(tmp_path, "--records", tmp_path / "rows.csv") == 1
    told = capsys.readouterr()
    assert not {"\x1b", "\x07", "\u202e"} & set(told.out + told.err)
    assert "a\\x1b[31mred" in told.out.replace("\n", "")
    assert "b\\x1b]0;title\\x07.jpg" in told.err
    assert any(row["path"].endswith("a\x1b[31mred\x07\u202e.png") for row in rows(tmp_path / "rows.csv"))


class TestSorting:
    @pytest.fixture
    def photos(self, tmp_path, album):
        (album / "deeper").mkdir()
        shutil.copy(album / "0.jpg", album / "deeper" / "0.jpg")
        for file in album.rglob("*.*"):
            os.utime(file, (1_000_000_000, 1_000_000_000))
        return {path.relative_to(album).as_posix(): path.read_bytes() for path in album.rglob("*.*") if path.is_file()}

    @pytest.mark.parametrize("how", ["--copy", "--move", "--link"])
    def test_sorted_and_undone_then_all_is_as_it_was(self, album, tmp_path, photos, how, capsys):
        target = tmp_path / "sorted"
        assert image(album, "--sort-into", target, how) == 1
        placed = {path.relative_to(target).as_posix() for path in target.rglob("*.*") if path.parent != target}
        assert placed == {
            "happy/0.jpg",
            "happy/1.jpg",
            "happy/2.jpg",
            "happy/3.jpg",
            "happy/0-2.jpg",
            "no-face/empty.png",
        }
        assert all((target / name).stat().st_mtime == 1_000_000_000 for name in placed)
        left = {path.relative_to(album).as_posix() for path in album.rglob("*.*") if path.is_file()}
        assert left == (set(photos) if how != "--move" else {"broken.jpg"})
        if how == "--link":
            assert (target / "happy" / "1.jpg").samefile(album / "1.jpg")
        assert run(["undo", str(target)]) == 0
        assert not target.exists()
        now = {path.relative_to(album).as_posix(): path.read_bytes() for path in album.rglob("*.*") if path.is_file()}
        assert now == photos

    def test_sorted_twice_then_nothing_is_doubled(self, album, tmp_path, photos):
        for _ in range(2):
            image(album, "--sort-into", tmp_path / "sorted")
        assert len(list((tmp_path / "sorted").rglob("*.jpg"))) == 5

    def test_folder_when_no_photo_could_be_sorted_then_neither_made_nor_named(self, album, tmp_path, capsys):
        target = tmp_path / "sorted"
        assert image(album / "broken.jpg", "--sort-into", target) == 1
        assert "sorted into" not in capsys.readouterr().out
        assert not target.exists()
        assert image(album / "0.jpg", "--sort-into", target) == 0
        assert f"sorted into: {target}\n" in capsys.readouterr().out

    @pytest.mark.parametrize("option", ["--out", "--sort-into"])
    def test_folder_when_its_name_is_too_long_then_the_line_names_it(self, album, tmp_path, option, capsys):
        target = tmp_path / ("x" * 300)
        assert image(album / "0.jpg", option, target) == 1
        told = capsys.readouterr().err
        assert str(target) in told
        assert "could not be written (File name too long); try another " + option in told
        assert "livemood-sorted" not in told

    def test_sorted_inside_its_own_folder_then_its_own_output_is_not_read(self, album, photos, capsys):
        for _ in range(2):
            image(album, "--sort-into", album, "--copy")
        assert sorted(path.name for path in (album / "happy").iterdir()) == [
            "0-2.jpg",
            "0.jpg",
            "1.jpg",
            "2.jpg",
            "3.jpg",
        ]
        image(album, "--out", album / "copies")
        capsys.readouterr()
        image(album, "--out", album / "copies", "--force", "--json")
        read = [one["path"] for one in json.loads(capsys.readouterr().out)["images"]]
        assert not [path for path in read if "copies" in path]

    def test_folder_when_files_are_there_then_they_stay(self, album, tmp_path, photos):
        mine = tmp_path / "sorted" / "happy" / "1.jpg"
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")
        image(album / "1.jpg", "--sort-into", tmp_path / "sorted", "--move")
        assert mine.read_text() == "mine"
        assert (mine.parent / "1-2.jpg").read_bytes() == photos["1.jpg"]
        run(["undo", str(tmp_path / "sorted")])
        assert mine.read_text() == "mine"
        assert (album / "1.jpg").read_bytes() == photos["1.jpg"]

    def test_copies_when_they_would_lie_among_sorted_photos_then_none_is_replaced(
        self, album, tmp_path, photos, capsys
    ):
        target = tmp_path / "sorted"
        assert image(album / "0.jpg", "--sort-into", target, "--move") == 0
        assert image(album / "deeper", "--out", target / "happy", "--force") == 1
        moved = target / "happy" / "0.jpg"
        assert f"{moved} is a sorted photo; choose another --out" in capsys.readouterr().err
        assert image(album / "deeper", "--sort-into", target, "--out", target / "happy", "--force") == 1
        assert f"{target / 'happy'} is where photos are sorted into; choose another --out" in capsys.readouterr().err
        assert moved.read_bytes() == photos["0.jpg"]
        assert image(album / "deeper", "--sort-into", target, "--out", target / "annotated") == 0

    def test_undo_when_something_changed_then_that_stays_and_is_said(self, album, tmp_path, photos, capsys):
        target = tmp_path / "sorted"
        image(*(album / f"{n}.jpg" for n in range(4)), "--sort-into", target)
        (target / "happy" / "0.jpg").write_text("edited")
        (album / "1.jpg").unlink()
        capsys.readouterr()
        assert run(["undo", str(target)]) == 1
        told = capsys.readouterr()
        assert "2 undone, 2 not changed" in told.out
        assert "0.jpg was changed, and stays" in told.err
        assert "1.jpg stays: " in told.err
        assert (target / "happy" / "0.jpg").read_text() == "edited"
        assert (target / "happy" / "1.jpg").read_bytes() == photos["1.jpg"]

    def test_undo_when_the_old_place_is_taken_then_nothing_is_replaced(self, album, tmp_path, photos, capsys):
        target = tmp_path / "sorted"
        image(album / "0.jpg", "--sort-into", target, "--move")
        (album / "0.jpg").write_text("new")
        assert run(["undo", str(target)]) == 1
        assert (album / "0.jpg").read_text() == "new"
        (album / "0.jpg").unlink()
        assert run(["undo", str(target)]) == 0
        assert (album / "0.jpg").read_bytes() == photos["0.jpg"]

    def test_undo_when_there_is_nothing_to_undo_then_one_line(self, tmp_path, capsys):
        assert run(["undo", str(tmp_path)]) == 1
        assert "has no livemood-sorted.jsonl; name a folder that photos were sorted into" in capsys.readouterr().err

    def test_two_ways_at_once_then_a_usage_error(self, album, tmp_path, capsys):
        assert image(album, "--sort-into", tmp_path / "s", "--copy", "--move") == 2

    @pytest.mark.parametrize("words", [["--copy"], ["--move"], ["--link"], ["--sort-by", "most"]], ids=" ".join)
    def test_way_when_there_is_no_folder_to_sort_into_then_a_usage_error(self, album, words, capsys):
        assert image(album, *words) == 2
        assert f"{words[0]}: there is no folder to sort into; add --sort-into" in capsys.readouterr().err

    def test_way_when_a_configuration_sets_it_and_nothing_is_sorted_then_no_error(self, album, tmp_path, monkeypatch):
        (tmp_path / "livemood.toml").write_text('[image]\nsort-by = "smile"\n')
        monkeypatch.chdir(tmp_path)
        assert image(album / "empty.png") == 0


class TestSidecars:
    def test_xmp_then_lies_beside_and_the_photo_is_untouched(self, album):
        before = (album / "0.jpg").read_bytes()
        image(album / "0.jpg", "--xmp")
        image(album / "0.jpg", "--xmp")
        text = (album / "0.jpg.xmp").read_text()
        assert text.count("mood:happy") == 1
        assert text.count('mwg-rs:Type="Face"') == 2
        assert (album / "0.jpg").read_bytes() == before

    def test_sidecar_when_it_cannot_be_written_then_its_photo_is_sorted_and_others_go_on(
        self, album, tmp_path, small, capsys
    ):
        long = f"{'0' * 250}.jpg"
        cv2.imwrite(str(album / "long.jpg"), small)
        (album / "long.jpg").rename(album / long)
        assert (
            image(album / long, album / "1.jpg", "--xmp", "--sort-into", tmp_path / "s", "--out", tmp_path / "o") == 1
        )
        placed = {path.relative_to(tmp_path).as_posix() for top in ("s", "o") for path in (tmp_path / top).rglob("*.*")}
        assert {f"s/happy/{long}", "s/happy/1.jpg", "s/happy/1.jpg.xmp", f"o/{long}", "o/1.jpg"} <= placed
        assert f"{long}.xmp could not be written (File name too long)\n" in capsys.readouterr().err

    def test_sidecar_when_its_photo_is_moved_then_goes_with_it_and_comes_back(self, album, tmp_path):
        image(album / "0.jpg", "--xmp", "--sort-into", tmp_path / "s", "--move")
        assert (tmp_path / "s" / "happy" / "0.jpg.xmp").is_file()
        run(["undo", str(tmp_path / "s")])
        assert (album / "0.jpg.xmp").is_file()


class DeadlyOnce(type(Path())):  # type: ignore[misc]
    """A photo that kills the process of a pool which sends its result back, unless it did so before."""

    def __reduce__(self):
        mark = Path(f"{self}.died")
        if multiprocessing.parent_process() and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return DeadlyOnce, (str(self),)


def test_annotated_copies_when_a_process_is_killed_after_one_then_that_is_no_obstacle(tmp_path, small):
    names = [tmp_path / f"{letter}.jpg" for letter in "abc"]
    for name in names:
        cv2.imwrite(str(name), small)
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "b.jpg").write_bytes(b"mine")
    options = PhotoOptions(ReaderSettings(), DrawStyle())
    job = CollectionJob([DeadlyOnce(names[0]), *names[1:]], options, processes=2, copies=copies)
    results = list(read_collection(job, heads_of_bundle(None, None)))
    assert (tmp_path / "a.jpg.died").exists()
    assert [result.error is None for result in results] == [True, False, True]
    assert "b.jpg is there already" in str(results[1].error)
    assert (copies / "b.jpg").read_bytes() == b"mine"
    assert (copies / "a.jpg").stat().st_size == (copies / "c.jpg").stat().st_size > 10_000


@pytest.mark.parametrize("form", ["jpg", "png", "webp"])
def test_annotated_copy_then_keeps_exif_and_profile_and_is_upright(tmp_path, small, form):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = PillowImage.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    lying = PillowImage.fromarray(cv2.cvtColor(np.ascontiguousarray(np.rot90(small)), cv2.COLOR_BGR2RGB))
    lying.save(tmp_path / f"a.{form}", exif=exif, icc_profile=profile)
    assert image(tmp_path / f"a.{form}", "--out", tmp_path / "o") == 0
    with PillowImage.open(tmp_path / "o" / f"a.{form}") as copy:
        assert copy.size == (640, 360)
        assert copy.info["icc_profile"] == profile
        assert (copy.getexif()[0x0112], copy.getexif()[0x010F]) == (1, "Maker")


def test_annotated_copy_of_a_format_that_cannot_be_written_in_colour_then_is_a_jpeg(tmp_path, small):
    import pillow_heif

    pillow_heif.from_pillow(PillowImage.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))).save(tmp_path / "a.heic")
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    for name in ("b.pgm", "c.pbm"):
        cv2.imwrite(str(tmp_path / name), grey)
    assert image(tmp_path, "--out", tmp_path / "o") == 0
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["a.jpg", "b.jpg", "c.jpg"]


def test_links_that_lead_nowhere_then_they_are_skipped_or_refused(tmp_path, small, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("album").mkdir()
    cv2.imwrite("album/a.png", small)
    for link in (Path("album/loop.jpg"), Path("loop.jpg"), Path("sl")):
        link.symlink_to(link.name)
    Path("album/private.jpg").symlink_to("/private/a.jpg")
    refuse(monkeypatch, "stat", Path("album/private.jpg"))
    assert image("album", "--out", "copies") == 0
    assert "2 x broken link skipped" in capsys.readouterr().err
    assert [path.name for path in Path("copies").iterdir()] == ["a.png"]
    assert image("loop.jpg", "album/private.jpg", "--out", "copies") == 1
    assert capsys.readouterr().err.splitlines() == [
        "livemood: loop.jpg cannot be read (Too many levels of symbolic links)",
        "livemood: album/private.jpg cannot be read (Permission denied); check its permissions",
    ]
    for option in ("--out", "--sort-into"):
        assert image("album", option, "sl") == 1
        assert f"sl is a broken link; give {option} a folder" in capsys.readouterr().err


def test_name_when_it_is_too_long_for_a_sidecar_then_the_photo_has_an_error_and_the_others_are_done(
    tmp_path, small, capsys
):
    (tmp_path / "album").mkdir()
    for name in ("a" * 250, "z"):
        (tmp_path / "album" / f"{name}.jpg").write_bytes(cv2.imencode(".jpg", small)[1].tobytes())
    assert image(tmp_path / "album", "--out", tmp_path / "copies", "--xmp") == 1
    assert capsys.readouterr().err.count("could not be written (File name too long)") == 1
    assert sorted(path.name for path in (tmp_path / "copies").iterdir()) == [f"{'a' * 250}.jpg", "z.jpg"]
    assert (tmp_path / "album" / "z.jpg.xmp").exists()

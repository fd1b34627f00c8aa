"""The way back of sorted photos; nothing is lost on it."""

import json
import os
from pathlib import Path

import pytest

from livemood.core.errors import LivemoodError, SinkError
from livemood.sinks.sorted_folder import MANIFEST, SortedFolder
from livemood.sinks.undo_sorting import undo


@pytest.fixture
def photo(tmp_path):
    """Return the path of a photo in a folder of its own."""
    path = tmp_path / "photos" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(b"old")
    os.utime(path, ns=(1, 1_000_000_000_123_456_789))
    return path


@pytest.fixture
def place(tmp_path):
    """Return the path at which the photo is sorted."""
    return tmp_path / "sorted" / "happy" / "a.jpg"


def sort(photo, place, how):
    with SortedFolder(place.parent.parent, how) as sorted_folder:
        sorted_folder.put(photo, "happy")


def kept(place):
    """Undo; return why each photo was kept."""
    return [one.kept for one in undo(place.parent.parent)]


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_undo_when_photos_lie_in_folders_of_folders_then_all_of_them_are_removed(tmp_path, how):
    photos = [tmp_path / f"{number}.jpg" for number in range(3)]
    for photo in photos:
        photo.write_bytes(photo.name.encode())
    with SortedFolder(tmp_path / "sorted", how) as sorted_folder:
        for photo, label in zip(photos, ("happy/open", "happy/closed", "sad"), strict=True):
            sorted_folder.put(photo, label)
    assert (tmp_path / "sorted" / "happy" / "open" / "0.jpg").read_bytes() == b"0.jpg"
    assert [step.kept for step in undo(tmp_path / "sorted")] == [None] * 3
    assert [photo.read_bytes() for photo in photos] == [b"0.jpg", b"1.jpg", b"2.jpg"]
    assert not (tmp_path / "sorted").exists()


@pytest.mark.parametrize(("how", "in_place"), [("copy", True), ("copy", False), ("link", False)])
def test_undo_when_the_original_was_changed_then_the_last_copy_of_the_old_photo_stays(photo, place, how, in_place):
    sort(photo, place, how)
    if not in_place:
        photo.unlink()
    photo.write_bytes(b"new")
    assert kept(place) == [f"{place} stays: {photo} is not the same any more"]
    assert place.read_bytes() == b"old"


@pytest.mark.parametrize("how", ["copy", "move"])
def test_undo_when_the_old_path_is_a_link_to_the_sorted_photo_then_the_photo_stays(photo, place, how):
    sort(photo, place, how)
    photo.unlink(missing_ok=True)
    photo.symlink_to(place)
    assert None not in kept(place)
    assert photo.read_bytes() == b"old"


def test_undo_when_the_sorted_one_is_a_symbolic_link_then_removed(photo, place, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: Path("not there").stat())
    sort(photo, place, "link")
    assert place.is_symlink()
    photo.write_bytes(b"new")
    assert kept(place) == [None]
    assert photo.read_bytes() == b"new"


def test_undo_when_the_file_system_has_coarse_times_then_copies_are_removed(photo, place):
    sort(photo, place, "copy")
    os.utime(place, (1_000_000_000, 1_000_000_000))
    assert kept(place) == [None]
    assert not place.exists()


def test_undo_when_a_moved_photo_is_at_its_old_path_too_then_the_sorted_one_is_removed(photo, place):
    sort(photo, place, "move")
    photo.write_bytes(b"old")
    assert kept(place) == [None]
    assert photo.read_bytes() == b"old"
    assert not place.exists()


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_undo_when_a_step_was_never_done_then_it_is_not_told(photo, place, how):
    sort(photo, place, how)
    if how == "move":
        place.replace(photo)
    else:
        place.unlink()
    assert kept(place) == []
    assert not place.parent.parent.exists()


def test_undo_when_a_photo_cannot_be_put_back_then_the_reason_names_no_option(photo, place):
    sort(photo, place, "move")
    photo.parent.rmdir()
    photo.parent.write_text("no folder")
    (told,) = kept(place)
    assert told.startswith(f"{place} stays: {photo} could not be written (")
    assert told.endswith(")")
    assert place.read_bytes() == b"old"


def test_undo_when_the_log_cannot_be_written_then_the_error_names_no_option(photo, place):
    other = photo.with_name("b.jpg")
    other.write_bytes(b"other")
    for one in (photo, other):
        sort(one, place, "copy")
    other.write_bytes(b"changed")
    place.parent.with_name(f".{MANIFEST}.part").mkdir()
    with pytest.raises(SinkError, match=r"could not be written \([^;]*\)$"):
        kept(place)


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 2},
        {"how": "burn"},
        {"how": None},
        {"source": 1},
        {"source": "a\0.jpg"},
        {"target": "../photos/b.jpg"},
        {"target": "happy/../../photos/b.jpg"},
        {"target": "."},
        {"target": ""},
        {"link": 1},
        {"size": None, "more": 1},
    ],
    ids=str,
)
def test_undo_when_a_line_of_the_log_is_none_of_ours_then_nothing_is_changed(photo, place, changed):
    other = photo.with_name("b.jpg")
    other.write_bytes(b"other")
    sort(photo, place, "move")
    log = place.parent.with_name(MANIFEST)
    step = json.loads(log.read_text())
    log.write_text(log.read_text() + json.dumps({**step, **changed}) + "\n")
    before = log.read_bytes()
    with pytest.raises(LivemoodError, match=rf"{MANIFEST} is damaged or from another livemood; nothing was changed$"):
        kept(place)
    assert (place.read_bytes(), other.read_bytes(), log.read_bytes()) == (b"old", b"other", before)
    assert not photo.exists()


@pytest.mark.parametrize("line", ["[" * 100_000, "1", "{}", '{"v": 1', "\xff"])
def test_undo_when_a_line_of_the_log_is_no_step_then_nothing_is_changed(photo, place, line):
    sort(photo, place, "move")
    with place.parent.with_name(MANIFEST).open("a", encoding="latin-1") as log:
        log.write(f"{line}\n")
    with pytest.raises(LivemoodError, match="is damaged or from another livemood; nothing was changed"):
        kept(place)
    assert place.read_bytes() == b"old"


def test_undo_when_the_last_line_of_the_log_is_incomplete_then_the_others_are_undone(photo, place):
    sort(photo, place, "move")
    with place.parent.with_name(MANIFEST).open("a") as log:
        log.write('{"how": "mo')
    assert kept(place) == [None]
    assert photo.read_bytes() == b"old"
    assert not place.parent.parent.exists()


def test_undo_when_a_photo_was_sorted_again_and_again_then_it_goes_back_step_by_step(tmp_path, photo, place):
    sort(photo, place, "move")
    with SortedFolder(tmp_path / "sorted", "move") as sorted_folder:
        assert sorted_folder.put(place, "sad") == tmp_path / "sorted" / "sad" / "a.jpg"
    assert kept(place) == [None, None]
    assert photo.read_bytes() == b"old"


def test_undo_when_another_photo_is_at_the_old_path_then_both_stay_and_it_is_told(photo, place):
    sort(photo, place, "move")
    photo.write_bytes(b"new")
    assert kept(place) == [f"{photo} is there already; {place} stays where it is"]
    assert (photo.read_bytes(), place.read_bytes()) == (b"new", b"old")


@pytest.mark.parametrize("how", ["copy", "link"])
def test_undo_when_the_original_is_gone_then_the_sorted_one_stays_and_it_is_told(photo, place, how):
    sort(photo, place, how)
    photo.unlink()
    assert kept(place) == [f"{place} stays: {photo} is not there any more"]
    assert place.read_bytes() == b"old"


def test_undo_when_a_moved_photo_is_gone_then_it_is_told_that_it_is_nowhere(photo, place):
    sort(photo, place, "move")
    place.unlink()
    assert kept(place) == [f"{place} and {photo} are not there any more"]

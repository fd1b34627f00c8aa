"""Which folder a photo is sorted into, which photos are sorted, and how."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from livemood.core.errors import SinkError
from livemood.core.types import HeadMood, Mood
from livemood.sinks.sorted_folder import SortedFolder, folder_for
from livemood.sinks.undo_sorting import undo
from tests.support.builders import make_mood


def smiling(kind: str, label: str = "happy") -> Mood:
    """Return the mood of a face of which the head ``smile`` says ``kind``."""
    return replace(make_mood(label=label), others={"smile": HeadMood(kind, 0.9, {}, {})})


@pytest.mark.parametrize(
    ("moods", "by", "folder"),
    [
        ([], "smile", "no-face"),
        ([make_mood(label="unsure")], "smile", "unsure"),
        ([smiling("open")], "smile", "happy/open"),
        ([smiling("closed")], "smile", "happy/closed"),
        ([smiling("closed")], "most", "happy"),
        ([smiling("closed")], "largest", "happy"),
        ([smiling("none")], "smile", "happy"),
        ([smiling("unsure")], "smile", "happy"),
        ([make_mood()], "smile", "happy"),
        ([smiling("open", "surprise")], "smile", "surprise"),
        ([smiling("closed"), smiling("open"), smiling("open")], "smile", "happy/open"),
        ([smiling("closed"), smiling("open")], "smile", "happy/closed"),
        ([smiling("open"), make_mood(label="sad"), make_mood(label="sad")], "smile", "sad"),
    ],
)
def test_folder_when_sorted_by_then_named_after_the_faces(moods, by, folder):
    assert folder_for(moods, by) == folder


@pytest.fixture
def photo(tmp_path):
    """Return the path of a photo in a folder of its own."""
    path = tmp_path / "photos" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(b"old")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def contents(folder):
    """Return the contents of the sorted photos by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpg*")}


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_new_photo_when_at_the_path_of_an_earlier_one_then_sorted_too(tmp_path, photo, how):
    SortedFolder(tmp_path / "sorted", how).put(photo, "happy")
    photo.unlink(missing_ok=True)
    photo.write_bytes(b"new")
    sorted_folder = SortedFolder(tmp_path / "sorted", how)
    for label in ("happy", "sad"):  # of two spellings of one path the second has nothing left to do
        sorted_folder.put(photo, label)
    assert contents(tmp_path / "sorted") == {"happy/a.jpg": b"old", "happy/a-2.jpg": b"new"}
    assert photo.exists() == (how != "move")


@pytest.mark.parametrize("how", ["copy", "link"])
def test_photo_when_only_its_time_changed_then_not_sorted_again(tmp_path, photo, how):
    SortedFolder(tmp_path / "sorted", how).put(photo, "happy")
    os.utime(photo, (2_000_000_000, 2_000_000_000))
    SortedFolder(tmp_path / "sorted", how).put(photo, "happy")
    assert contents(tmp_path / "sorted") == {"happy/a.jpg": b"old"}


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_photo_when_its_name_leaves_no_room_for_a_sidecar_then_sorted(tmp_path, photo, how):
    long = photo.rename(photo.with_name("x" * 251 + ".jpg"))
    SortedFolder(tmp_path / "sorted", how).put(long, "happy")
    assert contents(tmp_path / "sorted") == {f"happy/{long.name}": b"old"}


def test_relative_link_when_moved_then_leads_to_the_same_file_and_comes_back_as_it_was(tmp_path, photo):
    link = tmp_path / "album" / "b.jpg"
    link.parent.mkdir()
    link.symlink_to("../photos/a.jpg")
    SortedFolder(tmp_path / "sorted", "move").put(link, "happy")
    assert not os.path.lexists(link)
    assert (tmp_path / "sorted" / "happy" / "b.jpg").resolve() == photo
    assert [step.kept for step in undo(tmp_path / "sorted")] == [None]
    assert str(link.readlink()) == "../photos/a.jpg"


def test_move_when_the_original_cannot_be_removed_then_said_and_nothing_is_doubled(tmp_path, photo, monkeypatch):
    unlink = Path.unlink

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    monkeypatch.setattr(
        Path, "unlink", lambda path, missing_ok=False: refuse() if path == photo else unlink(path, missing_ok)
    )
    with pytest.raises(SinkError) as told:
        SortedFolder(tmp_path / "sorted", "move").put(photo, "happy")
    assert str(told.value) == f"{photo} could not be removed (Permission denied); use copy or link"
    assert photo.read_bytes() == b"old"
    assert contents(tmp_path / "sorted") == {}

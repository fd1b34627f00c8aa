"""Which folder a photo is sorted into, which photos are sorted, and how."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from livemood.core.errors import LivemoodError, SinkError
from livemood.core.types import HeadMood, Mood
from livemood.sinks.sorted_folder import MANIFEST, SortedFolder, folder_for
from livemood.sinks.undo_sorting import undo
from tests.support.builders import make_mood, refuse_reading


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


def sort(photo, folder, how, *labels):
    """Put a photo into the folder of a label, once for each; return where it is then."""
    with SortedFolder(folder, how) as sorted_folder:
        return [sorted_folder.put(photo, label) for label in labels or ("happy",)][-1]


def contents(folder):
    """Return the contents of the sorted photos by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpg*")}


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_new_photo_when_at_the_path_of_an_earlier_one_then_sorted_too(tmp_path, photo, how):
    sort(photo, tmp_path / "sorted", how)
    photo.unlink(missing_ok=True)
    photo.write_bytes(b"new")
    sort(photo, tmp_path / "sorted", how, "happy", "sad")  # of two spellings of one path the second has nothing to do
    assert contents(tmp_path / "sorted") == {"happy/a.jpg": b"old", "happy/a-2.jpg": b"new"}
    assert photo.exists() == (how != "move")


@pytest.mark.parametrize("how", ["copy", "link"])
def test_photo_when_only_its_time_changed_then_not_sorted_again(tmp_path, photo, how):
    sort(photo, tmp_path / "sorted", how)
    os.utime(photo, (2_000_000_000, 2_000_000_000))
    sort(photo, tmp_path / "sorted", how)
    assert contents(tmp_path / "sorted") == {"happy/a.jpg": b"old"}


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_photo_when_its_name_leaves_no_room_for_a_sidecar_then_sorted(tmp_path, photo, how):
    long = photo.rename(photo.with_name("x" * 251 + ".jpg"))
    sort(long, tmp_path / "sorted", how)
    assert contents(tmp_path / "sorted") == {f"happy/{long.name}": b"old"}


def test_relative_link_when_moved_then_leads_to_the_same_file_and_comes_back_as_it_was(tmp_path, photo):
    link = tmp_path / "album" / "b.jpg"
    link.parent.mkdir()
    link.symlink_to("../photos/a.jpg")
    sort(link, tmp_path / "sorted", "move")
    assert not os.path.lexists(link)
    assert (tmp_path / "sorted" / "happy" / "b.jpg").resolve() == photo
    assert [step.kept for step in undo(tmp_path / "sorted")] == [None]
    assert str(link.readlink()) == "../photos/a.jpg"


def test_move_when_the_original_cannot_be_removed_then_said_and_nothing_is_doubled(tmp_path, photo, monkeypatch):
    unlink = Path.unlink

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    for name in ("link", "rename"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(
        Path, "unlink", lambda path, missing_ok=False: refuse() if path == photo else unlink(path, missing_ok)
    )
    with pytest.raises(SinkError) as told:
        sort(photo, tmp_path / "sorted", "move")
    assert str(told.value) == f"{photo} could not be removed (Permission denied); use copy or link"
    assert photo.read_bytes() == b"old"
    assert contents(tmp_path / "sorted") == {}


@pytest.mark.parametrize("how", ["copy", "move", "link"])
@pytest.mark.parametrize("earlier", [False, True])
def test_photo_when_the_disk_is_full_then_nothing_of_it_is_left(tmp_path, photo, monkeypatch, how, earlier):
    folder = tmp_path / "sorted"
    if earlier:
        (tmp_path / "b.jpg").write_bytes(b"b")
        sort(tmp_path / "b.jpg", folder, how, "sad")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        for owner, name in ((os, "link"), (os, "rename"), (shutil, "copy2"), (Path, "symlink_to")):
            patch.setattr(owner, name, full)
        with pytest.raises(SinkError, match=r"happy/open/a\.jpg could not be written \(No space left on device\)"):
            sort(photo, folder, how, "happy/open")
    assert photo.read_bytes() == b"old"
    assert folder.exists() == earlier
    if earlier:
        assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, "sad"]
        assert [step.kept for step in undo(folder)] == [None]


def test_photo_when_another_file_appears_where_it_is_moved_then_neither_is_lost(tmp_path, photo, monkeypatch):
    there = tmp_path / "sorted" / "happy" / "a.jpg"
    lexists = os.path.lexists

    def seen_before(path):
        """Answer, and only then let another program write the file."""
        answer = lexists(path)
        there.write_bytes(b"theirs")
        return answer

    monkeypatch.setattr(os.path, "lexists", seen_before)
    there.parent.mkdir(parents=True)
    with pytest.raises(SinkError, match=r"happy/a\.jpg is there already"):
        sort(photo, tmp_path / "sorted", "move")
    assert (there.read_bytes(), photo.read_bytes()) == (b"theirs", b"old")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_folder_when_another_run_sorts_into_it_then_neither_sorted_into_nor_undone(tmp_path, photo):
    folder = tmp_path / "sorted"
    sort(photo, folder, "copy")
    with SortedFolder(folder, "move") as first:
        with pytest.raises(SinkError, match=r"sorted is being written by another run; wait, or use another sort_into"):
            SortedFolder(folder, "move")
        with pytest.raises(SinkError, match=r"sorted is being written by another run; wait until it ends"):
            list(undo(folder))
        first.put(photo.rename(photo.with_name("b.jpg")), "happy")
    assert contents(folder) == {"happy/a.jpg": b"old", "happy/b.jpg": b"old"}


def test_folder_when_nothing_was_put_into_it_then_it_is_there_only_if_it_was(tmp_path):
    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "mine", tmp_path / "new" / "sorted"):
        with SortedFolder(folder, "copy"):
            pass
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


@pytest.mark.parametrize("how", ["copy", "link"])
def test_sidecar_when_it_is_written_after_its_photo_was_sorted_then_put_beside_it_and_kept_up_to_date(
    tmp_path, photo, how
):
    folder, sidecar = tmp_path / "sorted", photo.with_name("a.jpg.xmp")
    sort(photo, folder, how)
    for text in (b"one", b"another"):
        sidecar.unlink(missing_ok=True)
        sidecar.write_bytes(text)
        for _ in range(2):
            sort(photo, folder, how, "sad")
        assert contents(folder) == {"happy/a.jpg": b"old", "happy/a.jpg.xmp": text}
    assert [step.kept for step in undo(folder)] == [None] * 2
    assert sidecar.read_bytes() == b"another"
    assert not folder.exists()


def test_sidecar_when_another_program_changed_the_sorted_one_then_that_stays(tmp_path, photo):
    folder, sidecar = tmp_path / "sorted", photo.with_name("a.jpg.xmp")
    sidecar.write_bytes(b"one")
    sort(photo, folder, "copy")
    (folder / "happy" / "a.jpg.xmp").write_bytes(b"theirs")
    sidecar.write_bytes(b"another")
    sort(photo, folder, "copy")
    assert contents(folder)["happy/a.jpg.xmp"] == b"theirs"


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_photo_when_it_lies_where_it_would_be_put_then_refused_and_it_stays(tmp_path, how):
    photo = tmp_path / "sorted" / "happy" / "a.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"old")
    with pytest.raises(SinkError, match=r"happy/a\.jpg is one of the inputs; choose another sort_into$"):
        sort(photo, tmp_path / "sorted", how)
    assert contents(tmp_path / "sorted") == {"happy/a.jpg": b"old"}


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_photo_when_sorted_then_it_is_told_where_it_is_now(tmp_path, photo, how):
    there = tmp_path / "sorted" / "happy" / "a.jpg"
    with SortedFolder(tmp_path / "sorted", how) as sorted_folder:
        assert sorted_folder.place_of(photo) == photo
        assert sorted_folder.put(photo, "happy") == (there if how == "move" else photo)
        assert sorted_folder.place_of(photo) == (there if how == "move" else photo)
        photo.write_bytes(b"new")
        assert sorted_folder.place_of(photo) == photo


def test_sidecar_when_the_sorted_one_was_removed_then_the_newer_one_is_put_there(tmp_path, photo):
    folder, sidecar = tmp_path / "sorted", photo.with_name("a.jpg.xmp")
    sidecar.write_bytes(b"one")
    sort(photo, folder, "copy")
    (folder / "happy" / "a.jpg.xmp").unlink()
    sidecar.write_bytes(b"another")
    sort(photo, folder, "copy")
    assert contents(folder) == {"happy/a.jpg": b"old", "happy/a.jpg.xmp": b"another"}


def test_log_when_it_cannot_be_read_then_said_and_nothing_is_sorted(tmp_path, photo, monkeypatch):
    folder = tmp_path / "sorted"
    sort(photo, folder, "copy")
    refuse_reading(monkeypatch, folder / MANIFEST)
    with pytest.raises(LivemoodError, match=rf"{MANIFEST} could not be read \(Permission denied\)$"):
        sort(photo, folder, "copy", "sad")
    assert contents(folder) == {"happy/a.jpg": b"old"}

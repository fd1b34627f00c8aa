"""Which folder a photo is sorted into, and the way back."""

from dataclasses import replace

import pytest

from livemood.core.types import HeadMood, Mood
from livemood.sinks.sorted_folder import SortedFolder, folder_for, undo
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


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_undo_when_photos_lie_in_folders_of_folders_then_all_of_them_are_removed(tmp_path, how):
    photos = [tmp_path / f"{number}.jpg" for number in range(3)]
    for photo in photos:
        photo.write_bytes(photo.name.encode())
    sorted_folder = SortedFolder(tmp_path / "sorted", how)
    for photo, label in zip(photos, ("happy/open", "happy/closed", "sad"), strict=True):
        sorted_folder.put(photo, label)
    assert (tmp_path / "sorted" / "happy" / "open" / "0.jpg").read_bytes() == b"0.jpg"
    assert [step.kept for step in undo(tmp_path / "sorted")] == [None] * 3
    assert [photo.read_bytes() for photo in photos] == [b"0.jpg", b"1.jpg", b"2.jpg"]
    assert not (tmp_path / "sorted").exists()

from pathlib import Path

import pytest

from livemood.core.errors import VideoUnreadable
from livemood.sources.video.scan import find_videos


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_folder_then_its_videos_come_by_name_with_their_places(tmp_path: Path) -> None:
    study = touch(
        tmp_path / "study", "P02/clip.mov", "P01/b.MP4", "P01/a.mkv", "P01/notes.txt", "P01/face.png", "P01/loop.gif"
    )
    found = find_videos([study])
    assert [str(clip.place) for clip in found.clips] == ["P01/a.mkv", "P01/b.MP4", "P02/clip.mov"]
    assert [clip.path for clip in found.clips] == [study / clip.place for clip in found.clips]
    assert sorted((one.path.name, one.kind) for one in found.skipped) == [
        ("face.png", "photo"),
        ("loop.gif", "GIF"),
        ("notes.txt", "other file"),
    ]


def test_folders_when_several_then_places_begin_with_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "P01/clip.mp4", "P02/clip.mp4", "alone.mp4")
    found = find_videos([tmp_path / "P01", tmp_path / "P02", tmp_path / "alone.mp4"])
    assert [str(clip.place) for clip in found.clips] == ["P01/clip.mp4", "P02/clip.mp4", "alone.mp4"]


def test_own_output_then_is_skipped(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "a-moods.mp4", "b-moods.mp4", "labelled/a.mp4", "labelled/deep/a.mp4")
    found = find_videos([tmp_path], [tmp_path / "labelled"])
    assert [str(clip.place) for clip in found.clips] == ["a.mp4", "b-moods.mp4"]
    assert {one.path.name for one in found.skipped} == {"a-moods.mp4", "labelled"}


@pytest.mark.parametrize("made_in", [".", ".."])
def test_folder_for_results_when_it_is_around_the_videos_then_hides_none(tmp_path: Path, made_in: str) -> None:
    study = touch(tmp_path / "study", "a.mp4")
    assert len(find_videos([study], [study / made_in]).clips) == 1


def test_hidden_files_and_links_to_folders_or_nowhere_then_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path / "study", "._a.mp4", ".trash/a.mp4", "a.mp4")
    (tmp_path / "study" / "loop").symlink_to(tmp_path / "study")
    (tmp_path / "study" / "loop.mp4").symlink_to("loop.mp4")
    assert [str(clip.place) for clip in find_videos([tmp_path / "study"]).clips] == ["a.mp4"]


def test_video_when_named_twice_then_is_read_once_and_two_links_to_it_are_two(tmp_path: Path) -> None:
    touch(tmp_path, "raw.mp4")
    for person in ("P01", "P02"):
        (tmp_path / person).mkdir()
        (tmp_path / person / "clip.mp4").symlink_to(tmp_path / "raw.mp4")
    assert len(find_videos([tmp_path, tmp_path / "raw.mp4"]).clips) == 3


def test_folder_when_it_holds_no_video_then_one_line_says_what_it_holds(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "b.png", "c.txt")
    with pytest.raises(VideoUnreadable, match=r"contains no videos \(2 x photo, 1 x other file\)"):
        find_videos([tmp_path])

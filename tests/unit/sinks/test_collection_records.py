from pathlib import Path

import pytest

from livemood.core.errors import LivemoodError, SinkError
from livemood.records.inputs import Group, Heads, Input, read_groups
from livemood.records.schema import HeadScores, Record
from livemood.sinks.collection_records import CollectionRecords

HEADS: Heads = {"emotion": ("happy", "sad"), "smile": ("open", "closed")}


def photo(name: str, faces: int, error: str | None = None) -> Group:
    found = tuple(
        Record(
            0,
            0.0,
            number,
            (1.0, 2.0, 3.0, 4.0),
            "happy",
            0.75,
            {"happy": 0.75, "sad": 0.25},
            {"happy": 0.5, "sad": 0.5},
            tuple((float(i), float(number)) for i in range(6)),
            others={"smile": HeadScores("open", {"open": 0.9, "closed": 0.1})},
        )
        for number in range(1, faces + 1)
    )
    return Input(name, None if error else 640, None if error else 480, faces, error), found


PHOTOS = [
    photo("a.jpg", 1),
    photo('two\nlines, and "quotes".jpg', 3),
    photo("none.jpg", 0),
    photo("caf\udce9.jpg", 2),
    photo("bad.jpg", 0, "bad.jpg is not a picture"),
    photo("bad.jpg", 0, "bad.jpg is not a picture"),
]


def write(path: Path, photos: list[Group], **how: bool) -> None:
    with CollectionRecords(path, HEADS, **how) as rows:
        for one in photos:
            rows.write(one)


def shown(group: Group, suffix: str) -> Group:
    """Return a photo as a form of file can hold it."""
    said, faces = group
    path = said.path.replace("\udce9", "\\xe9") if suffix == ".parquet" else said.path
    return Input(path, said.width, said.height, said.faces, said.error), faces


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_photos_when_written_then_are_read_back_with_every_head(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"new/rows{suffix}"
    write(path, PHOTOS)
    read = list(read_groups(path))
    assert read == [shown(one, suffix) for one in PHOTOS]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_file_when_truncated_anywhere_then_it_resumes_after_its_last_complete_photo(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"rows{suffix}"
    write(path, PHOTOS)
    whole = path.read_bytes()
    step = 1 if suffix == ".csv" else 7
    for cut in range(0, len(whole), step):
        path.write_bytes(whole[:cut])
        with CollectionRecords(path, HEADS, resume=True) as rows:
            done = list(read_groups(path))
            for one in PHOTOS[len(done) :]:
                rows.write(one)
        assert path.read_bytes() == whole, cut


def test_file_when_there_then_refused_or_replaced_by_force(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write(path, PHOTOS)
    with pytest.raises(SinkError, match="is there already"):
        CollectionRecords(path, HEADS)
    write(path, PHOTOS[:1], force=True)
    assert len(list(read_groups(path))) == 1


def test_file_of_other_heads_then_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write(path, PHOTOS)
    before = path.read_bytes()
    with pytest.raises(LivemoodError, match="holds other emotions"):
        CollectionRecords(path, {"emotion": ("happy", "sad")}, resume=True)
    assert path.read_bytes() == before


def test_disk_when_full_then_one_line_and_what_was_written_stays(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="could not be written \\(No space left on device\\)"):
        (tmp_path / "full.csv").symlink_to("/dev/full")
        write(tmp_path / "full.csv", PHOTOS, resume=True)

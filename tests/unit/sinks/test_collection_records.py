import os
import re
import shutil
import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import pytest

from livemood.core.errors import LivemoodError, SinkError
from livemood.records import Origin, read_origin
from livemood.records import read as read_records
from livemood.records.inputs import Group, Heads, Input, read_groups
from livemood.records.origin import sidecar
from livemood.records.schema import HeadScores, Record
from livemood.sinks.collection_records import CollectionRecords, holds_photos, journal_of
from tests.support.disks import full_disk

ORIGIN = Origin("1.2.3", model="mine", sha256="ab", options={"detector": "auto"})
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
    photo("x\ry.jpg", 1),
    photo("none.jpg", 0),
    photo("caf\udce9.jpg", 2),
    photo("bad.jpg", 0, "bad.jpg is not a picture"),
    photo("bad.jpg", 0, "bad.jpg is not a picture"),
]


def write(path: Path, photos: list[Group], **how: Any) -> None:
    with CollectionRecords(path, HEADS, **how) as rows:
        for one in photos:
            rows.write(one)


def shown(group: Group, suffix: str) -> Group:
    """Return a photo as a form of file can hold it."""
    said, faces = group
    path = said.path.replace("\udce9", "\\xe9") if suffix == ".parquet" else said.path
    return Input(path, said.width, said.height, said.faces, said.error), faces


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("stem", ["rows", "x" * 247])
def test_photos_when_written_then_are_read_back_with_every_head(tmp_path: Path, suffix: str, stem: str) -> None:
    path = tmp_path / f"new/{stem}{suffix}"
    write(path, PHOTOS)
    read = list(read_groups(path))
    assert read == [shown(one, suffix) for one in PHOTOS]
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert sum(one.track is not None for one in read_records(path)) == sum(said.faces for said, _ in PHOTOS)


def test_file_when_a_line_is_not_one_of_a_table_then_one_line_says_so(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write(path, PHOTOS[:1])
    path.write_bytes(path.read_bytes() + b"x\ry.jpg,,,0,\n")
    with pytest.raises(LivemoodError, match="contains a line that is not a record of a photo"):
        CollectionRecords(path, HEADS, resume=True)


@pytest.mark.parametrize(
    ("separator", "encoding", "said"),
    [
        (";", "utf-8-sig", "has its cells separated by semicolons, not by commas; save it as CSV with commas"),
        ("\t", "utf-8", "has its cells separated by tabs, not by commas; save it as CSV with commas"),
        ("\t", "utf-16", "is encoded in UTF-16; save it as CSV with commas, in UTF-8"),
    ],
)
def test_table_when_a_spreadsheet_saved_it_in_another_form_then_one_line_says_which(
    tmp_path: Path, separator: str, encoding: str, said: str
) -> None:
    path = tmp_path / "rows.csv"
    write(path, PHOTOS[:1])
    path.write_text(path.read_text().replace(",", separator), encoding=encoding)
    with pytest.raises(LivemoodError, match=said):
        CollectionRecords(path, HEADS, resume=True)


@pytest.mark.parametrize(("suffix", "blank"), [(".csv", b"\n,,,,\r\n \n"), (".jsonl", b"\n \r\n")])
def test_file_when_an_editor_left_a_mark_and_blank_lines_in_it_then_it_goes_on(
    tmp_path: Path, suffix: str, blank: bytes
) -> None:
    path = tmp_path / f"rows{suffix}"
    write(path, PHOTOS[:3])
    lines = path.read_bytes().splitlines(keepends=True)
    commas = b"," * lines[0].count(b",") if suffix == ".csv" else b""
    path.write_bytes(BOM_UTF8 + b"".join([*lines[:2], blank.replace(b",,,,", commas), *lines[2:], blank]))
    write(path, PHOTOS[3:], resume=True)
    assert list(read_groups(path)) == PHOTOS


@pytest.mark.parametrize("count", [5, 300])
def test_table_when_a_quote_was_left_open_in_it_then_one_line_says_so_and_all_rows_stay(
    tmp_path: Path, count: int
) -> None:
    path = tmp_path / "rows.csv"
    write(path, [photo(f"{number}.jpg", 1) for number in range(count)])
    damaged = path.read_bytes().replace(b"\n3.jpg,", b'\n"3.jpg,')
    path.write_bytes(damaged)
    with pytest.raises(LivemoodError, match=r"contains a line that is not a record of a photo: b'\"3\.jpg,"):
        CollectionRecords(path, HEADS, resume=True)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_file_when_truncated_anywhere_then_it_resumes_after_its_last_complete_photo(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"rows{suffix}"
    write(path, PHOTOS)
    whole = path.read_bytes()
    ends = [place for end in re.finditer(rb'[,\n"]', whole) for place in end.span()]
    for cut in sorted({0, *ends} - {len(whole)}):
        path.write_bytes(whole[:cut])
        with CollectionRecords(path, HEADS, resume=True) as rows:
            done = list(read_groups(path))
            for one in PHOTOS[len(done) :]:
                rows.write(one)
        assert path.read_bytes() == whole, cut


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_file_when_gone_on_with_then_says_once_who_began_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    write(path, PHOTOS[:2], origin=ORIGIN)
    begun = sorted(file.name for file in tmp_path.iterdir())
    assert begun == ([path.name, f"{path.name}.json"] if suffix == ".csv" else [path.name])
    with pytest.warns(match="was started with another model or other settings"):
        write(path, PHOTOS[2:], origin=Origin("1.3.0", model="mine", sha256="cd"), resume=True)
    write(path, [], origin=ORIGIN, resume=True)
    assert list(read_groups(path)) == [shown(one, suffix) for one in PHOTOS]
    assert read_origin(path) == ORIGIN
    if suffix == ".jsonl":
        assert path.read_text(errors="replace").count("model_sha256") == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == begun


def test_file_when_begun_without_saying_who_made_it_then_goes_on_so(tmp_path: Path) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        path = tmp_path / f"rows{suffix}"
        write(path, PHOTOS[:2])
        write(path, PHOTOS[2:], origin=ORIGIN, resume=True)
        assert read_origin(path) is None
        assert len(list(read_groups(path))) == len(PHOTOS)


def test_file_when_cut_within_what_it_says_of_itself_then_says_it_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write(path, PHOTOS, origin=ORIGIN)
    whole = path.read_bytes()
    for cut in range(0, len(ORIGIN.line()) + 100, 7):
        path.write_bytes(whole[:cut])
        write(path, PHOTOS, origin=ORIGIN, resume=True)
        assert path.read_bytes() == whole, cut


def test_file_beside_a_table_when_somebody_elses_then_is_kept(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.json").write_text('{"mine": 1}')
    with pytest.raises(SinkError, match=r"rows\.csv\.json is there already"):
        write(tmp_path / "rows.csv", PHOTOS, origin=ORIGIN)
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv.json"]


def test_file_when_there_then_refused_or_replaced_by_force(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write(path, PHOTOS)
    with pytest.raises(SinkError, match="is there already"):
        CollectionRecords(path, HEADS)
    write(path, PHOTOS[:1], force=True)
    assert len(list(read_groups(path))) == 1


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_file_when_another_run_writes_it_then_refused_and_the_other_is_not_disturbed(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"rows{suffix}"
    ways: list[tuple[dict[str, Any], list[Group]]]
    ways = [({}, PHOTOS[:1]), ({"resume": True}, PHOTOS[1:2]), ({"force": True}, PHOTOS[:2])]
    for begun, more in ways:
        with CollectionRecords(path, HEADS, **begun) as rows:
            rows.write(more[0])
            for resume in (True, False):
                with pytest.raises(SinkError, match=rf"rows\{suffix} is being written by another run"):
                    CollectionRecords(path, HEADS, force=True, resume=resume)
            for one in more[1:]:
                rows.write(one)
    assert list(read_groups(path)) == [shown(one, suffix) for one in PHOTOS[:2]]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_rows_of_a_killed_run_when_not_gone_on_with_then_replaced_by_force_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    rows, journal = tmp_path / "rows.jsonl", journal_of(path)
    write(rows, PHOTOS[:2], origin=ORIGIN)
    shutil.copy(rows, journal)
    with pytest.raises(SinkError, match=r"rows\.parquet was not completed, .*rows\.jsonl contains its rows"):
        CollectionRecords(path, HEADS)
    assert holds_photos(path)
    assert journal.read_bytes() == rows.read_bytes()
    write(path, PHOTOS[2:3], resume=True)
    assert len(list(read_groups(path))) == 3
    path.unlink()
    shutil.copy(rows, journal)
    write(path, PHOTOS[2:3], force=True)
    assert len(list(read_groups(path))) == 1
    path.unlink()
    journal.write_text(ORIGIN.line())  # killed before the first photo
    assert not holds_photos(path)
    write(path, PHOTOS[:1])
    assert len(list(read_groups(path))) == 1


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_file_of_other_heads_then_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    write(path, PHOTOS)
    before = path.read_bytes()
    with pytest.raises(LivemoodError, match=r"contains other emotions \(happy, sad\)"):
        CollectionRecords(path, {**HEADS, "emotion": ("happy", "angry")}, resume=True)
    with pytest.raises(LivemoodError, match=r"contains other model outputs \(emotion, smile\)"):
        CollectionRecords(path, {"emotion": ("happy", "sad")}, resume=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_disk_when_full_then_one_line_and_what_was_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write(path, PHOTOS)
    before = path.read_bytes()
    with full_disk(len(before)), pytest.raises(SinkError, match=r"rows\.csv could not be written \(File too large\)"):
        write(path, PHOTOS, resume=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("room", [0, 400])
def test_disk_when_full_at_the_start_then_nothing_is_left_that_blocks_the_next_run(
    tmp_path: Path, suffix: str, room: int
) -> None:
    path = tmp_path / f"rows{suffix}"
    with full_disk(room), pytest.raises(SinkError, match=r"could not be written \(File too large\)"):
        write(path, PHOTOS[:1], origin=ORIGIN)
    assert list(tmp_path.iterdir()) == []
    sidecar(path).touch()  # as a power cut leaves it
    write(path, PHOTOS[:1], origin=ORIGIN, resume=True)
    assert read_origin(path) == ORIGIN


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_pipe_when_rows_are_to_be_written_there_then_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    os.mkfifo(path)
    for how in ("force", "resume"):
        with pytest.raises(SinkError, match=rf"rows\{suffix} is a device or a pipe; give records a file"):
            write(path, PHOTOS, **{how: True})
    assert path.is_fifo()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("change", ["added", "moved", "renamed"])
def test_table_when_its_columns_were_changed_then_gone_on_with_only_if_nothing_is_lost(
    tmp_path: Path, suffix: str, change: str
) -> None:
    import pandas as pd

    path = tmp_path / f"rows{suffix}"
    write(path, PHOTOS[:2])
    table = pd.read_csv(path, dtype=str) if suffix == ".csv" else pd.read_parquet(path)
    if change == "added":
        table.insert(0, "note", "mine")
    elif change == "moved":
        table.insert(0, "error", table.pop("error"))
    else:
        table = table.rename(columns={"reason": "doubt"})
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    before = path.read_bytes()
    if (suffix, change) == (".parquet", "moved"):
        write(path, PHOTOS[:1], resume=True)
        assert list(read_groups(path)) == [shown(one, suffix) for one in (*PHOTOS[:2], PHOTOS[0])]
        return
    what = {"added": "note", "moved": "in another order", "renamed": "doubt, reason"}[change]
    with pytest.raises(LivemoodError, match=rf"rows\{suffix} has other columns than new rows \({what}\); use another"):
        write(path, PHOTOS[:1], resume=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_table_when_saved_with_a_byte_order_mark_then_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write(path, PHOTOS[:1])
    path.write_bytes(BOM_UTF8 + path.read_bytes())
    write(path, PHOTOS[1:2], resume=True)
    assert list(read_groups(path)) == PHOTOS[:2]


def test_parquet_when_it_holds_names_escaped_then_they_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write(path, PHOTOS[:5])
    with CollectionRecords(path, HEADS, resume=True, photos=[entry.path for entry, _ in PHOTOS]) as rows:
        assert list(rows.done) == [entry.path for entry, _ in PHOTOS[:5]]
    assert list(read_groups(path)) == [shown(one, ".parquet") for one in PHOTOS[:5]]

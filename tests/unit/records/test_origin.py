"""Who made a record file, and of what: written, read back, and from strangers' files."""

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from livemood.core.errors import LivemoodError, SinkError
from livemood.records import Origin, read, read_origin, to_pandas
from livemood.records.origin import from_json, is_origin
from livemood.sinks.records import open_records
from tests.support.builders import make_frame, make_mood

FORMS = (".jsonl", ".csv", ".parquet")
ORIGIN = Origin(
    "1.2.3",
    "clip.mp4",
    640,
    360,
    Fraction(30000, 1001),
    12.5,
    "emotion",
    "ab" * 32,
    {"detector": "auto", "engine": "litert", "emotions": ["happy", "sad"], "every": 2},
)


def write(path: Path, origin: Origin | None = ORIGIN, **how: Any) -> Path:
    with open_records(path, ("happy", "sad"), origin=origin, **how) as sink:
        sink.write(make_frame(), [make_mood(1, "happy", labels=("happy", "sad"))])
    return path


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("live", [False, True])
def test_origin_when_written_then_is_read_back_and_is_no_row(tmp_path: Path, suffix: str, live: bool) -> None:
    path = write(tmp_path / f"a{suffix}", live=live)
    assert read_origin(path) == ORIGIN
    (row,) = read(path)
    assert row.label == "happy"
    frame = to_pandas(path)
    assert len(frame) == 1
    assert frame.attrs["livemood"]["rate"] == "30000/1001"


@pytest.mark.parametrize("suffix", FORMS)
def test_file_when_it_does_not_say_who_made_it_then_its_rows_are_read_all_the_same(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", None)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert read_origin(path) is None
    assert len(list(read(path))) == 1
    assert to_pandas(path).attrs["livemood"] is None


@pytest.mark.parametrize("suffix", FORMS)
def test_file_when_its_name_is_not_utf8_then_is_written_and_read_all_the_same(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / (os.fsdecode(b"caf\xe9") + suffix))
    assert len([*read(path)]) == len(to_pandas(path)) == 1
    assert read_origin(path) == ORIGIN


def test_jsonl_when_files_are_put_together_then_every_row_is_read(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a.jsonl"), write(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl").write_bytes(one.read_bytes() + other.read_bytes())
    assert len(list(read(tmp_path / "c.jsonl"))) == 2


def test_jsonl_when_nobody_was_seen_then_it_is_a_record_file_still(tmp_path: Path) -> None:
    open_records(tmp_path / "a.jsonl", ("happy", "sad"), origin=ORIGIN).close()
    assert list(read(tmp_path / "a.jsonl")) == []
    assert read_origin(tmp_path / "a.jsonl") == ORIGIN


def test_csv_when_made_again_then_what_is_beside_it_is_replaced_if_it_is_ours(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv")
    path.unlink()
    later = Origin("2.0.0", "other.mp4")
    write(path, later)
    assert read_origin(path) == later
    (tmp_path / "b.csv.json").write_text("{}")
    with pytest.raises(SinkError, match=r"b\.csv\.json is there already"):
        write(tmp_path / "b.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "a.csv.json", "b.csv.json"]
    write(tmp_path / "b.csv", force=True)
    assert read_origin(tmp_path / "b.csv") == ORIGIN


def test_csv_when_it_has_no_origin_then_it_does_not_take_over_what_is_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv")
    with pytest.raises(RuntimeError), open_records(path, ("happy", "sad"), force=True):
        raise RuntimeError
    assert read_origin(path) == ORIGIN
    open_records(path, ("happy", "sad"), force=True).close()
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "b.csv.json").write_text("{}")
    open_records(tmp_path / "b.csv", ("happy", "sad")).close()
    assert (tmp_path / "b.csv.json").read_text() == "{}"


def test_csv_when_its_run_fails_then_nothing_is_left_beside_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), open_records(tmp_path / "a.csv", ("happy", "sad"), origin=ORIGIN):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"version": 3},
        {"version": "x" * 300},
        {"version": "1", "rate": "0"},
        {"version": "1", "rate": "1/0"},
        {"version": "1", "rate": "fast"},
        {"version": "1", "width": "wide"},
        {"version": "1", "duration_s": []},
        {"version": "1", "duration_s": float("inf")},
        {"version": "1", "duration_s": -1},
        {"version": "1", "options": [1]},
        {"version": "1", "options": {str(place): 1 for place in range(1000)}},
    ],
)
def test_origin_when_a_stranger_wrote_it_wrongly_then_there_is_none_and_no_error(tmp_path: Path, said: Any) -> None:
    assert is_origin({"livemood": said})
    assert from_json({"livemood": said}) is None
    (tmp_path / "a.jsonl").write_text(json.dumps({"livemood": said}) + "\n")
    assert read_origin(tmp_path / "a.jsonl") is None


@pytest.mark.parametrize("data", [None, [], {"livemood": 1}, {"livemood": {}, "frame": 0}, {"frame": 0}])
def test_row_is_no_origin(data: Any) -> None:
    assert not is_origin(data)


def test_origin_when_its_text_would_move_the_cursor_then_it_is_shown_harmlessly() -> None:
    found = from_json({"livemood": {"version": "1\x1b[2J", "source": "a\nb"}})
    assert found is not None
    assert (found.version, found.source) == ("1?[2J", "a?b")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".txt"])
def test_origin_of_a_file_that_is_not_there_then_says_so(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(LivemoodError, match=rf"a\{suffix} is not there; give a record file"):
        read_origin(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("function", [read, read_origin])
def test_records_when_the_path_is_empty_then_says_so(function: Callable[[str], object]) -> None:
    with pytest.raises(LivemoodError, match="the path of the records is empty; give a record file"):
        function("")

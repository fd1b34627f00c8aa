"""``livemood merge-people`` on record files of every form."""

from itertools import product
from pathlib import Path

import pytest

from livemood.apps import merge_people as merging
from livemood.apps.markers import write_markers
from livemood.cli import run
from livemood.core.errors import LivemoodError
from livemood.core.labels import EMOTIONS
from livemood.records import Origin, Record, read, read_origin
from livemood.reporting.group_page import write_group_report
from livemood.reporting.page import write_report
from livemood.reporting.plot import write_plot
from livemood.sinks.collection_records import CollectionRecords
from livemood.sinks.records import open_records
from tests.support.builders import make_frame, make_mood, refuse_reading

FORMS = (".jsonl", ".csv", ".parquet")


def write(path: Path, origin: Origin | None = None) -> Path:
    """Write three people at one place after each other, numbers 1, 4 and 14, and number 2 beside the last two."""
    spans = {1: range(10), 4: range(12, 20), 14: range(22, 30), 2: range(15, 30)}
    with open_records(path, EMOTIONS, True, origin=origin) as sink:
        for index in range(30):
            moods = [make_mood(track, x=1200 if track == 2 else 320) for track, span in spans.items() if index in span]
            sink.write(make_frame(index=index, time_s=index / 10), moods)
            if index == 3:
                sink.mark(make_frame(index=index, time_s=index / 10), 1, "bell")
    return path


def joined(rows: list[Record]) -> list[Record]:
    from dataclasses import replace

    return [replace(row, track=1) if row.track in (4, 14) else row for row in rows]


@pytest.mark.parametrize(("given", "made"), product(FORMS, FORMS))
def test_people_when_joined_then_all_else_stays_as_it_was(tmp_path, capfd, given, made):
    records, out = write(tmp_path / f"a{given}", Origin("1", "clip.mp4")), tmp_path / f"b{made}"
    assert run(["merge-people", str(records), "--same", "1,4,14", "--out", str(out)]) == 0
    assert capfd.readouterr().out == f"person 4: 8 rows\nperson 14: 8 rows\nrecords: {out}\n"
    assert list(read(out)) == joined(list(read(records)))
    origin = read_origin(out)
    assert origin is not None
    assert (origin.source, origin.made_from) == ("clip.mp4", {"records": records.name, "same": [[1, 4, 14]]})


def test_people_when_joined_twice_then_the_origin_tells_of_both_times(tmp_path):
    first = write(tmp_path / "a.jsonl", Origin("1", "clip.mp4"))
    merging.merge_people(first, [[1, 4]], tmp_path / "b.jsonl")
    merging.merge_people(tmp_path / "b.jsonl", [[1, 14]], tmp_path / "c.jsonl")
    origin = read_origin(tmp_path / "c.jsonl")
    assert origin is not None
    earlier = {"records": "a.jsonl", "same": [[1, 4]]}
    assert origin.made_from == {"records": "b.jsonl", "same": [[1, 14]], "made_from": earlier}


def test_people_when_the_file_does_not_say_who_made_it_then_neither_does_the_copy(tmp_path):
    merging.merge_people(write(tmp_path / "a.csv"), [(1, 4)], tmp_path / "b.jsonl")
    assert read_origin(tmp_path / "b.jsonl") is None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--same", "4,99"], 2, "a.jsonl has no person 99; it has 1, 2, 4, 14"),
        (["--same", "2,14"], 2, "tracks 14 and 2 cannot be one person: both are in frame 22 (2.200 s)"),
        (["--same", "1,4", "--same", "2,4"], 2, "person 4 is named twice"),
        (["--same", "4"], 2, "give two tracks or more for one person"),
        (["--same", "a,b"], 2, "Invalid value for --same: expected numbers of people such as 4,14, got a,b"),
        ([], 2, "Missing option '--same'"),
        (["--same", "1,4", "--out", "a.jsonl"], 1, "a.jsonl is one of the inputs; choose another --out"),
        (["--same", "1,4", "--out", "there.csv"], 1, "there.csv is there already; use --force or another --out"),
        (["--same", "1,4", "--out", "b.txt"], 1, "b.txt does not end in .jsonl, .csv or .parquet; give --out a name"),
    ],
)
def test_people_when_they_cannot_be_joined_then_one_line_and_nothing_is_written(
    tmp_path, monkeypatch, capfd, words, code, said
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.jsonl")
    (tmp_path / "there.csv").touch()
    before = sorted(tmp_path.iterdir())
    out = [] if "--out" in words else ["--out", "b.csv"]
    assert run(["merge-people", "a.jsonl", *words, *out]) == code
    err = capfd.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("words", [["markers", "--out", "b.edl"], ["merge-people", "--same", "1,4", "--out", "b.csv"]])
def test_records_when_they_may_not_be_read_then_one_line_and_code_1(tmp_path, monkeypatch, capfd, words):
    monkeypatch.chdir(tmp_path)
    refuse_reading(monkeypatch, write(tmp_path / "a.jsonl").relative_to(tmp_path))
    command, *rest = words
    assert run([command, "a.jsonl", *rest]) == 1
    assert capfd.readouterr().err == "livemood: a.jsonl: Permission denied; try another file or place\n"


def assert_refused(records: Path, said: str) -> None:
    """Assert that all that is about one recording refuses a file with one line, and makes nothing of it."""
    out = records.with_name("out")
    for use in (
        lambda: merging.merge_people(records, [(1, 4)], out / "b.csv"),
        lambda: write_markers(records, out / "b.edl"),
        lambda: write_report(records, out / "b.html"),
        lambda: write_group_report([records, records], out / "b.html"),
        lambda: write_plot(records, out / "b.png"),
    ):
        with pytest.raises(LivemoodError, match=said) as caught:
            use()
        assert "\n" not in str(caught.value)
    assert not list(out.glob("*"))


@pytest.mark.parametrize("suffix", FORMS)
def test_photos_then_are_refused_by_all_that_is_about_one_video(tmp_path, suffix):
    from livemood.records.inputs import Input

    photos = tmp_path / f"a{suffix}"
    with CollectionRecords(photos, {"emotion": EMOTIONS}, origin=Origin("1")) as rows:
        rows.write((Input("a.jpg", 10, 10), ()))
    assert_refused(photos, "contains the records of a batch or of photos; give those of one")


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: b"",
        lambda data: data[:10],
        lambda data: data[:-10],
        lambda data: data[:-20] + b"x" * 12 + data[-8:],
        lambda _: b"v,frame\n",
    ],
    ids=["empty", "begun", "cut short", "damaged", "text"],
)
def test_parquet_when_it_is_not_whole_then_all_refuse_it(tmp_path, broken):
    records = write(tmp_path / "a.parquet")
    records.write_bytes(broken(records.read_bytes()))
    assert_refused(records, "a.parquet is not a complete Parquet file; make it again")


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("sort", [lambda row: -row.time_s, lambda row: row.track or 0], ids=["reversed", "by person"])
def test_rows_when_they_are_not_in_order_of_time_then_all_refuse_them(tmp_path, suffix, sort):
    with open_records(tmp_path / f"b{suffix}", EMOTIONS) as sink:
        sink.copy(sorted(read(write(tmp_path / "a.jsonl")), key=sort))
    assert_refused(
        tmp_path / f"b{suffix}", r"not in order: frame \d+ .* is after frame \d+ .*; sort its rows by time_s"
    )


def test_recordings_when_they_are_joined_in_one_file_then_all_refuse_it(tmp_path):
    records = write(tmp_path / "a.jsonl", Origin("1", "clip.mp4"))
    records.write_text(2 * records.read_text())
    assert_refused(
        records, r"is not in order: frame 0 \(0 s\) is after frame 29 .* split it into one file per recording"
    )


def test_rows_when_they_have_other_emotions_from_some_frame_on_then_all_refuse_them(tmp_path):
    records = write(tmp_path / "a.jsonl")
    records.write_text(records.read_text().replace('"angry"', '"cross"', 50))
    assert_refused(records, r"has other emotions in frame \d+ \(.*angry.*\) than before \(.*cross.*\)")


def test_people_when_interrupted_then_nothing_is_left(tmp_path, monkeypatch):
    records = write(tmp_path / "a.jsonl")
    monkeypatch.setattr(merging, "replace", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        merging.merge_people(records, [(1, 4)], tmp_path / "b.csv")
    assert list(tmp_path.iterdir()) == [records]


def test_report_then_offers_the_command_which_joins_them(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.csv")
    assert run(["report", "a.csv", "--out", "a.html"]) == 0
    page = (tmp_path / "a.html").read_text()
    command = "livemood merge-people a.csv --same 1,4,14 --out a-merged.csv"
    assert f"<code>{command}</code>" in page
    assert run(command.split()[1:]) == 0
    assert {row.track for row in read("a-merged.csv")} == {None, 1, 2}
    assert run(["report", "a-merged.csv", "--out", "b.html"]) == 0
    assert "Perhaps the same person again" not in (tmp_path / "b.html").read_text()

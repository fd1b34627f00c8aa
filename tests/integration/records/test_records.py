"""Records: what the sink writes, and what the reader makes of good and bad files."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow.parquet
import pytest

from livemood.core.errors import LivemoodError, SinkError
from livemood.core.labels import EMOTIONS
from livemood.records import Record, columns, read, read_origin, to_pandas, to_polars
from livemood.sinks.records import open_records
from tests.support.builders import ROOT, make_frame, make_mood
from tests.support.disks import full_disk

FORMS = (".jsonl", ".csv", ".parquet")
TEXT_FORMS = (".jsonl", ".csv")


def write_some(path: Path, frames: int = 3, faceless_rows: bool = False) -> None:
    """Write ``frames`` frames at 0.1 s: two faces in each but for the second, which has none."""
    with open_records(path, EMOTIONS, faceless_rows) as sink:
        for index in range(frames):
            moods = [] if index == 1 else [make_mood(1, "happy", 0.7654321), make_mood(2, "unsure", 0.3)]
            sink.write(make_frame(index=index, time_s=index / 10), moods)


# ---- writing ----


def test_jsonl_when_a_face_is_written_then_its_line_holds_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with open_records(path, ("happy", "sad")) as sink:
        sink.write(make_frame(index=7, time_s=0.28), [make_mood(3, "happy", 0.75, ("happy", "sad"))])
    line = json.loads(path.read_text())
    keypoints = line.pop("keypoints")
    assert line == {
        "frame": 7,
        "time_s": 0.28,
        "track": 3,
        "box": [270.0, 190.0, 370.0, 290.0],
        "label": "happy",
        "confidence": 0.75,
        "scores": {"happy": 0.75, "sad": 0.25},
        "raw_scores": {"happy": 1.0, "sad": 0.0},
        "event": None,
        "event_name": None,
        "reason": None,
        "v": 1,
    }
    assert len(keypoints) == 6
    assert keypoints[0] == [302.0, 222.0]


def test_csv_when_a_face_is_written_then_its_columns_are_flat(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open_records(path, ("happy", "sad")) as sink:
        sink.write(make_frame(index=7, time_s=0.28), [make_mood(3, "happy", 0.75, ("happy", "sad"))])
    header, row = (line.split(",") for line in path.read_text().splitlines())
    cells = dict(zip(header, row, strict=True))
    assert header[:10] == [
        "v",
        "frame",
        "time_s",
        "track",
        "box_left",
        "box_top",
        "box_right",
        "box_bottom",
        "label",
        "confidence",
    ]
    assert (cells["box_left"], cells["right_eye_x"], cells["score_sad"], cells["raw_happy"]) == (
        "270.0",
        "302.0",
        "0.25",
        "1.0",
    )


@pytest.mark.parametrize("suffix", FORMS)
def test_event_when_marked_then_it_reads_back_from_a_row_of_its_own(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_records(path, EMOTIONS, live=True) as sink:
        sink.write(make_frame(index=7, time_s=0.28), [make_mood(1)])
        sink.mark(make_frame(index=7, time_s=0.28), 1)
        sink.mark(make_frame(index=8, time_s=0.32), 2, 'film, "B" starts')
    face, event, named = read(path)
    assert (face.track, face.event) == (1, None)
    assert event == Record(7, 0.28, event=1)
    assert named == Record(8, 0.32, event=2, event_name='film, "B" starts')


@pytest.mark.parametrize("faceless_rows", [False, True])
def test_rows_when_written_in_each_form_then_they_read_back_the_same(tmp_path: Path, faceless_rows: bool) -> None:
    rows = []
    for suffix in FORMS:
        write_some(tmp_path / f"a{suffix}", faceless_rows=faceless_rows)
        rows.append(list(read(tmp_path / f"a{suffix}")))
    assert rows[0] == rows[1] == rows[2]
    assert [(r.frame, r.track, r.label) for r in rows[0] if r.track] == [
        (0, 1, "happy"),
        (0, 2, "unsure"),
        (2, 1, "happy"),
        (2, 2, "unsure"),
    ]
    assert rows[0][0].confidence == 0.765432
    assert [r for r in rows[0] if r.track is None] == ([Record(1, 0.1)] if faceless_rows else [])


@pytest.mark.parametrize("suffix", FORMS)
def test_file_when_nobody_was_seen_then_it_reads_as_no_rows(tmp_path: Path, suffix: str) -> None:
    open_records(tmp_path / f"a{suffix}", EMOTIONS).close()
    assert list(read(tmp_path / f"a{suffix}")) == []


@pytest.mark.parametrize("suffix", FORMS)
def test_file_when_still_open_then_its_name_is_not_taken_yet(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_records(path, EMOTIONS) as sink:
        sink.write(make_frame(), [make_mood()])
        assert not path.exists()
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", FORMS)
def test_file_when_an_error_ends_the_block_then_nothing_is_left(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(SinkError, match="elsewhere"), open_records(tmp_path / f"a{suffix}", EMOTIONS) as sink:
        sink.write(make_frame(), [make_mood()])
        raise SinkError("elsewhere")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", FORMS)
def test_file_when_interrupted_then_the_rows_so_far_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with pytest.raises(KeyboardInterrupt), open_records(path, EMOTIONS) as sink:
        sink.write(make_frame(), [make_mood()])
        raise KeyboardInterrupt
    assert len(list(read(path))) == 1


@pytest.mark.parametrize("suffix", FORMS)
def test_file_when_it_is_there_then_only_force_replaces_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("kept")
    for live in (False, True):
        with pytest.raises(SinkError, match=r"is there already; use force or another records$"):
            open_records(path, EMOTIONS, live=live)
    assert path.read_text() == "kept"
    open_records(path, EMOTIONS, force=True).close()
    assert list(read(path)) == []


def test_open_when_the_suffix_is_unknown_then_the_three_are_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"\.jsonl, \.csv or \.parquet"):
        open_records(tmp_path / "a.xlsx", EMOTIONS)


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("live", [False, True])
def test_open_when_the_folder_cannot_be_made_then_one_line_says_so(tmp_path: Path, suffix: str, live: bool) -> None:
    (tmp_path / "none").write_text("a file")
    with pytest.raises(SinkError, match=r"could not be written \(.+\); try another records$") as caught:
        open_records(tmp_path / "none" / f"a{suffix}", EMOTIONS, live=live)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("live", [False, True])
def test_open_when_the_folder_is_not_there_then_it_is_made(tmp_path: Path, live: bool) -> None:
    target = tmp_path / "new" / "deep" / "a.jsonl"
    with open_records(target, EMOTIONS, live=live) as sink:
        sink.write(make_frame(), [make_mood()])
    assert target.is_file()


def test_open_when_the_target_is_a_folder_then_it_is_refused_even_by_force(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(SinkError, match="is a folder"):
        open_records(tmp_path / "a.csv", EMOTIONS, force=True)


@pytest.mark.parametrize("suffix", FORMS)
def test_write_when_the_disk_is_full_then_one_line_says_so_and_nothing_is_left(tmp_path: Path, suffix: str) -> None:
    with full_disk(), pytest.raises(SinkError, match=r"could not be written \(.+\)") as caught:
        write_some(tmp_path / f"a{suffix}", frames=300)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_write_when_the_sink_is_closed_then_it_is_refused(tmp_path: Path) -> None:
    sink = open_records(tmp_path / "a.parquet", EMOTIONS)
    sink.close()
    with pytest.raises(ValueError, match="closed"):
        sink.write(make_frame(), [make_mood()])


def test_parquet_when_long_then_it_is_written_in_row_groups(tmp_path: Path) -> None:
    path, frame, mood = tmp_path / "a.parquet", make_frame(), make_mood()
    with open_records(path, EMOTIONS) as sink:
        for _ in range(100):
            sink.write(frame, [mood] * 100)
    with pyarrow.parquet.ParquetFile(path) as file:
        assert file.metadata.num_rows == 10_000
        assert file.num_row_groups > 1
        assert file.schema_arrow.metadata[b"livemood.records"] == b"1"


# ---- live ----


@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_live_file_when_the_process_is_killed_then_every_row_is_there(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    script = f"""
        import os, signal
        from livemood.core.labels import EMOTIONS
        from livemood.sinks.records import open_records
        from tests.support.builders import make_frame, make_mood
        sink = open_records({str(path)!r}, EMOTIONS, live=True)
        for index in range(5):
            sink.write(make_frame(index=index), [make_mood()])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [record.frame for record in read(path)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_live_file_when_an_error_ends_the_block_then_it_stays(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with pytest.raises(RuntimeError), open_records(path, EMOTIONS, live=True) as sink:
        sink.write(make_frame(), [make_mood()])
        assert len(list(read(path))) == 1
        raise RuntimeError
    assert len(list(read(path))) == 1


def test_live_file_when_the_disk_is_full_then_what_fitted_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with full_disk(), pytest.raises(SinkError), open_records(path, EMOTIONS, live=True) as sink:
        for index in range(300):
            sink.write(make_frame(index=index), [make_mood()])
    with pytest.warns(UserWarning, match="left out 1 of"):
        frames = [record.frame for record in read(path)]
    assert 0 < len(frames) < 300
    assert frames == list(range(len(frames)))


# ---- reading ----


@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_read_when_the_last_line_is_cut_short_then_the_rest_is_read_with_one_warning(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    write_some(path)
    whole = list(read(path))
    os.truncate(path, path.stat().st_size - 2)
    with pytest.warns(UserWarning, match="left out 1 of 4 rows") as caught:
        assert list(read(path)) == whole[:-1]
    assert len(caught) == 1


def _line(**changed: object) -> bytes:
    """Return a line of JSONL with some fields changed."""
    row = {"frame": 1, "time_s": 0.1, "track": 1, "box": [0, 0, 9, 9], "label": "sad", "confidence": 1}
    return json.dumps({**row, "scores": {"sad": 1}, "raw_scores": {"sad": 1}, **changed}).encode() + b"\n"


@pytest.mark.parametrize(
    ("suffix", "bad"),
    [
        (".jsonl", b"{not json\n"),
        (".jsonl", b"[1, 2]\n"),
        (".jsonl", b'{"frame": 1, "time_s": NaN, "track": null}\n'),
        (".jsonl", _line(frame=1e300)),
        (".jsonl", _line(confidence=7)),
        (".jsonl", _line(confidence=-1.2)),
        (".jsonl", _line(scores={"sad": 1.1})),
        (".jsonl", _line(raw_scores={"sad": -0.1})),
        (".jsonl", _line(smile={"label": "open", "scores": {"open": 2}})),
        (".jsonl", _line(label=None)),
        (".jsonl", _line(label="")),
        (".jsonl", b"\xff\xfe\x00\n"),
        (".jsonl", b"[" * 100_000 + b"\n"),
        (".csv", b"1,2,3\n"),
        (".csv", b'"' + b"x" * 200_000 + b"\n"),
    ],
)
def test_read_when_a_row_in_between_is_bad_then_the_others_are_read(tmp_path: Path, suffix: str, bad: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    write_some(path)
    whole = list(read(path))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], bad, lines[-1]]))
    with pytest.warns(UserWarning, match="left out 1 of 5 rows"):
        assert list(read(path)) == whole


@pytest.mark.parametrize("blank", ["\n", " \r\n", "{cells}\n", "{cells}\r\n"])
@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_read_when_lines_are_blank_then_they_are_no_rows(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, suffix: str, blank: str
) -> None:
    path = tmp_path / f"a{suffix}"
    write_some(path)
    whole = list(read(path))
    lines = path.read_text().splitlines(keepends=True)
    line = blank.format(cells="," * lines[0].count(",") if suffix == ".csv" else "")
    path.write_text("".join([*lines[:-1], line, lines[-1], line, line]), newline="")
    assert list(read(path)) == whole
    assert not recwarn.list


@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_read_when_lines_end_in_a_carriage_return_then_all_rows_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_some(path)
    whole = list(read(path))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))
    assert list(read(path)) == whole


@pytest.mark.parametrize(
    ("cell", "other"), [("0.765432", "lots"), ("0.765432", "76.5"), ("happy", ""), ("0,0.0,1", "0,0.0,1.5")]
)
def test_read_when_a_csv_cell_cannot_be_right_then_its_row_is_left_out(tmp_path: Path, cell: str, other: str) -> None:
    path = tmp_path / "a.csv"
    write_some(path)
    path.write_text(path.read_text().replace(f",{cell},", f",{other},", 1))
    with pytest.warns(UserWarning, match="left out 1 of 4 rows"):
        assert len(list(read(path))) == 3


@pytest.mark.parametrize("suffix", FORMS)
def test_read_when_the_file_holds_something_else_then_one_line_says_so(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    with pytest.raises(LivemoodError, match=r"is not a record file|is not a complete Parquet file") as caught:
        list(read(path))
    assert "\n" not in str(caught.value)


def test_read_when_a_parquet_file_holds_other_columns_then_one_line_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"x": [1]}), path)
    with pytest.raises(LivemoodError, match="is not a record file: it has no column v"):
        list(read(path))


def test_read_when_a_parquet_file_is_cut_short_then_one_line_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_some(path)
    os.truncate(path, path.stat().st_size - 10)
    with pytest.raises(LivemoodError, match="is not a complete Parquet file"):
        list(read(path))


def test_read_when_the_records_are_newer_then_it_asks_for_an_update(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"v": 2, "frame": 0, "time_s": 0, "track": null}\n')
    with pytest.raises(LivemoodError, match="version 2 come from a newer livemood"):
        list(read(path))
    table = tmp_path / "a.csv"
    write_some(table)
    header, *rows = table.read_text().splitlines(keepends=True)
    table.write_text(header + "".join("2" + row.removeprefix("1") for row in rows))
    with pytest.raises(LivemoodError, match="version 2 come from a newer livemood"):
        list(read(table))


def test_read_when_a_line_has_only_the_contract_keys_or_more_then_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(_line(mine="extra"))
    assert list(read(path)) == [Record(1, 0.1, 1, (0.0, 0.0, 9.0, 9.0), "sad", 1.0, {"sad": 1.0}, {"sad": 1.0})]


def test_read_when_texts_hold_what_no_file_can_then_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    event = {"frame": 1, "time_s": 1, "track": None, "event": 1, "event_name": "x\ud800 caf\u00e9 \U0001f600"}
    path.write_bytes(_line(label="\udcff", scores={"\udcff": 1}) + json.dumps(event).encode())
    face, marked = read(path)
    assert (face.label, *face.scores) == ("\\xff", "\\xff")
    assert marked.event_name == "x\ufffd caf\u00e9 \U0001f600"


def test_read_when_the_path_is_wrong_then_it_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(LivemoodError, match="is not there"):
        read(tmp_path / "a.csv")
    with pytest.raises(LivemoodError, match="is a folder"):
        read(tmp_path)
    (tmp_path / "a.txt").touch()
    with pytest.raises(LivemoodError, match=r"its suffix is none of \.jsonl, \.csv, \.parquet"):
        read(tmp_path / "a.txt")


# ---- tables ----


@pytest.mark.parametrize("suffix", FORMS)
def test_tables_when_made_from_any_form_then_they_hold_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_some(path, faceless_rows=True)
    pandas, polars = to_pandas(path), to_polars(path)
    assert list(pandas.columns) == polars.columns
    assert (pandas.shape, polars.shape) == ((5, 25 + 16), (5, 25 + 16))
    assert pandas["track"].dropna().tolist() == polars["track"].drop_nulls().to_list() == [1, 2, 1, 2]
    assert pandas["score_happy"].dropna().tolist() == polars["score_happy"].drop_nulls().to_list()
    assert pandas["label"].dropna().tolist() == ["happy", "unsure", "happy", "unsure"]
    assert polars["time_s"].to_list() == pandas["time_s"].tolist() == [0.0, 0.0, 0.1, 0.2, 0.2]


@pytest.mark.parametrize("suffix", FORMS)
def test_tables_when_the_first_face_comes_late_then_its_scores_are_there(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_records(path, EMOTIONS, faceless_rows=True) as sink:
        for index in range(10_000):
            sink.write(make_frame(8, 8, index, index / 30), [make_mood()] if index == 9_999 else [])
    pandas, polars = to_pandas(path), to_polars(path)
    assert (len(pandas), len(polars)) == (10_000, 10_000)
    assert pandas["score_happy"].dropna().tolist() == polars["score_happy"].drop_nulls().to_list() == [0.9]
    assert pandas["raw_sad"].dropna().tolist() == polars["raw_sad"].drop_nulls().to_list() == [0.0]


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_tables_when_made_in_chunks_then_rows_are_counted_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr("livemood.records.dataframe.CHUNK", rows)
    write_some(tmp_path / "a.csv", frames=5)
    assert to_pandas(tmp_path / "a.csv").index.tolist() == list(range(8))
    assert len(to_polars(tmp_path / "a.csv")) == 8


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_when_no_face_comes_then_they_have_the_columns_of_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_records(path, EMOTIONS, faceless_rows=True) as sink:
        sink.write(make_frame(), [])
    assert list(to_pandas(path).columns) == to_polars(path).columns == list(columns(EMOTIONS))


@pytest.mark.parametrize("suffix", FORMS)
def test_tables_when_there_are_no_rows_then_they_are_empty_with_columns(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    open_records(path, EMOTIONS).close()
    assert len(to_pandas(path)) == len(to_polars(path)) == 0
    assert "time_s" in to_pandas(path).columns
    assert "time_s" in to_polars(path).columns


@pytest.mark.parametrize(
    ("library", "package"), [("pandas", "pandas"), ("polars", "polars"), ("pyarrow", r"'livemood\[parquet\]'")]
)
def test_library_when_not_installed_then_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, package: str
) -> None:
    path = tmp_path / "a.parquet"
    write_some(path)
    monkeypatch.setitem(sys.modules, library, None)
    use = {"pandas": to_pandas, "polars": to_polars, "pyarrow": lambda path: list(read(path))}[library]
    with pytest.raises(LivemoodError, match=rf"{library} is not installed; try: pip install {package}$"):
        use(path)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_read_when_a_spreadsheet_wrote_the_csv_anew_then_the_rows_are_the_same(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "a.csv"
    write_some(path)
    told = list(read(path))
    cells = [line.split(",") for line in path.read_text().splitlines()]
    lines = [separator.join(cell.replace(".", ",") for cell in line) for line in cells]
    path.write_text("".join(f"{line}\n" for line in lines))
    assert list(read(path)) == told
    assert told


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_read_when_written_anew_with_a_byte_order_mark_then_rows_and_origin_are_the_same(
    tmp_path: Path, suffix: str, encoding: str
) -> None:
    path = tmp_path / f"a{suffix}"
    write_some(path)
    told, said = list(read(path)), read_origin(path)
    path.write_text(path.read_text(), encoding=encoding)
    assert (list(read(path)), read_origin(path)) == (told, said)
    assert told


@pytest.mark.parametrize("name", ["participant", "score_comment", "note_score_a"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_read_when_a_text_column_was_added_then_it_is_ignored(tmp_path: Path, name: str, suffix: str) -> None:
    import pandas

    path = tmp_path / "a.csv"
    write_some(path)
    told = list(read(path))
    table = pandas.read_csv(path)
    table[name] = "P01"
    if suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        path = tmp_path / "a.parquet"
        table.to_parquet(path)
    again = list(read(path))
    assert [(one.frame, one.track, one.label) for one in again] == [(one.frame, one.track, one.label) for one in told]
    assert again[0].scores.keys() == told[0].scores.keys()

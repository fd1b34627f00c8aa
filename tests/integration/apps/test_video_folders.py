"""``livemood video`` over the folders of a study."""

import csv
import json
import shutil
from errno import ENOENT, ENOSPC
from pathlib import Path

import av
import pytest

from livemood.apps import video_table
from livemood.apps.video_batch import Outcome
from livemood.apps.video_job import VideoJob
from livemood.cli import run
from livemood.cli.bars import Bars
from livemood.cli.summary import line_about_many, print_outcomes
from livemood.core.errors import LivemoodError
from livemood.records import read
from livemood.reporting import page
from livemood.runtime.atomic_io import unwritable
from livemood.sinks.open import Output
from livemood.sinks.records import RecordSink, open_records
from livemood.sinks.video.writer import VideoSink
from tests.support.builders import half_sample, make_frame, make_mood, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Six frames of the sample, at half its size."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", half_sample(6))


@pytest.fixture
def study(clip, tmp_path, monkeypatch) -> Path:
    """A folder with ``study/P01/clip.mp4``, ``study/P02/clip.mp4`` and ``study/P02/bad.mp4``; the current one."""
    for person in ("P01", "P02"):
        (tmp_path / "study" / person).mkdir(parents=True)
        shutil.copy(clip, tmp_path / "study" / person)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path, *names: str) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for name in names for path in (folder / name).rglob("*") if path.is_file()
    )


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def interrupt_at_frame(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Interrupt the run when this many frames were read."""
    seen: list[Path] = []

    def advance(_: object, source: Path, frames: int = 1) -> None:
        seen.append(source)
        if len(seen) == count:
            raise KeyboardInterrupt

    monkeypatch.setattr(Bars, "advance", advance)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_folder_then_copies_records_and_reports_lie_in_the_same_folders_again(study, capfd):
    (study / "study" / "P02" / "bad.mp4").write_text("no video")
    words = [
        "video",
        "study",
        "--out-dir",
        "out",
        "--records",
        "moods/.jsonl",
        "--report",
        "pages",
        "--summary",
        "t.csv",
        "--jobs",
        "1",
    ]
    assert run(words) == 1
    assert capfd.readouterr().err.splitlines() == ["livemood: study/P02/bad.mp4 is not a video that can be read"]
    assert files(study, "out", "moods", "pages") == sorted(
        f"{folder}/{person}/clip{ending}"
        for folder, ending in (("out", ".mp4"), ("moods", ".jsonl"), ("pages", ".html"))
        for person in ("P01", "P02")
    )
    assert len({row.frame for row in read("moods/P01/clip.jsonl")}) == 6
    bad, *good = sorted(table(study / "t.csv"), key=lambda row: row["state"])
    assert (bad["folder"], bad["state"], bad["faces"]) == ("P02", "failed", "")
    assert bad["error"] == "study/P02/bad.mp4 is not a video that can be read"
    assert [(row["folder"], row["frames"], row["faces"], row["people"]) for row in good] == [
        ("P01", "6", "6", "1"),
        ("P02", "6", "6", "1"),
    ]
    assert good[0]["copy"] == "out/P01/clip.mp4"
    shares = [float(value) for name, value in good[0].items() if name.startswith("share_")]
    assert sum(shares) == pytest.approx(1)


def test_folder_when_gone_on_with_then_nothing_is_made_twice_and_the_table_is_whole(study, capfd):
    words = [
        "video",
        "study",
        "--out-dir",
        "study/out",
        "--records",
        ".csv",
        "--summary",
        "t.csv",
        "--resume",
        "--json",
        "--jobs",
        "1",
    ]
    assert run(words) == 0
    (study / "study" / "out" / "P02" / "clip.csv").unlink()
    capfd.readouterr()
    assert run(words) == 0
    out, err = capfd.readouterr()
    assert [file["skipped"] for file in json.loads(out)["files"]] == [True, False]
    assert err == "livemood: note: study/out is for the copies; nothing in it was read\n"
    found = [(row["state"], row["faces"], row["people"]) for row in table(study / "t.csv")]
    assert found == [("there already", "6", "1"), ("read", "6", "1")]


def test_folders_when_several_then_records_alone_lie_under_their_names(study):
    assert run(["video", "study/P01", "study/P02", "--records", "moods", "--jobs", "2"]) == 0
    assert files(study, "moods") == sorted(f"moods/{p}/clip.csv{e}" for p in ("P01", "P02") for e in ("", ".json"))


def test_video_when_it_is_one_then_has_a_table_too(study):
    assert run(["video", "study/P01/clip.mp4", "--summary", "t.csv"]) == 0
    (row,) = table(study / "t.csv")
    assert (row["folder"], row["video"], row["state"], row["faces"]) == ("", "study/P01/clip.mp4", "read", "6")
    assert files(study, "study") == ["study/P01/clip.mp4", "study/P02/clip.mp4"]


def test_video_when_it_is_one_and_resumed_then_only_what_is_missing_is_made(study, capfd):
    words = ["video", "study/P01/clip.mp4", "--records", "a.csv", "--markers", "a.edl", "--summary", "t.csv"]
    assert run(words) == 0
    made = (study / "a.edl").read_bytes()
    (study / "a.csv").write_text("mine")
    assert run([*words, "--resume"]) == 0
    assert "a.csv (there already)" in capfd.readouterr().out
    assert [row["state"] for row in table(study / "t.csv")] == ["there already"]
    assert run([*words, "--resume", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["skipped"] is True
    (study / "a.edl").unlink()
    assert run([*words, "--resume"]) == 0
    assert ((study / "a.csv").read_text(), (study / "a.edl").read_bytes()) == ("mine", made)


@pytest.mark.parametrize("taken", ["a.csv.json", "t.csv"])
def test_video_when_resumed_over_a_file_of_someone_else_then_refused_by_name(taken, study, capfd):
    (study / taken).write_text("[1]")
    words = ["video", "study/P01/clip.mp4", "--records", "a.csv", "--markers", "a.edl", "--summary", "t.csv"]
    assert run([*words, "--resume"]) == 1
    assert f"livemood: {taken} is there already; use --force or another --" in capfd.readouterr().err
    assert files(study, ".") == sorted([taken, *files(study, "study")])
    assert (study / taken).read_text() == "[1]"


@pytest.mark.parametrize(
    "resumed", [["study/P01/clip.mp4", "--out", "out/clip.mp4"], ["study/P01/clip.mp4", "--out-dir", "out"]]
)
def test_video_when_interrupted_then_going_on_makes_its_files_again(resumed, study, monkeypatch, capfd):
    beside = ["--records", "out/clip.csv", "--subtitles", "out/clip.srt"]
    interrupt_at_frame(monkeypatch, 4)
    assert run(["video", "study/P01/clip.mp4", "--out", "out/clip.mp4", *beside]) == 130
    assert "interrupted; kept: out/clip.mp4, out/clip.srt, out/clip.csv" in capfd.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(study)
    assert frames_in(study / "out" / "clip.mp4") < 6
    assert run(["video", "study/P01/clip.mp4", "--out", "out/clip.mp4", *beside]) == 1
    assert "out/clip.csv is there already; use --force" in capfd.readouterr().err
    words = ["video", *resumed, *(beside if "--out" in resumed else ["--records", ".csv", "--subtitles", ".srt"])]
    assert run([*words, "--summary", "t.csv", "--resume"]) == 0
    assert [(row["state"], row["frames"]) for row in table(study / "t.csv")] == [("read", "6")]
    assert frames_in(study / "out" / "clip.mp4") == len({row.frame for row in read("out/clip.csv")}) == 6
    assert run([*words, "--summary", "t.csv", "--resume"]) == 0
    assert [row["state"] for row in table(study / "t.csv")] == ["there already"]


def test_file_when_changed_after_an_interrupt_then_going_on_keeps_it(study, monkeypatch):
    words = ["video", "study/P01/clip.mp4", "--subtitles", "a.srt"]
    interrupt_at_frame(monkeypatch, 4)
    assert run(words) == 130
    (study / "a.srt").write_text("my own words")
    assert run([*words, "--resume"]) == 0
    assert (study / "a.srt").read_text() == "my own words"


def test_file_when_there_before_a_run_that_is_interrupted_at_once_then_counts_as_complete(study, monkeypatch, capfd):
    words = ["video", "study/P01/clip.mp4", "--out", "a.mp4"]
    assert run(words) == 0
    interrupt_at_frame(monkeypatch, 1)
    monkeypatch.setattr(VideoSink, "write", lambda *_: None)
    assert run([*words, "--force"]) == 130
    assert run([*words, "--resume"]) == 0
    assert "a.mp4 (there already)" in capfd.readouterr().out


def test_report_when_it_cannot_be_written_then_its_own_option_is_named(study, capfd):
    assert run(["video", "study/P01/clip.mp4", "--report", "/proc/x/r.html"]) == 1
    said = "/proc/x/r.html could not be written (No such file or directory); try another --report"
    assert capfd.readouterr().err == f"livemood: {said}\n"


@pytest.mark.parametrize("words", [[], ["--records", "a.csv"]])
def test_report_when_the_disk_of_its_records_is_full_then_an_option_is_named_that_helps(
    words, study, capfd, monkeypatch
):
    def full(sink, _):
        raise unwritable(sink.path, "records", OSError(ENOSPC, "No space left on device"))

    monkeypatch.setattr(RecordSink, "_keep", full)
    assert run(["video", "study/P01/clip.mp4", "--report", "r.html", *words]) == 1
    remedy = "try another --records" if words else "add --records with a file elsewhere, to make the report of"
    assert capfd.readouterr().err.endswith(f"could not be written (No space left on device); {remedy}\n")


def full_disk(*_: object, **__: object) -> None:
    raise unwritable(Path("p"), "report", OSError(ENOSPC, "No space left on device"))


def test_video_when_a_later_file_fails_then_those_that_are_complete_are_told(study, capfd, monkeypatch):
    monkeypatch.setattr(page, "write_report", full_disk)
    assert run(["video", "study/P01/clip.mp4", "--out", "a.mp4", "--records", "a.csv", "--report", "p.html"]) == 1
    assert capfd.readouterr().err.splitlines() == [
        "livemood: note: complete, and kept: a.mp4, a.csv",
        "livemood: p could not be written (No space left on device); try another --report",
    ]
    assert files(study, ".") == sorted(["a.csv", "a.csv.json", "a.mp4", *files(study, "study")])


def test_videos_when_a_later_file_fails_then_those_that_are_complete_are_told(study, capfd):
    words = ["video", "study/P01", "--out-dir", "out", "--report", "/proc/x", "--summary", "t.csv", "--json"]
    assert run(words) == 1
    out, err = capfd.readouterr()
    said = "/proc/x/clip.html could not be written (No such file or directory); try another --report"
    assert err == f"livemood: {said}; kept: out/clip.mp4\n"
    (told,) = json.loads(out)["files"]
    assert (told["error"], told["out"], told["report"]) == (said, "out/clip.mp4", None)
    assert [(row["state"], row["copy"], row["report"]) for row in table(study / "t.csv")] == [
        ("failed", "out/clip.mp4", "")
    ]


@pytest.mark.parametrize(
    "inputs", [["study", "--records", "moods", "--jobs", "1"], ["study/P01/clip.mp4", "--records", "a.csv"]]
)
def test_summary_when_it_cannot_be_written_then_the_videos_are_told_all_the_same(study, inputs, capfd, monkeypatch):
    monkeypatch.setattr(video_table, "write_video_table", full_disk)
    (study / "study" / "P02" / "bad.mp4").write_text("no video")
    assert run(["video", *inputs, "--summary", "t.csv"]) == 1
    out, err = capfd.readouterr()
    assert "6" in out
    assert "summary:" not in out
    assert ("bad.mp4 is not a video that can be read" in err) == (inputs[0] == "study")
    assert err.endswith("could not be written (No space left on device); try another --report\n")


def test_copies_when_they_cannot_be_written_then_the_option_of_their_folder_is_named(capfd):
    job = VideoJob(Path("a.mp4"), (Output("out", "/proc/x/a.mp4"),))
    outcome = Outcome(job, None, unwritable(Path("/proc/x/a.mp4"), "out", OSError(ENOENT, "No such file")))
    print_outcomes([outcome], json_=True)
    (told,) = json.loads(capfd.readouterr().out)["files"]
    assert told["error"] == "/proc/x/a.mp4 could not be written (No such file); try another --out-dir"
    assert line_about_many(unwritable(Path("a.csv"), "records", OSError())).endswith("try another --records")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["study"], 2, "many videos need --out-dir, or a folder for --records or --report"),
        (["study/P01/clip.mp4", "study/P02/clip.mp4", "--out-dir", "o"], 2, "would both become o/clip.mp4"),
        (["study", "--out-dir", "study"], 2, "is one of the inputs; use another folder"),
        (["study", "--out", "x.mp4"], 2, "is for one video; many need --out-dir"),
        (["study", "--records", "-"], 2, "many videos need files, not stdout; give a folder"),
        (["study", "--records", "all.csv"], 2, "many videos need a folder, or an ending such as .csv, got all.csv"),
        (["study", "--records", ".csv"], 2, "beside each copy, or in a folder given as DIR/.csv; add --out-dir"),
        (["study", "--markers", "edits"], 2, "edits names no format; end it in one, such as edits/.edl"),
        (
            ["study", "--markers", "edits.boris"],
            2,
            "or an ending such as .csv, got edits.boris",
        ),
        (
            ["study", "--out-dir", "o", "--summary", "t.txt"],
            1,
            "t.txt does not end in .csv; give --summary a name that does",
        ),
        (["study", "--out-dir", "o", "--records", ".csv", "--markers", ".csv"], 2, "clip.csv is the file of --records"),
        (["http://host/x.mp4"], 2, "http://host/x.mp4 is not a file; livemood camera --source reads streams"),
        (["study", "--out-dir", "o", "--summary", "there.csv"], 1, "use --force or another --summary"),
        (
            ["study", "--records", "o", "--summary", "there.csv/t.csv"],
            1,
            "there.csv/t.csv could not be written (there.csv is a file); try another --summary",
        ),
        (["empty", "--out-dir", "o"], 1, "empty contains no videos"),
        (["gone", "--out-dir", "o"], 1, "gone is not there"),
    ],
)
def test_folders_when_asked_for_what_cannot_be_then_one_line_and_nothing_is_made(study, capfd, words, code, said):
    (study / "empty").mkdir()
    (study / "afile").mkdir()
    (study / "afile" / "P01").touch()
    (study / "there.csv").touch()
    before = sorted(study.rglob("*"))
    assert run(["video", *words]) == code
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert said in err
    assert sorted(study.rglob("*")) == before


@pytest.mark.parametrize("words", [["--records", "a.csv", "--no-blur"], ["--report", "a.html", "--faceless-rows"]])
def test_settings_when_a_file_has_them_or_they_are_off_then_need_no_effect(words, study):
    (study / "livemood.toml").write_text("[video]\ncrf = 24\nblur = true\n")
    assert run(["video", "study/P01/clip.mp4", *words]) == 0


def test_copy_when_it_would_lie_among_videos_then_refused(study, capfd):
    (study / "study" / "P01" / "clip.mp4").rename(study / "study" / "P01" / "clip.mkv")
    assert run(["video", "study/P01", "study/P02", "--out-dir", "study"]) == 2
    assert "study/P01/clip.mp4 would lie among the videos of" in capfd.readouterr().err


def test_table_of_a_video_that_failed_then_names_what_was_completed_and_has_no_figures(study):
    records = study / "moods.csv"
    with open_records(records, ("happy", "sad")) as sink:
        sink.write(make_frame(), [make_mood(labels=("happy", "sad"))])
    job = VideoJob(Path("a.mp4"), (Output("out", "a-moods.mp4"), Output("records", str(records))))
    failed = Outcome(job, None, LivemoodError("disk full"), [records])
    there = Outcome(job, None, None)
    listed = [video_table.Listed("", one) for one in (failed, there)]
    video_table.write_video_table(study / "table.csv", listed, ("happy", "sad"))
    one, other = csv.DictReader((study / "table.csv").open())
    assert (one["state"], one["copy"], one["records"], one["faces"]) == ("failed", "", str(records), "")
    assert (other["state"], other["copy"], other["faces"]) == ("there already", "a-moods.mp4", "1")

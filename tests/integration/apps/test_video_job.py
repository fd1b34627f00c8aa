"""Many videos at once, cuts, and interrupts, as a person runs them."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import av
import pytest

from livemood.apps.session import Session
from livemood.apps.video_batch import label_videos
from livemood.apps.video_job import VideoJob, label_video
from livemood.cli.bars import Bars
from livemood.core.errors import SinkError
from livemood.core.settings import CutSettings, DrawStyle, EncodingSettings, ReaderSettings
from livemood.records import read
from livemood.reporting.merges import MergeCommand
from livemood.sinks.open import Output
from livemood.sinks.video.writer import VideoSink
from tests.support.builders import half_sample, heed_interrupts, repeated, write_clip, write_film
from tests.support.commands import livemood

LIVEMOOD = Path(sys.executable).with_name("livemood")


def job(source: Path, out: Path, *beside: Output) -> VideoJob:
    return VideoJob(source, (Output("out", str(out)), *beside))


def frames(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def short(longer, tmp_path_factory) -> Path:
    """Half a second of the sample, cut by livemood itself."""
    target = tmp_path_factory.mktemp("short") / "short.mp4"
    assert livemood("video", longer, "--out", target, "--duration", "0.5").returncode == 0
    return target


@pytest.fixture(scope="module")
def longer(tmp_path_factory) -> Path:
    """Two seconds of the sample: time to signal those who label it."""
    return write_clip(tmp_path_factory.mktemp("longer") / "longer.mp4", half_sample(60))


@pytest.fixture(scope="module")
def longest(longer, tmp_path_factory) -> Path:
    """The same twenty times over, copied without decoding it."""
    return repeated(longer, tmp_path_factory.mktemp("longest") / "longest.mp4", 20)


def test_cut_when_start_and_duration_are_given_then_just_these_frames(longer, short, tmp_path):
    done = livemood("video", longer, "--out", tmp_path / "o.mp4", "--start", "0:01", "--duration", "0.2", "--json")
    assert json.loads(done.stdout)["frames"] == 6
    assert len(frames(tmp_path / "o.mp4")) == 6
    assert len(frames(short)) == 15


def test_report_that_is_there_then_it_is_refused_before_the_video_is_read(short, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("mine")
    done = livemood("video", short, "--out", tmp_path / "o.mp4", "--report", page)
    assert (done.returncode, page.read_text()) == (1, "mine")
    assert done.stderr == f"livemood: {page} is there already; use --force or another --report\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_many_when_one_is_broken_then_the_others_are_made_and_the_exit_code_tells(short, tmp_path):
    names = [tmp_path / f"{letter}.mp4" for letter in "abc"]
    for name in names:
        shutil.copy(short, name)
    names[1].write_text("not a video")
    out = tmp_path / "out"
    done = livemood("video", *names, "--out-dir", out, "--jobs", "2", "--records", ".csv", "--json")
    results = {Path(file["source"]).name: file for file in json.loads(done.stdout)["files"]}
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "b.mp4" in done.stderr
    assert [results[n]["error"] is None for n in ("a.mp4", "b.mp4", "c.mp4")] == [True, False, True]
    assert sorted(path.name for path in out.iterdir()) == [
        "a.csv",
        "a.csv.json",
        "a.mp4",
        "c.csv",
        "c.csv.json",
        "c.mp4",
    ]
    assert len(frames(out / "a.mp4")) == results["a.mp4"]["frames"] == 15

    shutil.copy(short, names[1])
    stamp = (out / "a.mp4").stat().st_mtime_ns
    again = livemood("video", *names, "--out-dir", out, "--records", ".csv", "--jobs", "1", "--resume", "--json")
    skipped = [file["skipped"] for file in json.loads(again.stdout)["files"]]
    assert (again.returncode, again.stderr) == (0, "")
    assert skipped == [True, False, True]
    assert (out / "a.mp4").stat().st_mtime_ns == stamp


def test_many_when_a_process_is_killed_then_all_are_made_all_the_same(longer, tmp_path):
    names = [tmp_path / f"{letter}.mp4" for letter in "abc"]
    for name in names:
        shutil.copy(longer, name)
    out = tmp_path / "out"
    running = subprocess.Popen(
        [LIVEMOOD, "video", *names, "--out-dir", out, "--jobs", "2", "--json"], stdout=subprocess.PIPE, text=True
    )
    ends = time.monotonic() + 60
    while not (workers := workers_of(running.pid)) and time.monotonic() < ends:
        time.sleep(0.02)
    os.kill(workers[0], signal.SIGKILL)
    printed, _ = running.communicate(timeout=300)
    assert running.returncode == 0
    assert [file["error"] for file in json.loads(printed)["files"]] == [None] * 3
    assert sorted(path.name for path in out.iterdir()) == ["a.mp4", "b.mp4", "c.mp4"]
    assert {len(frames(path)) for path in out.iterdir()} == {60}


def test_many_when_interrupted_then_no_other_video_is_begun_and_nothing_is_left(longest, tmp_path):
    names = [tmp_path / f"{letter}.mp4" for letter in "abcd"]
    for name in names:
        shutil.copy(longest, name)
    running = subprocess.Popen(
        [LIVEMOOD, "video", *names, "--out-dir", tmp_path / "out", "--jobs", "2"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
        start_new_session=True,
    )
    ends = time.monotonic() + 60
    while not workers_of(running.pid) and time.monotonic() < ends:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert stderr.startswith("livemood: interrupted")
    assert list((tmp_path / "out").iterdir()) == []


def workers_of(parent: int) -> list[int]:
    """Return the processes that have a scratch file open below a command."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names = [str(handle.readlink()) for handle in (folder / "fd").iterdir()] if above == parent else []
            if any(name.endswith(".part") for name in names):
                found.append(int(folder.name))
    return found


def test_many_when_a_job_kills_every_process_then_it_fails_and_the_others_are_made(short, tmp_path):
    jobs = [job(Path(shutil.copy(short, tmp_path / f"{n}.mp4")), tmp_path / f"{n}-moods.mp4") for n in "ab"]
    deadly = replace(jobs[0], encoding=EncodingSettings(codec=_Deadly()))  # type: ignore[arg-type]
    outcomes = {Path(str(o.job.out)).name: o for o in label_videos([deadly, jobs[1]], ReaderSettings(), 1, Bars())}
    assert "its process was killed, probably because memory ran out" in str(outcomes["a-moods.mp4"].error)
    assert outcomes["b-moods.mp4"].error is None


def test_many_when_a_process_is_killed_after_a_job_then_what_it_made_is_no_obstacle(short, tmp_path):
    clips = [Path(shutil.copy(short, tmp_path / f"{letter}.mp4")) for letter in "ab"]
    jobs = [
        replace(
            job(clip, clip.with_name(f"{clip.stem}-moods.mp4"), Output("records", str(clip.with_suffix(".csv")))),
            report=clip.with_suffix(".html"),
        )
        for clip in clips
    ]
    jobs[0] = replace(jobs[0], merge_command=MergeCommand(_DeadlyOnce(tmp_path / "a.died"), ""))
    (tmp_path / "b.csv").write_text("mine")
    outcomes = {outcome.job.source.stem: outcome for outcome in label_videos(jobs, ReaderSettings(), 1, Bars())}
    assert (tmp_path / "a.died").exists()
    assert outcomes["a"].error is None
    assert outcomes["a"].files == jobs[0].files
    assert len(frames(tmp_path / "a-moods.mp4")) == 15
    assert "b.csv is there already" in str(outcomes["b"].error)
    assert (tmp_path / "b.csv").read_text() == "mine"


def test_many_when_one_brings_a_library_to_raise_anything_then_that_is_its_line(short, tmp_path):
    jobs = [job(Path(shutil.copy(short, tmp_path / f"{n}.mp4")), tmp_path / f"{n}-moods.mp4") for n in "ab"]
    odd = replace(jobs[0], cut=CutSettings(every="never"))  # type: ignore[arg-type]
    outcomes = {Path(str(o.job.out)).name: o for o in label_videos([odd, jobs[1]], ReaderSettings(), 1, Bars())}
    assert "a.mp4 could not be processed, because of an unexpected error (ValueError" in str(
        outcomes["a-moods.mp4"].error
    )
    assert outcomes["b-moods.mp4"].error is None
    assert not (tmp_path / "a-moods.mp4").exists()


@pytest.mark.parametrize("blur", [False, True])
def test_copy_when_faces_are_blurred_then_its_source_s_place_and_date_go_too(blur, tmp_path):
    tags = {"location": "+48.8577+002.295/", "creation_time": "2025-07-14T10:00:00.000000Z"}
    clip = write_film(tmp_path / "clip.mp4", tags=tags)
    job = VideoJob(clip, (Output("out", str(tmp_path / "o.mp4")),), style=DrawStyle(blur=blur))
    with Session() as session:
        label_video(job, session, Bars())
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert bool({"location", "creation_time"} & set(container.metadata)) != blur


class _DeadlyOnce(str):
    """Kills the process of a pool that packs it to send it back, unless it did so before; the path of its mark."""

    __slots__ = ()

    def __reduce__(self):
        if multiprocessing.parent_process() and not Path(self).exists():
            Path(self).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return _DeadlyOnce, (str(self),)


class _Deadly:
    """Kills the process that unpacks it."""

    def __reduce__(self):
        return signal.raise_signal, (signal.SIGKILL,)


def test_many_when_resumed_then_what_is_missing_is_made(short, tmp_path):
    for letter in "abc":
        shutil.copy(short, tmp_path / f"{letter}.mp4")
    words = [tmp_path / f"{letter}.mp4" for letter in "abc"]
    words += ["--out-dir", tmp_path / "out", "--records", ".csv", "--jobs", "1"]
    assert livemood("video", *words).returncode == 0
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "a.mp4").unlink()
    (tmp_path / "out" / "b.csv").unlink()
    done = livemood("video", *words, "--resume", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [file["skipped"] for file in json.loads(done.stdout)["files"]] == [False, False, True]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == made


def test_copy_when_its_end_cannot_be_written_then_no_records_stay(short, tmp_path, monkeypatch):
    def full(*_):
        raise SinkError("disk full")

    monkeypatch.setattr(VideoSink, "_write_rest", full)
    beside = (Output("records", str(tmp_path / "r.csv")), Output("subtitles", str(tmp_path / "r.srt")))
    with Session() as session, pytest.raises(SinkError, match="disk full"):
        label_video(job(short, tmp_path / "o.mp4", *beside), session, Bars())
    assert list(tmp_path.iterdir()) == []


def test_subtitles_of_a_cut_then_they_begin_with_the_copy(longer, tmp_path):
    cut = ("--start", "1.5", "--duration", "0.3", "--out", tmp_path / "o.mp4", "--subtitles", tmp_path / "o.srt")
    assert livemood("video", longer, *cut).returncode == 0
    first = (tmp_path / "o.srt").read_text().splitlines()[1]
    assert first.startswith("00:00:00,000 --> 00:00:0")


@pytest.mark.parametrize(
    "words",
    [
        ("a.mp4", "b.mp4"),
        ("a.mp4", "b.mp4", "--out-dir", "o", "--out", "x.mp4"),
        ("a.mp4", "x/a.mp4", "--out-dir", "o"),
        ("a.mp4", "b.mp4", "--out-dir", "o", "--records", "rows.csv"),
        ("a.mp4", "--start", "soon"),
        ("a.mp4", "--every", "0"),
        ("a.mp4", "--start", "9" * 400),
        ("a.mp4", "--duration", "0"),
        ("a.mp4", "--out-dir", "."),
        ("a.mp4", "--thumbnails"),
        ("a.mp4", "--thumbnails", "--blur", "--report", "r.html"),
        ("a.mp4", "--codec", "mpeg1"),
    ],
)
def test_options_when_they_make_no_sense_then_usage_error_in_one_line(words):
    done = livemood("video", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("livemood: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_when_interrupted_then_the_file_plays_up_to_there(longest, tmp_path, number):
    out = tmp_path / "out.mp4"
    rows = tmp_path / "rows.jsonl"
    running = subprocess.Popen(
        [LIVEMOOD, "video", longest, "--out", out, "--records", rows],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size > 50_000 for path in tmp_path.glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(number)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert stderr.startswith("livemood: interrupted")
    times = frames(out)
    assert 1 < len(times) < 1200
    assert [round(t * 30) for t in times] == list(range(len(times)))
    assert len({record.frame for record in read(rows)}) == len(times)


def test_codec_when_asked_for_then_used(short, tmp_path):
    out = tmp_path / "o.mkv"
    assert livemood("video", short, "--out", out, "--codec", "h265", "--preset", "ultrafast").returncode == 0
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"


def test_out_when_it_is_the_input_then_refused_even_by_force(short, tmp_path):
    clip = Path(shutil.copy(short, tmp_path / "clip.mp4"))
    before = clip.read_bytes()
    done = livemood("video", clip, "--out", clip, "--force")
    assert done.returncode == 1
    assert "clip.mp4 is one of the inputs; choose another --out" in done.stderr
    assert clip.read_bytes() == before


def test_report_when_asked_for_without_records_then_only_the_page_stays(short, tmp_path):
    page = tmp_path / "moods.html"
    done = livemood("video", short, "--out", tmp_path / "o.mp4", "--report", page, "--thumbnails")
    assert (done.returncode, done.stderr) == (0, "")
    assert "person 1" in page.read_text(encoding="utf-8").lower()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moods.html", "o.mp4"]


def test_report_when_the_video_comes_through_a_pipe_then_shows_faces_and_leaves_no_copy(longer, tmp_path):
    page, scratch = tmp_path / "moods.html", tmp_path / "scratch"
    scratch.mkdir()
    words = [LIVEMOOD, "video", "-", "--report", page, "--thumbnails"]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run(words, input=longer.read_bytes(), capture_output=True, timeout=300, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    text = page.read_text(encoding="utf-8")
    assert "<title>-</title>" in text
    assert "data:image/jpeg" in text
    assert list(scratch.iterdir()) == []

"""Many videos at once, cuts, and interrupts, as a person runs them."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from tests.builders import SAMPLES, heed_interrupts

LIVEMOOD = Path(sys.executable).with_name("livemood")
CLIP = SAMPLES / "faces.mp4"


def livemood(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LIVEMOOD, *map(str, arguments)], capture_output=True, text=True, timeout=300)


def frames(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    """A second of the sample, cut by livemood itself."""
    target = tmp_path_factory.mktemp("short") / "short.mp4"
    assert livemood("video", CLIP, "--out", target, "--duration", "1").returncode == 0
    return target


def test_cut_when_start_and_duration_are_given_then_just_these_frames(short, tmp_path):
    done = livemood("video", CLIP, "--out", tmp_path / "o.mp4", "--start", "0:02", "--duration", "0.5", "--json")
    assert json.loads(done.stdout)["frames"] == 15
    assert len(frames(tmp_path / "o.mp4")) == 15
    assert len(frames(short)) == 30


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
    assert sorted(path.name for path in out.iterdir()) == ["a.csv", "a.mp4", "c.csv", "c.mp4"]
    assert len(frames(out / "a.mp4")) == results["a.mp4"]["frames"] == 30

    shutil.copy(short, names[1])
    stamp = (out / "a.mp4").stat().st_mtime_ns
    again = livemood("video", *names, "--out-dir", out, "--records", ".csv", "--resume", "--json")
    skipped = [file["skipped"] for file in json.loads(again.stdout)["files"]]
    assert (again.returncode, again.stderr) == (0, "")
    assert skipped == [True, False, True]
    assert (out / "a.mp4").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    "words",
    [
        ("a.mp4", "b.mp4"),
        ("a.mp4", "b.mp4", "--out-dir", "o", "--out", "x.mp4"),
        ("a.mp4", "x/a.mp4", "--out-dir", "o"),
        ("a.mp4", "b.mp4", "--out-dir", "o", "--records", "rows.csv"),
        ("a.mp4", "--start", "soon"),
        ("a.mp4", "--every", "0"),
        ("a.mp4", "--thumbnails"),
        ("a.mp4", "--codec", "mpeg1"),
    ],
)
def test_options_when_they_make_no_sense_then_usage_error_in_one_line(words):
    done = livemood("video", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("livemood: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_when_interrupted_then_the_file_plays_up_to_there(tmp_path, number):
    long = tmp_path / "long.mp4"
    subprocess.run(
        [sys.executable, "-c", LOOP, str(CLIP), str(long)],
        check=True,
    )
    out = tmp_path / "out.mp4"
    rows = tmp_path / "rows.jsonl"
    running = subprocess.Popen(
        [LIVEMOOD, "video", long, "--out", out, "--records", rows],
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
    assert 1 < len(times) < 1800
    assert [round(t * 30) for t in times] == list(range(len(times)))
    assert len({json.loads(line)["frame"] for line in rows.read_text().splitlines()}) == len(times)


# Copies a clip ten times over without decoding it.
LOOP = """
import av, sys
source = av.open(sys.argv[1])
target = av.open(sys.argv[2], "w")
stream = source.streams.video[0]
copy = target.add_stream_from_template(stream)
packets = [p for p in source.demux(stream) if p.dts is not None]
length = stream.duration
for turn in range(10):
    source.seek(0)
    for packet in source.demux(stream):
        if packet.dts is None:
            continue
        packet.pts += turn * length
        packet.dts += turn * length
        packet.stream = copy
        target.mux(packet)
target.close()
"""


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
    assert "clip.mp4 is the video to be read" in done.stderr
    assert clip.read_bytes() == before


def test_report_when_asked_for_without_records_then_only_the_page_stays(short, tmp_path):
    page = tmp_path / "moods.html"
    done = livemood("video", short, "--out", tmp_path / "o.mp4", "--report", page, "--thumbnails")
    assert (done.returncode, done.stderr) == (0, "")
    assert "person 1" in page.read_text(encoding="utf-8").lower()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moods.html", "o.mp4"]

"""``livemood camera`` as a person runs it on a machine without a screen."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import av
import cv2
import pytest

from livemood.cli import run
from livemood.records import read
from livemood.sources.lsl_markers import LslMarkers
from tests.support.builders import SAMPLES, heed_interrupts, read_still
from tests.support.servers import MjpegServer

_LIVEMOOD = Path(sys.executable).with_name("livemood")
CLIP = SAMPLES / "faces.mp4"
_ENV = {**os.environ, "DISPLAY": ""}


def camera(*words, **options):
    return subprocess.run(
        [str(_LIVEMOOD), "camera", *map(str, words)], capture_output=True, timeout=120, env=_ENV, **options
    )


def one_line(text):
    return text.startswith(b"livemood: ") and text.count(b"\n") == 1


@pytest.fixture(scope="module")
def portrait():
    """A face that the detector finds."""
    return cv2.resize(read_still(SAMPLES / "faces.png"), (640, 360))


def pictures_in(video):
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_when_asked_to_calibrate_without_a_baseline_then_wrong_usage(tmp_path, capfd):
    words = ["--no-window", "--records", str(tmp_path / "moods.csv"), "--calibrate", "3", "--baseline", "off"]
    assert run(["camera", *words]) == 2
    assert "leave --baseline off out" in capfd.readouterr().err


def test_when_asked_to_calibrate_emotions_without_neutral_then_refused_and_no_file(tmp_path, portrait, capfd):
    cv2.imwrite(str(tmp_path / "one.png"), portrait)
    words = ["--source", str(tmp_path), "--no-window", "--calibrate", "2", "--emotions", "happy,sad"]
    assert run(["camera", *words, "--records", str(tmp_path / "moods.jsonl")]) == 1
    said = capfd.readouterr().err
    assert "cannot be calibrated: neutral is not among the emotions; leave --calibrate out" in said
    assert not (tmp_path / "moods.jsonl").exists()


def test_on_a_stream_that_breaks_off_and_comes_back_then_video_and_records_go_on(tmp_path, portrait):
    server = MjpegServer(show=portrait)
    out, records = tmp_path / "out.mp4", tmp_path / "moods.jsonl"

    def interrupt():
        ends = time.monotonic() + 60
        while not (records.exists() and records.stat().st_size) and time.monotonic() < ends:
            time.sleep(0.05)
        server.stop()
        time.sleep(0.3)
        server.start()

    breaking = threading.Thread(target=interrupt)
    breaking.start()
    options = ["--no-window", "--out", out, "--records", records, "--duration", 4, "--json"]
    done = camera("--source", server.url, *options)
    breaking.join()
    server.stop()
    assert done.returncode == 0
    assert one_line(done.stderr)
    assert done.stderr.endswith(b"video.mjpg: lost, trying to open it again\n")
    summary = json.loads(done.stdout)
    assert summary["frames"] > 10
    assert summary["tracks"] >= 1
    said, *rows = [json.loads(line) for line in records.read_text().splitlines()]
    assert said["livemood"]["source"].endswith("/video.mjpg")
    assert len(rows) == summary["faces"]
    assert rows[-1]["time_s"] > 1.5
    assert pictures_in(out) == summary["frames"]


def test_when_interrupted_then_130_and_what_was_recorded_plays(tmp_path):
    out = tmp_path / "out.mp4"
    command = [_LIVEMOOD, "camera", "--source", SAMPLES / "faces.mp4", "--loop", "--no-window", "--out", out]
    run = subprocess.Popen(
        command, env=_ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_interrupts
    )
    ends = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size > 10_000) and time.monotonic() < ends:
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.decode() == f"livemood: interrupted; kept: {out}\n"
    assert pictures_in(out) > 3


def test_when_interrupted_while_a_stream_does_not_answer_then_130(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/video"
        command = [_LIVEMOOD, "camera", "--source", url, "--no-window", "--records", tmp_path / "moods.jsonl"]
        run = subprocess.Popen(
            command, env=_ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_interrupts
        )
        connection, _ = server.accept()
        with connection:  # open, but silent
            assert connection.recv(4096).startswith(b"GET /video")
            run.send_signal(signal.SIGINT)
            _, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (130, b"livemood: interrupted; nothing was written\n")
    assert list(tmp_path.iterdir()) == []


def test_of_raw_pictures_on_stdin_then_all_of_the_stream_counts(tmp_path, portrait):
    options = ["--size", "640x360", "--no-window", "--records", tmp_path / "moods.csv", "--json"]
    done = camera("--source", "-", *options, input=portrait.tobytes() * 20)
    assert (done.returncode, done.stderr) == (0, b"")
    summary = json.loads(done.stdout)
    assert summary["frames"] + summary["dropped"] == 20
    assert summary["faces"] >= summary["frames"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--source", "3"], 1, "camera 3 could not be opened; try --source 0, or livemood doctor"),
        (["--source", "http://127.0.0.1:9/x"], 1, "http://127.0.0.1:9/x could not be opened"),
        (["--source", "nobody.mp4"], 1, "nobody.mp4 is neither a file nor the name of a camera"),
        (["--source", str(SAMPLES / "README.md")], 1, "README.md is not a video"),
        (["--source", "-"], 2, "--size 640x480"),
        (["--size", "big"], 2, "expected a size such as 1280x720, got big"),
        (["--source", "-", "--size", "4x4", "--pixel-format", "RGB"], 2, "Invalid value: raw pictures are bgr24, "),
        (["--pixel-format", "RGB"], 2, "Invalid value: a camera's pixel format has four letters such as MJPG, "),
    ],
)
def test_on_a_source_that_cannot_be_had_then_one_clear_line_and_no_file(
    tmp_path, monkeypatch, capfd, words, code, message
):
    monkeypatch.setenv("DISPLAY", "")
    assert run(["camera", *words, "--no-window", "--records", str(tmp_path / "moods.jsonl")]) == code
    said = capfd.readouterr()
    assert said.out == ""
    assert one_line(said.err.encode())
    assert message in said.err
    assert list(tmp_path.iterdir()) == []


def test_when_a_stream_of_raw_pictures_breaks_off_then_all_kinds_of_records_are_kept_and_named(tmp_path, portrait):
    picture = portrait.tobytes()
    for name in ("moods.jsonl", "moods.csv", "moods.parquet"):
        words = ("--source", "-", "--size", "640x360", "--no-window", "--records", tmp_path / name)
        done = camera(*words, input=picture * 5 + picture[:99])
        assert done.returncode == 1
        kept, line = done.stderr.decode().splitlines()
        assert kept.startswith(f"livemood: note: kept: {tmp_path / 'moods.'}")
        assert kept.endswith(name)
        assert line.startswith("livemood: stdin ended in the middle of a picture")
        assert [row.frame for row in read(tmp_path / name)]


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("{0}/clip.gif", "clip.gif"),
        ("{0}", "clip.gif"),
        ("{0}/clip.gif", "hard.gif"),
        ("{0}/clip.gif", "soft.gif"),
        ("{0}", "hard.gif"),
        ("file://{0}/clip.gif", "clip.gif"),
    ],
)
def test_out_when_it_is_what_is_read_then_refused_even_by_force(tmp_path, source, out, portrait, capfd):
    with av.open(str(tmp_path / "clip.gif"), "w") as target:
        stream = target.add_stream("gif", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "rgb8"
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(cv2.resize(portrait, (64, 36)), format="bgr24")
            target.mux(stream.encode(picture.reformat(format="rgb8")))
        target.mux(stream.encode(None))
    before = (tmp_path / "clip.gif").read_bytes()
    (tmp_path / "hard.gif").hardlink_to(tmp_path / "clip.gif")
    (tmp_path / "soft.gif").symlink_to(tmp_path / "clip.gif")
    words = ["--source", source.format(tmp_path), "--no-window", "--out", str(tmp_path / out), "--force"]
    assert run(["camera", *words]) == 1
    said = f"livemood: {tmp_path / out} is one of the inputs; choose another --out\n"
    assert capfd.readouterr().err == said
    assert (tmp_path / "clip.gif").read_bytes() == before


@pytest.mark.parametrize("words", [["--records", "new.csv", "--markers", "there.csv"], ["--out", "there.mp4"]])
def test_when_a_file_is_there_already_then_said_before_another_is_begun(tmp_path, monkeypatch, capfd, words):
    monkeypatch.chdir(tmp_path)
    *_, setting, there = words
    Path(there).touch()
    assert run(["camera", "--source", str(CLIP), "--no-window", *words]) == 1
    assert capfd.readouterr().err == f"livemood: {there} is there already; use --force or another {setting}\n"
    assert [path.name for path in tmp_path.iterdir()] == [there]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--markers", "new.srt"], "new.srt does not end in .edl"),
        (["--out", "new.avi"], "new.avi does not end in .mp4"),
        (["--out", "-"], "- does not end in .mp4"),
        (["--osc", "nowhere.invalid:9000"], "nowhere.invalid cannot be found"),
        (["--osc", "127.0.0.1:0"], "'127.0.0.1:0' is not an address"),
        (["--virtual-camera"], "virtual"),
    ],
)
def test_when_an_output_cannot_be_had_then_no_file_is_begun_or_replaced(tmp_path, monkeypatch, capfd, words, message):
    monkeypatch.chdir(tmp_path)
    Path("old.jsonl").write_text("old")
    assert run(["camera", "--source", str(CLIP), "--no-window", "--records", "old.jsonl", "--force", *words]) == 1
    said = capfd.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert Path("old.jsonl").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["old.jsonl"]


@pytest.mark.parametrize("records", ["new.jsonl", "new.csv", "new.parquet"])
def test_when_an_output_cannot_be_written_then_those_before_it_are_removed(tmp_path, monkeypatch, capfd, records):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    words = ["--records", records, "--markers", "file/new.csv"]
    assert run(["camera", "--source", str(CLIP), "--no-window", *words]) == 1
    assert capfd.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_out_when_it_is_a_pipe_then_refused_even_by_force(tmp_path, capfd):
    os.mkfifo(tmp_path / "out.mp4")
    assert run(["camera", "--source", str(CLIP), "--no-window", "--out", str(tmp_path / "out.mp4"), "--force"]) == 1
    assert capfd.readouterr().err == f"livemood: {tmp_path / 'out.mp4'} is a device or a pipe; give --out a file\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--source", "-", "--size", "4x4", "--loop"],
        ["--source", "-", "--size", "4x4", "--fps", "5"],
        ["--source", CLIP, "--fps", "5"],
        ["--source", CLIP, "--size", "640x480"],
        ["--source", CLIP.parent, "--pixel-format", "gray"],
        ["--source", "http://127.0.0.1:9/x", "--loop"],
        ["--source", CLIP, "--mirror"],
        ["--source", CLIP, "--sparklines"],
        ["--source", CLIP, "--panel"],
    ],
)
def test_option_when_it_would_have_no_effect_then_usage_error(tmp_path, capfd, words):
    assert run(["camera", "--no-window", "--records", str(tmp_path / "moods.csv"), *map(str, words)]) == 2
    option = next(word for word in reversed(words) if str(word).startswith("--"))
    assert f"Invalid value for {option}: " in capfd.readouterr().err


def test_option_when_a_file_of_settings_has_it_then_it_may_have_no_effect(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    settings = ["[camera]", "fps = 5", 'size = "640x480"', "panel = true", "mirror = true", "sparklines = true"]
    Path("livemood.toml").write_text("\n".join(settings))
    assert run(["camera", "--source", str(CLIP), "--no-window", "--records", "a.csv", "--duration", "0.2"]) == 0
    assert capfd.readouterr().err == ""


def test_lsl_markers_when_no_output_would_have_them_then_refused(tmp_path, capfd):
    words = ["--no-window", "--out", str(tmp_path / "out.mp4"), "--lsl-markers", "stimuli"]
    assert run(["camera", "--source", str(CLIP), *words]) == 1
    said = capfd.readouterr().err  # liblsl prints too
    assert said.endswith("livemood: no output would have the markers of stimuli; add --records\n")
    assert list(tmp_path.iterdir()) == []


def test_lsl_markers_when_the_stream_is_that_of_the_run_itself_then_refused(tmp_path, capfd):
    words = ["--no-window", "--records", str(tmp_path / "a.csv"), "--lsl", "moods", "--lsl-markers", "moods"]
    assert run(["camera", "--source", str(CLIP), *words]) == 1
    said = "livemood: moods is the LSL stream that this run sends; choose another --lsl-markers\n"
    assert capfd.readouterr().err == said
    assert list(tmp_path.iterdir()) == []


def test_summary_then_closing_outputs_does_not_count_as_time_of_the_run(tmp_path, monkeypatch, capfd):
    class SlowToClose(LslMarkers):
        def close(self):
            now[0] += 100
            super().close()

    now = [0.0]
    monkeypatch.setattr("livemood.apps.tally.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("livemood.apps.camera_job.LslMarkers", SlowToClose)
    words = ["--records", str(tmp_path / "a.csv"), "--lsl-markers", f"nobody-{uuid4()}", "--duration", "0.2", "--json"]
    assert run(["camera", "--source", str(CLIP), "--no-window", *words]) == 0
    assert json.loads(capfd.readouterr().out)["elapsed_s"] == 0


def test_when_nothing_would_be_seen_or_kept_then_usage_error(capfd):
    assert run(["camera", "--no-window", "--source", str(CLIP)]) == 2
    assert "add --out or --records" in capfd.readouterr().err


def test_when_there_is_no_virtual_camera_then_the_line_says_what_to_do():
    done = camera("--no-window", "--virtual-camera", "--source", SAMPLES / "faces.mp4")
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert b"virtual" in done.stderr
    assert b"pip install 'livemood[virtual-camera]'" in done.stderr or b"v4l2loopback" in done.stderr

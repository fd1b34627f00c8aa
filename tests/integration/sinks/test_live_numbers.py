"""Numbers while they happen: on stdout, by OSC and by LSL, taken by other people's programs and libraries."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from math import nan
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import pylsl
import pytest
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

from livemood.core.errors import SinkError
from livemood.core.labels import EMOTIONS
from livemood.core.video_info import VideoInfo
from livemood.records import read
from livemood.runtime.outbox import Outbox
from livemood.sinks.base import SinkContext
from livemood.sinks.lsl import SLOTS, LslSink
from livemood.sinks.open import Output, open_sink
from livemood.sinks.osc import OscSink
from livemood.sources.lsl_markers import LslMarkers
from tests.support.batches import until
from tests.support.builders import SAMPLES, make_frame, make_mood

LIVEMOOD = str(Path(sys.executable).with_name("livemood"))
CLIP = str(SAMPLES / "faces.mp4")
LIVE = SinkContext({"emotion": EMOTIONS}, VideoInfo(640, 480), live=True)


def livemood(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LIVEMOOD, *words], capture_output=True, text=True, timeout=120, check=False, **more)


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which livemood is this one; its exit code is the worst of the pipe's."""
    path = f"{Path(LIVEMOOD).parent}:{os.environ['PATH']}"
    line = f"set -o pipefail; {line}"
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=120, cwd=cwd, env={**os.environ, "PATH": path}
    )


# ---- stdout ----


def test_video_records_on_stdout_then_they_are_the_rows_of_the_file_and_all_else_is_on_stderr(tmp_path) -> None:
    done = livemood("video", CLIP, "--duration", "1", "--records", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert "30 frames" in done.stderr
    assert list(tmp_path.iterdir()) == []
    livemood("video", CLIP, "--duration", "1", "--records", "a.jsonl", "--out", "a.mp4", cwd=tmp_path)
    said, _, rows = (tmp_path / "a.jsonl").read_text().partition("\n")
    assert '"source": "faces.mp4"' in said
    assert done.stdout == rows


def test_records_on_stdout_when_the_reader_has_enough_then_the_run_ends_well(tmp_path) -> None:
    done = shell(f"livemood video {CLIP} --records - --out a.mp4 | head -n 3", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == [0, 1, 2]
    assert (tmp_path / "a.mp4").stat().st_size > 1000  # what was written so far plays


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_records_on_stdout_when_interrupted_while_nobody_reads_then_the_run_ends_and_no_row_is_cut(
    tmp_path, name
) -> None:
    words = [LIVEMOOD, "video", CLIP, "--records", "-", "--out", "a.mp4"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as run:
        assert run.stdout
        assert run.stderr
        try:
            until(lambda: is_full(run.stdout))
            run.send_signal(signal.Signals[name])
            assert run.wait(30) == 130
            assert run.stderr.read() == b"livemood: interrupted; kept: a.mp4\n"
            assert all(json.loads(line) for line in run.stdout.read().splitlines())
        finally:
            run.kill()


def is_full(pipe: Any) -> bool:
    """Return whether a pipe holds something, and nothing more comes for a while."""
    counts = []
    for _ in range(2):
        count = array("i", [0])
        fcntl.ioctl(pipe, termios.FIONREAD, count)
        counts.append(count[0])
        time.sleep(0.5)
    return counts[0] == counts[1] > 10_000


def test_camera_records_on_stdout_when_the_reader_has_enough_then_the_run_ends_at_once(tmp_path) -> None:
    began = time.monotonic()
    done = shell(f"livemood camera --source {CLIP} --loop --no-window --records - | head -n 3", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 3
    assert time.monotonic() - began < 60


def test_camera_records_on_stdout_then_each_row_comes_while_it_runs(tmp_path) -> None:
    words = [LIVEMOOD, "camera", "--source", CLIP, "--loop", "--no-window", "--records", "-"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as run:
        assert run.stdout
        first = json.loads(run.stdout.readline())
        assert run.poll() is None
        run.terminate()
        rest = run.stdout.read().splitlines()
    assert first["track"] == 1
    assert all(json.loads(line) for line in rest)


def test_camera_when_the_reader_of_stdout_is_slow_then_no_frame_waits_and_a_note_says_what_was_left_out(
    tmp_path, monkeypatch
) -> None:
    ours, theirs = os.pipe()
    kept = os.dup(1)
    os.dup2(theirs, 1)
    try:
        sink = open_sink(Output("records", "-"), LIVE)
        longest = 0.0
        for index in range(2000):  # far more than a pipe holds
            began = time.monotonic()
            sink.write(make_frame(8, 8, index=index, time_s=index / 30), [make_mood(1, "happy")])
            longest = max(longest, time.monotonic() - began)
        sink.close()
    finally:
        os.dup2(kept, 1)
        os.close(theirs)
        os.close(kept)
    assert longest < 1.0
    assert "was too slow" in sink.warnings[0]
    os.close(ours)


def test_records_on_stdout_when_the_pipe_does_not_block_and_is_full_then_waiting_takes_no_time_of_a_core() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    kept = os.dup(1)
    os.dup2(theirs, 1)
    try:
        sink = open_sink(Output("records", "-"), LIVE)
        for index in range(200):
            sink.write(make_frame(8, 8, index=index, time_s=index / 30), [make_mood(1, "happy")])
        time.sleep(0.5)
        began = time.process_time()
        time.sleep(1)
        assert time.process_time() - began < 0.5
        os.close(ours)
        sink.close()
    finally:
        os.dup2(kept, 1)
        os.close(theirs)
        os.close(kept)


@pytest.mark.parametrize("live", [False, True])
def test_records_on_stdout_when_its_disk_is_full_then_one_line_says_so_once(live) -> None:
    kept = os.dup(1)
    with Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), 1)
    try:
        sink = open_sink(Output("records", "-"), replace(LIVE, live=live))
        with pytest.raises(SinkError, match=r"^stdout could not be written \(No space left on device\)$"):
            sink.write(make_frame(8, 8), [make_mood(1, "happy")])
            sink.close()  # a live run is told of rows that a thread could not write
        sink.close()
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def test_json_when_stdout_takes_the_records_then_usage_says_so() -> None:
    done = livemood("video", CLIP, "--records", "-", "--json")
    assert done.returncode == 2
    assert "stdout takes the records" in done.stderr
    assert done.stderr.count("\n") == 1


def test_outbox_when_the_receiver_hangs_then_the_oldest_are_left_out() -> None:
    go, sent = threading.Event(), []

    def send(thing: int) -> None:
        go.wait(10)
        sent.append(thing)

    with Outbox(send, 3, "test") as outbox:
        for thing in range(10):
            outbox.put(thing)
            time.sleep(0.01)
        go.set()
    assert sent == [0, 7, 8, 9]
    assert outbox.dropped == 6


def test_outbox_when_an_item_cannot_be_sent_then_it_keeps_the_error_whatever_it_is() -> None:
    def send(thing: int) -> None:
        raise ValueError(thing)

    with Outbox(send, 3, "test") as outbox:
        outbox.put(1)
    assert isinstance(outbox.error, ValueError)


# ---- OSC ----


class Receiver:
    """A python-osc server that keeps what it hears, by address."""

    def __init__(self) -> None:
        self.heard: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(lambda address, *values: self.heard[address].append(values))
        self.server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def wait_for(self, address: str) -> list[tuple[Any, ...]]:
        """Return what came to an address once something has."""
        ends = time.monotonic() + 10
        while not self.heard[address] and time.monotonic() < ends:
            time.sleep(0.02)
        return self.heard[address]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_osc_then_python_osc_receives_scores_label_count_and_event(receiver) -> None:
    sink = OscSink(f"127.0.0.1:{receiver.port}")
    frame, moods = make_frame(), [make_mood(1, "happy", 0.75), make_mood(12, "unsure", 0.3)]
    sink.write(frame, moods)
    sink.mark(frame, 1, "tone")
    assert receiver.wait_for("/livemood/event") == [(1, "tone")]
    sink.close()
    assert receiver.heard["/livemood/faces"] == [(2,)]
    assert receiver.heard["/livemood/face/12/label"] == [("unsure",)]
    for mood in moods:
        for label, score in mood.scores.items():
            ((value,),) = receiver.heard[f"/livemood/face/{mood.track.id}/{label}"]
            assert value == pytest.approx(score, abs=1e-6)


def test_osc_when_labels_cannot_be_addresses_then_each_has_a_valid_one_of_its_own(receiver) -> None:
    labels = ("very/ha*py é", "very_ha_py__", "喜", "悲", "label", "sad")
    sink = OscSink(f"127.0.0.1:{receiver.port}")
    sink.write(make_frame(), [make_mood(1, "very/ha*py é", labels=labels)])
    sink.mark(make_frame(), 1)
    assert receiver.wait_for("/livemood/event")
    sink.close()
    words = {address.rpartition("/")[2]: len(heard) for address, heard in receiver.heard.items() if "/face/" in address}
    wanted = ("very_ha_py___2", "very_ha_py__", "_", "__2", "label_2", "sad", "label")
    assert words == dict.fromkeys(wanted, 1)


def test_camera_osc_then_the_sample_arrives_while_it_runs(receiver) -> None:
    done = livemood("camera", "--source", CLIP, "--no-window", "--duration", "3", "--osc", f"127.0.0.1:{receiver.port}")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(receiver.heard["/livemood/faces"]) > 10
    assert set(EMOTIONS) <= {address.rpartition("/")[2] for address in receiver.heard}


def test_osc_when_there_is_no_receiver_then_no_frame_waits_and_nothing_fails() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with OscSink(f"127.0.0.1:{port}") as sink:
        for index in range(200):
            sink.write(make_frame(8, 8, index=index), [make_mood(1)])
    assert sink.warnings == ()


def test_osc_when_packets_cannot_be_sent_then_the_run_goes_on_and_they_are_counted(monkeypatch) -> None:
    with OscSink("127.0.0.1:9000") as sink:
        sink.write(make_frame(8, 8), [])
        monkeypatch.setattr(sink, "_address", ("127.0.0.1", 0))  # which no packet can be sent to
        sink.write(make_frame(8, 8, index=1), [make_mood(1)])
        sink.mark(make_frame(8, 8, index=1), 1)
    assert sink.warnings == ["3 OSC packets could not be sent"]


@pytest.mark.parametrize(
    "target", ["9000", "localhost", "localhost:", ":9000", "localhost:0", "localhost:99999", "a:b"]
)
def test_osc_when_the_address_is_malformed_then_one_line_says_how_to_write_it(target) -> None:
    with pytest.raises(SinkError, match="is not an address to send to; write HOST:PORT"):
        OscSink(target)


@pytest.mark.parametrize("host", ["a..b", ".", "a" * 64])
def test_osc_when_no_host_can_have_this_name_then_one_line_says_so(host) -> None:
    with pytest.raises(SinkError, match=f"^{re.escape(host)} is not the name of a host; use another host with osc$"):
        OscSink(f"{host}:9000")


def test_osc_when_there_is_no_such_host_then_one_line_says_so(capfd) -> None:
    done = livemood("camera", "--source", CLIP, "--no-window", "--osc", "no-such-host.invalid:9000")
    assert done.returncode == 1
    assert "no-such-host.invalid cannot be found" in done.stderr
    assert done.stderr.count("\n") == 1


# ---- LSL ----


def find(name: str) -> Any:
    """Return an inlet on the stream of this name."""
    (info,) = pylsl.resolve_byprop("name", name, 1, 20)
    return pylsl.StreamInlet(info)


def test_lsl_then_pylsl_reads_names_units_and_scores_by_slot() -> None:
    name = f"moods-{uuid4()}"
    with LslSink(name, EMOTIONS) as sink:
        inlet = find(name)
        inlet.open_stream(timeout=20)
        about = inlet.info(timeout=20)
        assert about.channel_count() == SLOTS * (1 + len(EMOTIONS))
        assert about.nominal_srate() == 0
        channel = about.desc().child("channels").child("channel")
        names, units = [], []
        for _ in range(about.channel_count()):
            names.append(channel.child_value("label"))
            units.append(channel.child_value("unit"))
            channel = channel.next_sibling()
        assert names[:3] == ["person1_track", "person1_neutral", "person1_happy"]
        assert names[-1] == "person4_contempt"
        assert units[:2] == ["id", "probability"]
        clock = pylsl.local_clock()
        for index in range(5):
            moods = [make_mood(7, "happy", 0.8)] + ([make_mood(9, "sad", 0.6)] if index > 2 else [])
            sink.write(make_frame(8, 8, index=index, time_s=10 + index / 30), moods)
        samples: list[dict[str, float]] = []
        stamps: list[float] = []
        while len(samples) < 5:
            sample, stamp = inlet.pull_sample(timeout=20)
            assert sample
            samples.append(dict(zip(names, sample, strict=True)))
            stamps.append(stamp)
    assert samples[0]["person1_track"] == 7
    assert samples[0]["person1_happy"] == pytest.approx(0.8)
    assert samples[0]["person2_track"] != samples[0]["person2_track"]  # NaN
    assert samples[4]["person2_track"] == 9
    assert samples[4]["person2_sad"] == pytest.approx(0.6)
    assert stamps == sorted(stamps)
    assert abs(stamps[0] - clock) < 5


def test_lsl_when_more_people_come_than_slots_then_the_first_keep_theirs_and_the_others_are_counted() -> None:
    name, labels = f"moods-{uuid4()}", ("neutral", "happy")
    with LslSink(name, labels) as sink:
        inlet = find(name)
        inlet.open_stream(timeout=20)
        sink.write(make_frame(), [make_mood(track, "happy", labels=labels) for track in range(1, 7)])
        # Who has been away for longer than two seconds gives the slot to the next one.
        later = make_frame(index=90, time_s=3.0)
        sink.write(later, [make_mood(track, "happy", labels=labels) for track in (2, 5)])
        first, second = (inlet.pull_sample(timeout=20)[0][:: 1 + len(labels)] for _ in range(2))
    assert first == [1, 2, 3, 4]
    assert second == pytest.approx([5, 2, nan, nan], nan_ok=True)
    assert sink.warnings == ["2 people left out: the LSL stream has 4 slots"]


def test_lsl_markers_when_another_program_sends_them_then_they_become_named_events_of_the_records(tmp_path) -> None:
    name = f'film\'s "{uuid4()}"'
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, "string", name))
    words = ["camera", "--source", CLIP, "--loop", "--no-window", "--records", "a.jsonl", "--lsl-markers", name]
    with subprocess.Popen([LIVEMOOD, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert outlet.wait_for_consumers(60)
        outlet.push_sample(["film starts"])
        time.sleep(1)
        outlet.push_sample(["film ends"])
        time.sleep(1.5)
        run.terminate()
        run.communicate(timeout=30)
    events = [row for row in read(tmp_path / "a.jsonl") if row.event]
    assert [(row.event, row.event_name) for row in events] == [(1, "film starts"), (2, "film ends")]
    assert 0.5 < events[1].time_s - events[0].time_s < 2.5


def test_lsl_markers_when_the_stream_is_not_there_then_nothing_waits() -> None:
    with LslMarkers(f"nobody-{uuid4()}", print) as markers:
        assert markers.take() == []


def test_lsl_markers_when_receiving_fails_then_a_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: float) -> None:
        raise RuntimeError("the network is gone")

    told: SimpleQueue[str] = SimpleQueue()
    monkeypatch.setattr(pylsl, "resolve_streams", fail)
    with LslMarkers("stimuli", told.put):
        assert told.get(timeout=30) == "LSL markers are no longer received (the network is gone)"


@pytest.mark.parametrize("words", [("--lsl", "moods"), ("--lsl-markers", "markers")])
def test_lsl_when_pylsl_is_missing_then_one_line_names_the_extra(tmp_path, words) -> None:
    (tmp_path / "pylsl.py").write_text("raise ModuleNotFoundError('pylsl')")
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    done = livemood("camera", "--source", CLIP, "--no-window", "--records", "a.jsonl", *words, env=env, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "livemood: pylsl is not installed; try: pip install 'livemood[lsl]'\n"

"""Faults during a run: kills, pauses, full disks, files that vanish, clocks that jump, crowds."""

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from livemood.core.labels import EMOTIONS
from livemood.overlay.annotator import Annotator
from livemood.pipeline import Pipeline
from livemood.records import read
from livemood.sources.video.file import VideoSource
from livemood.testing import ScriptedDetector, TableClassifier
from livemood.training.loop.checkpoint import has_checkpoint
from tests.support.builders import (
    ROOT,
    half_sample,
    make_detection,
    make_frame,
    quadrants,
    write_clip,
    write_faces,
    write_film,
)

LIVEMOOD = Path(sys.executable).with_name("livemood")


def started(folder: Path, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [LIVEMOOD, *map(str, words)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill(running: subprocess.Popen[str]) -> None:
    """Kill a command, and wait until the processes that it has started are gone too."""
    running.kill()
    running.communicate()  # ends when nobody is left who could write


def wait_for(happened: Callable[[], object], running: subprocess.Popen[str], limit_s: float = 240) -> None:
    ends = time.monotonic() + limit_s
    while not happened():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < ends
        time.sleep(0.01)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """A folder with two videos of a third of a second, and a longer one."""
    folder = tmp_path_factory.mktemp("clips")
    images = half_sample(60)
    for name in ("a.mp4", "b.mp4"):
        write_clip(folder / name, images[:10])
    write_clip(folder / "long.mp4", images)
    return folder


def test_video_when_killed_then_no_file_has_its_final_name_and_resume_makes_what_is_missing(clips, tmp_path):
    words = ["video", *(clips / name for name in ("a.mp4", "long.mp4", "b.mp4")), "--out-dir", "out"]
    words += ["--records", ".jsonl", "--resume"]
    running = started(tmp_path, *words)
    wait_for(lambda: any("long" in path.name for path in (tmp_path / "out").glob(".*")), running)
    kill(running)
    assert visible(tmp_path / "out") == ["a.jsonl", "a.mp4"]
    assert frames_in(tmp_path / "out" / "a.mp4") == 10
    before = (tmp_path / "out" / "a.mp4").stat().st_mtime_ns
    again = subprocess.run([LIVEMOOD, *map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (again.returncode, again.stderr) == (0, "")
    assert visible(tmp_path / "out") == ["a.jsonl", "a.mp4", "b.jsonl", "b.mp4", "long.jsonl", "long.mp4"]
    assert (tmp_path / "out" / "a.mp4").stat().st_mtime_ns == before
    assert frames_in(tmp_path / "out" / "long.mp4") == 60
    assert len({record.frame for record in read(tmp_path / "out" / "long.jsonl")}) == 60


def test_train_when_killed_then_there_is_no_bundle_and_resume_finishes_one(tmp_path):
    write_faces(tmp_path / "faces", 8, ("grin", "grump"))
    words = ["train", "faces", "--out", "mine", "--preset", "small", "--no-class-balance"]
    running = started(tmp_path, *words, "--epochs", 5000)
    wait_for(lambda: has_checkpoint(tmp_path / "mine.work"), running)
    kill(running)
    assert visible(tmp_path) == ["faces", "mine.work"]
    done = started(tmp_path, *words, "--epochs", 1, "--resume")
    _, said = done.communicate(timeout=300)
    assert done.returncode == 0, said
    assert {"manifest.json", "model.keras", "model.tflite"} <= set(visible(tmp_path / "mine"))


def test_video_when_stopped_and_continued_then_nothing_is_missing(clips, tmp_path):
    running = started(tmp_path, "video", clips / "long.mp4", "--out", "o.mp4")
    wait_for(lambda: list(tmp_path.glob(".o.mp4*")), running)
    running.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    running.send_signal(signal.SIGCONT)
    _, said = running.communicate(timeout=300)
    assert (running.returncode, said) == (0, "")
    assert frames_in(tmp_path / "o.mp4") == 60


def test_evaluate_when_the_scratch_disk_is_full_then_one_line_instead_of_a_crash(tmp_path):
    """Writing to a memory-mapped file on a full disk would end the process by SIGBUS."""
    write_faces(tmp_path / "faces", 12)
    small = tmp_path / "small"
    small.mkdir()
    run = f'mount -t tmpfs -o size=40k none "{small}" && TMPDIR="{small}" exec "{LIVEMOOD}" evaluate default faces'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", f"{run} --split all"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("livemood: ")
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


def test_video_when_its_file_is_deleted_midway_then_is_read_to_the_end(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [quadrants(320, 240)] * 90)
    with VideoSource(clip) as source:
        frames = source.frames()
        first = [next(frames) for _ in range(3)]
        clip.unlink()
        assert len(first) + sum(1 for _ in frames) == 90


def test_video_when_its_file_is_cut_off_midway_then_ends_there_with_one_warning(tmp_path):
    rng = np.random.default_rng(0)

    def noise(_: int) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(rng.integers(0, 256, (480, 640, 3), np.uint8), format="bgr24")

    def hurry(stream: av.VideoStream) -> None:
        stream.options = {"preset": "ultrafast"}

    image = quadrants(640, 480)
    clip = write_film(tmp_path / "clip.mkv", range(90), image=image, paint=noise, set_up=hurry)
    assert clip.stat().st_size > 2**23  # the first packets, up to that, are in memory before anything is cut
    with VideoSource(clip) as source:
        frames = source.frames()
        next(frames)
        os.truncate(clip, clip.stat().st_size // 3)
        count = 1 + sum(1 for _ in frames)
    assert 1 < count < 90
    assert len(source.warnings) == 1


def test_crowd_of_fifty_when_it_moves_then_fifty_people_keep_their_ids_and_all_are_drawn():
    places = [(60 + 120 * (n % 10), 60 + 120 * (n // 10)) for n in range(50)]
    script = [[make_detection(x + 2 * i, y + i, 70) for x, y in places] for i in range(20)]
    pipeline = Pipeline(ScriptedDetector(script), TableClassifier())
    seen = []
    for index in range(20):
        frame = make_frame(1280, 720, index, index / 30)
        moods = pipeline.step(frame)
        seen.append([mood.track.id for mood in moods])
    assert {tuple(sorted(ids)) for ids in seen} == {tuple(range(1, 51))}
    assert all(ids == seen[0] for ids in seen)
    assert (Annotator(EMOTIONS).draw(frame, moods) != frame.image).any()


WALL_CLOCK = (
    "time.time",
    "time.time_ns",
    "time.gmtime",
    "time.localtime",
    "datetime.now",
    "datetime.utcnow",
    "date.today",
)


def test_clock_when_it_jumps_back_then_nothing_notices_since_no_time_is_measured_with_it():
    """Durations come from monotonic clocks; the wall clock only names recordings and dates what is written."""
    found = []
    for file in sorted((ROOT / "livemood").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in WALL_CLOCK:
                found.append(f"{file.name}: {ast.unparse(node.func)}")
    assert sorted(found) == [
        "boris.py: datetime.now",
        "eaf.py: datetime.now",
        "recorder.py: datetime.now",
        "run.py: time.gmtime",
    ]

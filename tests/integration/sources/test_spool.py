"""Videos through pipes: all of the film, with its sound, or one line that says what is wrong."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import av
import pytest

from livemood.core.errors import VideoUnreadable
from livemood.sinks.markers.base import clip_of
from livemood.sinks.markers.sink import MarkerSink
from livemood.sources.video.file import VideoSource
from tests.support.builders import Sound, make_mood, write_film

LIVEMOOD = [sys.executable, "-m", "livemood", "video"]


@pytest.fixture(params=[".mp4", ".ts"])
def clip(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_film(tmp_path / f"clip{request.param}", sounds=[Sound("ac3")])


def made(out: Path) -> tuple[int, int]:
    """Return how many frames, and whole tenths of a second of sound, a copy holds."""
    with av.open(str(out)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(str(out)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    return frames, round(samples / 4800)


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
@pytest.mark.parametrize("through_pipe", [True, False])
def test_video_when_it_comes_on_stdin_then_is_copied_whole(
    clip: Path, name: str, through_pipe: bool, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    with clip.open("rb") as file:
        given: dict[str, Any] = {"input": file.read()} if through_pipe else {"stdin": file}
        done = subprocess.run([*LIVEMOOD, name, "--out", out], capture_output=True, timeout=120, **given)
    assert done.stderr == b""
    assert done.returncode == 0
    assert made(out) == (20, 10)


def test_video_when_it_comes_through_a_fifo_or_a_process_then_is_copied_whole(clip: Path, tmp_path: Path) -> None:
    for number, name in enumerate(["<(cat clip.*)", "pipe"]):
        out = tmp_path / f"out{number}.mp4"
        os.mkfifo(tmp_path / f"pipe{number}")
        script = f"{sys.executable} -m livemood video {name.replace('pipe', f'pipe{number}')} --out {out}"
        feed = f"cat clip.* > pipe{number} & " if name == "pipe" else ""
        done = subprocess.run(
            ["bash", "-c", feed + script],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert made(out) == (20, 10)


def test_source_when_a_fifo_then_frames_come_and_no_scratch_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_film(tmp_path / "clip.mp4")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(clip.read_bytes()))
    writer.start()
    with VideoSource(tmp_path / "pipe") as source:
        assert source.info.name == str(tmp_path / "pipe")
        assert len(list(source.frames())) == 20
    writer.join()
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("- --out o.mp4 < /dev/null", "stdin is a terminal or another device; pipe a video into it, or name a file"),
        ("- --out o.mp4 <&-", "stdin is closed; pipe a video into it, or name a file"),
        ("/dev/zero --out o.mp4", "livemood: /dev/zero is a terminal or another device; pipe a video into it, or"),
        ("<(true) --out o.mp4", "is an empty pipe"),
        ("<(echo no video) --out o.mp4", "is not a video that can be read"),
        ("<(true)", "the copy of a pipe needs a name; add --out"),
        ("- - --out-dir d", "- is a pipe; many videos need to be files"),
    ],
)
def test_pipe_when_it_is_no_video_then_one_line_says_so(words: str, line: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m livemood video {words}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("livemood: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_source_when_a_device_then_is_refused() -> None:
    with pytest.raises(VideoUnreadable, match=rf"^{re.escape(os.devnull)} is a terminal or another device"):
        VideoSource(Path(os.devnull))


@pytest.mark.parametrize("suffix", [".edl", ".csv", ".fcpxml", ".otio", ".eaf", ".TextGrid", ".boris"])
def test_markers_of_a_video_from_a_pipe_then_lead_to_no_file_that_is_gone(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    clip = write_film(tmp_path / "clip.mp4")
    os.mkfifo(tmp_path / "pipe")
    feed = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(clip.read_bytes()))
    feed.start()
    marks = tmp_path / f"marks{suffix}"
    with VideoSource(tmp_path / "pipe") as source, MarkerSink(marks, clip_of(source.info, "clip")) as sink:
        for frame in source.frames():
            sink.write(frame, [make_mood(1)])
    feed.join()
    text = marks.read_text(encoding="utf-8")
    assert "happy" in text
    assert "scratch" not in text

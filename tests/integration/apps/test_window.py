"""The real OpenCV window on a virtual display: keys are pressed, and the picture on the screen is checked."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.core.keys import KEYS
from livemood.records import read
from tests.support.builders import ROOT, SAMPLES, read_still
from tests.support.live_driver import BLUE_EDGE, CLOCK_ROWS, FACE, HEIGHT, WIDTH
from tests.support.screen import Display

_LIVEMOOD = Path(sys.executable).with_name("livemood")
_X, _Y, _SIDE = FACE


@pytest.fixture(scope="module")
def display():
    with Display() as display:
        yield display


@dataclass(frozen=True)
class Run:
    """A live run on the screen."""

    process: subprocess.Popen[str]
    window: str
    folder: Path

    def finished(self):
        """Return the exit code, what was printed about the run, and stderr."""
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, json.loads(out), err


@contextmanager
def live_run(display, folder):
    """A live run in its window; ended by force if the test did not end it."""
    command = [sys.executable, "-m", "tests.support.live_driver", str(folder)]
    process = subprocess.Popen(
        command, env=display.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        run = Run(process, display.window(f"livemood: {folder.name}"), folder)
        assert display.becomes(run.window, shows_camera), "the window stays empty"
        yield run
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def running(display, tmp_path_factory):
    with live_run(display, tmp_path_factory.mktemp("live")) as run:
        yield run


def shows_camera(picture):
    return picture.shape[0] >= HEIGHT and is_blue(picture[200, BLUE_EDGE // 2])


def is_blue(pixel):
    return pixel[0] > 200 and pixel[2] < 50


def skin(picture):
    return picture[_Y - _SIDE // 4 : _Y + _SIDE // 4, _X - _SIDE // 4 : _X + _SIDE // 4]


def share_dark(part):
    """Share of pixels as dark as the plates behind texts; the camera's background is mid-grey."""
    return float((part.max(axis=2) < 70).mean())


def beside_face(picture):
    return picture[_Y - 60 : _Y + 60, _X + 90 : _X + 200]


def help_place(picture):
    return picture[265:435, 30:150]


def strip_place(picture):
    return picture[5:30, 500:630]


def label_place(picture):
    return picture[120:160, _X - 60 : _X + 60]


def clock(picture):
    return int(np.median(picture[CLOCK_ROWS, 305:335][5:15]))


def moves(display, window, within_s=30.0):
    """Tell whether the picture changes within a time."""
    first = clock(display.content(window))
    return display.becomes(window, lambda picture: clock(picture) != first, timeout_s=within_s)


def soon(condition):
    """Return whether a condition holds within half a minute."""
    ends = time.monotonic() + 30
    while not (holds := condition()) and time.monotonic() < ends:
        time.sleep(0.1)
    return holds


def test_window_when_m_is_pressed_then_left_and_right_swap_and_back(display, running):
    display.press(running.window, "m")
    assert display.becomes(running.window, lambda picture: is_blue(picture[200, WIDTH - BLUE_EDGE // 2]))
    # The box goes with the face: its yellow corner is left of where the mirrored face begins.
    mirrored = display.content(running.window)
    corner = mirrored[_Y - _SIDE // 2 - 6 : _Y, WIDTH - _X - _SIDE // 2 - 6 : WIDTH - _X - _SIDE // 2].reshape(-1, 3)
    assert ((corner[:, 0] < 120) & (corner[:, 1] > 180) & (corner[:, 2] > 180)).any()
    display.press(running.window, "m")
    assert display.becomes(running.window, lambda picture: is_blue(picture[200, BLUE_EDGE // 2]))


def test_window_when_b_is_pressed_then_the_face_is_blurred_and_the_label_stays(display, running):
    sharp = float(skin(display.content(running.window)).std())
    display.press(running.window, "b")
    assert display.becomes(running.window, lambda picture: skin(picture).std() < sharp / 2)
    assert share_dark(label_place(display.content(running.window))) > 0.1
    display.press(running.window, "b")
    assert display.becomes(running.window, lambda picture: skin(picture).std() > sharp / 2)


@pytest.mark.parametrize(
    ("key", "place"), [("p", beside_face), ("h", help_place), ("t", strip_place)], ids=["panel", "help", "sparklines"]
)
def test_window_when_a_view_key_is_pressed_then_its_plate_comes_and_goes(display, running, key, place):
    assert share_dark(place(display.content(running.window))) < 0.02
    display.press(running.window, key)
    assert display.becomes(running.window, lambda picture: share_dark(place(picture)) > 0.3)
    display.press(running.window, key)
    assert display.becomes(running.window, lambda picture: share_dark(place(picture)) < 0.02)


def test_window_when_i_is_pressed_then_the_label_is_shorter(display, running):
    def plate_width(picture):
        return int((label_place(picture).max(axis=2) < 70).any(axis=0).sum())

    wide = plate_width(display.content(running.window))
    display.press(running.window, "i")
    assert display.becomes(running.window, lambda picture: plate_width(picture) < wide - 10)
    display.press(running.window, "i")
    assert display.becomes(running.window, lambda picture: plate_width(picture) == wide)


def test_window_when_space_is_pressed_then_the_picture_stands_still_until_the_next(display, running):
    assert moves(display, running.window)
    display.press(running.window, "space")
    assert soon(lambda: not moves(display, running.window, within_s=1.0))
    display.press(running.window, "space")
    assert moves(display, running.window)


def test_window_when_s_is_pressed_then_a_labelled_picture_is_saved(display, running):
    display.press(running.window, "s")
    assert soon(lambda: list(running.folder.glob("*.png")))
    (found,) = running.folder.glob("*.png")
    image = read_still(found)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert share_dark(label_place(image)) > 0.1
    assert share_dark(image[440:, 30:200]) < 0.02, "the status line does not belong into snapshots"


def test_window_when_r_is_pressed_twice_then_a_red_dot_shows_meanwhile_and_a_video_is_there(display, running):
    def has_dot(picture):
        near = picture[:50, :50].reshape(-1, 3).astype(int)
        return ((near[:, 2] > 180) & (near[:, 1] < 90) & (near[:, 0] < 90)).sum() > 50

    assert not has_dot(display.content(running.window))
    display.press(running.window, "r")
    assert display.becomes(running.window, has_dot)
    time.sleep(1.0)
    display.press(running.window, "r")
    assert display.becomes(running.window, lambda picture: not has_dot(picture))
    assert soon(lambda: list(running.folder.glob("*.mp4")))
    (video,) = running.folder.glob("*.mp4")
    capture = cv2.VideoCapture(str(video))
    image = np.asarray(capture.read()[1])
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert not has_dot(image)


def marked(records):
    return [record for record in read(records) if record.event is not None] if records.exists() else []


def test_window_when_e_is_pressed_twice_then_both_events_are_in_the_records(display, running):
    display.press(running.window, "e")
    time.sleep(0.3)
    display.press(running.window, "e")
    assert soon(lambda: len(marked(running.folder / "moods.jsonl")) == 2)
    events = marked(running.folder / "moods.jsonl")
    assert [record.event for record in events] == [1, 2]
    assert events[0].time_s < events[1].time_s


def test_window_when_c_is_pressed_then_it_says_to_keep_a_resting_face_until_pressed_again(display, running):
    def second_line(picture):
        return picture[442:455, 30:100]

    assert display.becomes(running.window, lambda picture: share_dark(second_line(picture)) < 0.02)
    display.press(running.window, "c")
    assert display.becomes(running.window, lambda picture: share_dark(second_line(picture)) > 0.3)
    display.press(running.window, "c")
    assert display.becomes(running.window, lambda picture: share_dark(second_line(picture)) < 0.02)


def test_window_when_keys_without_a_character_are_pressed_then_nothing_happens(display, running):
    before = set(running.folder.iterdir())
    display.press(running.window, "Home", "Right", "Up", "Left")
    assert moves(display, running.window)
    assert share_dark(beside_face(display.content(running.window))) < 0.02
    assert set(running.folder.iterdir()) == before


def test_window_when_f_is_pressed_then_the_screen_is_filled_with_black_bars_and_back(display, running):
    display.press(running.window, "f")
    assert display.becomes(running.window, lambda picture: picture.shape[:2] == display.picture().shape[:2])
    # 4:3 on a 5:4 screen: bars above and below, the camera's width from edge to edge.
    assert display.becomes(running.window, lambda picture: is_blue(picture[400, 5]) and picture[5].max() == 0)
    display.press(running.window, "f")
    assert display.becomes(running.window, lambda picture: picture.shape[0] < 700)


def test_window_when_resized_then_the_aspect_is_kept_by_black_bars(display, tmp_path):
    with live_run(display, tmp_path) as run:
        display.resize(run.window, 400, 600)
        assert display.becomes(run.window, lambda picture: picture.shape[:2] == (600, 400) and is_blue(picture[300, 0]))

        def has_bars(picture: np.ndarray) -> bool:
            rows = [row for row in range(600) if is_blue(picture[row, 0])]
            return len(rows) == pytest.approx(300, abs=8) and np.mean(rows) == pytest.approx(300, abs=12)

        assert display.becomes(run.window, has_bars)


@pytest.mark.parametrize("key", ["q", "Escape", "alt+F4"], ids=["q", "esc", "close"])
def test_window_when_told_to_quit_then_the_program_ends_cleanly(display, tmp_path, key):
    with live_run(display, tmp_path) as run:
        display.press(run.window, key)
        code, report, err = run.finished()
    assert (code, err) == (0, "")
    assert report["frames"] > 0
    assert report["threads"] == []


@pytest.mark.parametrize(
    ("address", "words", "instead"),
    [
        ("", ["camera", "--source"], "use --no-window with --out or --records"),
        (":987", ["camera", "--source"], "use --no-window with --out or --records"),
        ("", ["bench", "--live"], "leave --live out to time a video without one"),
    ],
    ids=["unset", "dead", "bench"],
)
def test_window_when_there_is_no_display_then_one_line_says_what_to_do(tmp_path, address, words, instead):
    env = {**os.environ, "DISPLAY": address}
    run = subprocess.run(
        [_LIVEMOOD, *words, SAMPLES / "faces.mp4"],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr == f"livemood: there is no display to open a window on; {instead}\n"


def test_keys_when_help_is_asked_for_then_all_are_listed():
    env = {**os.environ, "COLUMNS": "160"}
    text = subprocess.run([_LIVEMOOD, "camera", "--help"], capture_output=True, text=True, env=env).stdout
    written = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    for key, what in KEYS:
        assert f"{key} {what.split(' (')[0].split(';')[0]}" in text
        assert f"| `{key}` |" in written

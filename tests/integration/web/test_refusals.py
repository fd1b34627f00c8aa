"""Errors in the page, and their messages."""

import shutil
import time

import pytest

from tests.integration.web.browser import LABELS, becomes
from tests.integration.web.hosting import hosted


def trouble(page):
    """Wait for the page's alarm and return its text."""
    becomes(page, "!document.querySelector('#trouble').hidden")
    return page.inner_text("#trouble")


def refuse_camera(page, name):
    page.add_init_script(
        f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('refused', '{name}'));"
    )


def test_camera_when_there_is_none_then_says_so_and_offers_files(blind, url):
    blind.context.grant_permissions(["camera"])
    blind.goto(url)
    blind.click("#start")
    assert "No camera was found" in trouble(blind)
    assert "photo or a video" in blind.inner_text("#trouble")
    assert blind.is_visible("#start")


@pytest.mark.parametrize(
    ("name", "what", "remedy"),
    [
        ("NotAllowedError", "refused", "Allow it"),
        ("NotReadableError", "in use by another program", "Close the other program"),
        ("OverconstrainedError", "not there any more", "Choose another"),
        ("AbortError", "could not be opened (refused)", "Start again"),
    ],
)
def test_camera_when_the_browser_refuses_it_then_says_why_and_what_to_do(blind, url, name, what, remedy):
    refuse_camera(blind, name)
    blind.goto(f"{url}?start=1")
    text = trouble(blind)
    assert what in text
    assert remedy in text


def test_camera_when_refused_first_and_allowed_then_the_alarm_goes_away(page, url):
    page.add_init_script(
        """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        let first = true;
        navigator.mediaDevices.getUserMedia = (wishes) => {
          if (!first) return open(wishes);
          first = false;
          return Promise.reject(new DOMException("refused", "NotAllowedError"));
        };"""
    )
    page.goto(f"{url}?start=1")
    assert "refused" in trouble(page)
    page.click("#start")
    assert becomes(page, f"{LABELS}?.length")
    assert not page.is_visible("#trouble")


def test_camera_when_unplugged_midway_then_says_so_and_goes_on_when_it_is_back(page, url):
    page.add_init_script(
        """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wishes) => (globalThis.stream = await open(wishes));"""
    )
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.evaluate("stream.getVideoTracks()[0].stop()")
    page.evaluate("stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    assert "unplugged" in trouble(page)
    page.evaluate("globalThis.before = livemood.shown.stamp")
    time.sleep(4)  # after three seconds a camera without pictures is told, unless it is known why
    assert "unplugged" in trouble(page)
    page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    becomes(page, "document.querySelector('#trouble').hidden")
    # Its records go on too, on the same clock.
    becomes(page, "livemood.shown.stamp.index > before.index && livemood.shown.stamp.timeS > before.timeS + 3")


def test_camera_when_it_gives_no_picture_then_says_so(page, url):
    page.add_init_script(
        """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wishes) => (globalThis.stream = await open(wishes));"""
    )
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.evaluate("stream.getVideoTracks()[0].stop()")
    assert "gives no pictures" in trouble(page)
    page.click("#stop")
    assert not page.is_visible("#trouble")


def test_page_when_on_plain_http_then_says_where_a_camera_is_given(blind, url):
    blind.goto(url.replace("127.0.0.1", "visitor.test"))
    blind.click("#start")
    assert "plain http" in trouble(blind)
    assert "https" in blind.inner_text("#trouble")


def test_browser_when_it_has_no_simd_then_says_so_and_offers_nothing(blind, url):
    blind.add_init_script("WebAssembly.validate = () => false;")
    blind.goto(url)
    assert "no WebAssembly SIMD" in trouble(blind)
    assert blind.is_disabled("#start")


@pytest.mark.parametrize("missing", ["models/far.tflite", "models/emotion.tflite", "settings.json"])
def test_file_when_it_does_not_arrive_then_names_it(blind, written, tmp_path, missing):
    folder = shutil.copytree(written, tmp_path / "page")
    (folder / missing).unlink()
    with hosted(folder) as url:
        blind.goto(url)
        text = trouble(blind)
    assert missing in text
    assert "404" in text


@pytest.mark.parametrize("missing", ["litert/litert_wasm_internal.js", "litert/litert_wasm_internal.wasm"])
def test_runtime_when_it_does_not_arrive_then_says_that_the_networks_did_not_start(blind, written, tmp_path, missing):
    folder = shutil.copytree(written, tmp_path / "page")
    (folder / missing).unlink()
    with hosted(folder) as url:
        blind.goto(url)
        assert "could not be started" in trouble(blind)


def test_model_when_altered_then_is_not_run(blind, written, tmp_path):
    folder = shutil.copytree(written, tmp_path / "page")
    file = folder / "models" / "near.tflite"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with hosted(folder) as url:
        blind.goto(url)
        assert "not the file that was published" in trouble(blind)


def test_file_when_it_is_no_picture_then_says_which_are_and_the_camera_goes_on(page, url, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "notes.mp4").write_text("no picture", encoding="utf-8")
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    for name in ("notes.txt", "notes.mp4"):
        page.set_input_files("#open", tmp_path / name)
        assert "no photo or video" in trouble(page)
        index = page.evaluate("livemood.shown.stamp.index")
        becomes(page, f"livemood.shown?.stamp.index > {index} + 10")

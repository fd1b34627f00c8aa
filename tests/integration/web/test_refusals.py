"""Errors in the page, and their messages."""

import shutil
import time

import pytest

from livemood.records import read, read_origin
from tests.integration.web.browser import LABELS, becomes, launched, visit, visitor
from tests.integration.web.hosting import hosted
from tests.support.builders import SAMPLES


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


def test_camera_when_the_visitor_takes_it_away_then_says_so_and_goes_on_when_it_is_given_back(playwright, url):
    browser = launched(playwright, "--use-fake-device-for-media-stream")
    with visitor(browser, url) as context:
        context.grant_permissions(["camera"])
        page = context.new_page()
        page.goto(f"{url}?start=1")
        becomes(page, "globalThis.livemood?.shown")
        context.clear_permissions()
        assert "may not use it any more" in trouble(page)
        assert "Allow it again" in page.inner_text("#trouble")
        assert "unplugged" not in page.inner_text("#trouble")
        page.evaluate("globalThis.before = livemood.shown.stamp.index")
        context.grant_permissions(["camera"])
        becomes(page, "document.querySelector('#trouble').hidden")
        becomes(page, "livemood.shown.stamp.index > before")
    browser.close()


def test_camera_when_another_cannot_be_opened_then_the_list_names_the_one_that_is_on(page, url):
    page.add_init_script(
        """const { mediaDevices } = navigator;
        const [open, list] = ["getUserMedia", "enumerateDevices"].map((name) => mediaDevices[name].bind(mediaDevices));
        mediaDevices.getUserMedia = async (wishes) => {
          if (wishes.video.deviceId?.exact === "other") throw new DOMException("busy", "NotReadableError");
          return open(wishes);
        };
        mediaDevices.enumerateDevices = async () => [
          ...(await list()), { kind: "videoinput", label: "other", deviceId: "other" },
        ];"""
    )
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    becomes(page, "!document.querySelector('#cameras').hidden")
    page.evaluate("globalThis.first = document.querySelector('#camera').value")
    page.select_option("#camera", "other")
    assert "in use by another program" in trouble(page)
    becomes(page, "document.querySelector('#camera').value === first")


def test_cameras_when_chosen_with_the_keyboard_then_the_list_keeps_the_focus(playwright, url):
    browser = launched(
        playwright, "--use-fake-device-for-media-stream=device-count=3", "--use-fake-ui-for-media-stream"
    )
    with visitor(browser, url) as context:
        page = context.new_page()
        page.goto(f"{url}?start=1")
        becomes(page, "globalThis.livemood?.shown && !document.querySelector('#cameras').hidden")
        page.focus("#camera")
        for chosen in (1, 2):
            page.evaluate("globalThis.before = livemood.shown?.bitmap")
            page.keyboard.press("ArrowDown")
            becomes(page, "livemood.shown && livemood.shown.bitmap !== before && livemood.shown.stamp.timeS < 1")
            becomes(page, f"document.querySelector('#camera').selectedIndex === {chosen}")
            assert page.evaluate("document.activeElement.id") == "camera"
    browser.close()


def test_page_when_seen_again_after_a_while_then_the_camera_is_not_called_stalled(page, url):
    page.add_init_script(
        """globalThis.hidden = false;
        Object.defineProperty(document, "hidden", { get: () => globalThis.hidden });
        // A hidden page is given no pictures; those here wait on, to see what is said before the first comes.
        const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
        HTMLVideoElement.prototype.requestVideoFrameCallback = function (take) {
          return globalThis.hidden ? 0 : ask.call(this, (now, frame) => globalThis.hidden || take(now, frame));
        };"""
    )
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.evaluate("globalThis.hidden = true")
    time.sleep(4)
    assert not page.is_visible("#trouble")
    page.evaluate("globalThis.hidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    time.sleep(1)
    assert not page.is_visible("#trouble")
    assert "gives no pictures" in trouble(page)  # three seconds after it is seen again


def test_page_when_on_plain_http_then_says_where_a_camera_is_given(blind, url):
    blind.goto(url.replace("127.0.0.1", "visitor.test"))
    blind.click("#start")
    assert "plain http" in trouble(blind)
    assert "https" in blind.inner_text("#trouble")


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ("WebAssembly.validate = () => false", "WebAssembly SIMD"),
        ("delete globalThis.OffscreenCanvas", "OffscreenCanvas"),
        ("delete HTMLVideoElement.prototype.requestVideoFrameCallback", "requestVideoFrameCallback"),
        ("delete Document.prototype.adoptedStyleSheets", "adoptedStyleSheets"),
    ],
)
def test_browser_when_it_lacks_something_then_says_so_and_offers_nothing(blind, url, without, missing):
    blind.add_init_script(without)
    blind.goto(f"{url}?start=1")
    assert f"no {missing}" in trouble(blind)
    assert blind.is_disabled("#start")


def test_full_screen_when_the_browser_has_none_then_is_not_offered(blind, url):
    blind.add_init_script("Object.defineProperty(document, 'fullscreenEnabled', { get: () => false });")
    visit(blind, url)
    assert blind.locator("[data-key=f]").is_disabled()


@pytest.mark.parametrize("missing", ["models/far.tflite", "models/emotion.tflite", "settings.json"])
def test_file_when_it_does_not_arrive_then_names_it(blind, written, tmp_path, missing):
    folder = shutil.copytree(written, tmp_path / "page")
    (folder / missing).unlink()
    with hosted(folder) as url:
        blind.goto(url)
        text = trouble(blind)
    assert f"did not arrive ({missing}: the host answers 404)" in text


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
        assert f"“{name}” is no photo or video" in trouble(page)
        index = page.evaluate("livemood.shown.stamp.index")
        becomes(page, f"livemood.shown?.stamp.index > {index} + 10")


_CUT_OFF = """const Whole = Worker;
globalThis.Worker = class extends Whole {
  constructor(...words) {
    super(...words);
    globalThis.fail = () => this.onmessage({ data: { kind: "failed", failure: "reading", detail: "out of memory" } });
  }
};"""
"""``fail`` does what the page gets to see when its networks can go on no longer."""


@pytest.mark.parametrize("place", ["#start", "#react"])
def test_networks_when_they_fail_midway_then_what_was_read_can_be_saved_and_seen(page, url, tmp_path, place):
    page.add_init_script(_CUT_OFF)
    visit(page, url)
    page.click(place)
    if place == "#react":
        page.set_input_files("#film", SAMPLES / "faces.mp4")
        becomes(page, "!document.querySelector('#play').disabled")
        page.click("#play")
    becomes(page, f"{LABELS}?.length")
    page.evaluate("fail()")
    assert "Reading ended (out of memory)" in trouble(page)
    if place == "#react":
        becomes(page, "document.querySelector('#timeline svg')")
        assert page.is_enabled("#save-report")
    with page.expect_download() as download:
        page.click("#records" if place == "#start" else "#save-records")
    download.value.save_as(tmp_path / "rows.jsonl")
    assert list(read(tmp_path / "rows.jsonl"))
    origin = read_origin(tmp_path / "rows.jsonl")
    assert origin is not None
    assert (origin.width, origin.height) == (640, 480)

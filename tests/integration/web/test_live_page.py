"""The page with a camera that films the sample clip."""

import json
import time
from itertools import pairwise

import av
import numpy as np
import pytest

from livemood import __version__
from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.records import read, read_origin
from tests.integration.web.browser import LABELS, PATIENCE_S, becomes, visit
from tests.support.builders import ROOT, SAMPLES, read_still

AXE = ROOT / "livemood" / "web" / "node_modules" / "axe-core" / "axe.min.js"


def order_of_labels(page, wanted):
    """Watch the largest face until it showed these labels one after the other; return all that it showed."""
    seen: list[str] = []
    ends = time.monotonic() + PATIENCE_S
    while wanted not in " ".join(seen):
        assert time.monotonic() < ends, seen
        labels = page.evaluate(f"{LABELS} ?? []")
        if labels and labels[0] != "unsure" and seen[-1:] != [labels[0]]:
            seen.append(labels[0])
        time.sleep(0.03)
    return seen


def test_camera_when_it_films_the_sample_then_labels_come_in_its_order(page, url):
    page.goto(f"{url}?start=1")
    seen = order_of_labels(page, "neutral happy sad surprise")
    assert set(seen) <= {"neutral", "happy", "sad", "surprise"}


def test_visit_then_only_the_own_host_is_asked_and_nothing_is_sent(page, url):
    asked, sockets = [], []
    page.on("request", lambda request: asked.append(request))
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.keyboard.press("s")
    page.keyboard.press("e")
    time.sleep(1)
    asked = [request for request in asked if not request.url.startswith(("blob:", "data:"))]
    assert len(asked) > 8
    assert [request.url for request in asked if not request.url.startswith(url)] == []
    assert {request.method for request in asked} == {"GET"}
    assert [request.url for request in asked if request.post_data] == []
    assert sockets == []


def test_page_when_it_would_ask_another_host_then_its_policy_forbids_it(page, url):
    page.goto(url)
    code = "fetch('http://127.0.0.1:9/', { method: 'POST', body: 'x' }).then(() => 'sent', (error) => `${error}`)"
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    assert page.evaluate(code) != "sent"
    assert any("Content Security Policy" in line for line in said)


def test_page_when_the_host_is_gone_after_loading_then_reading_goes_on(page, url):
    page.goto(url)
    becomes(page, "globalThis.livemood?.reader.isReady")
    page.context.set_offline(True)
    page.click("#start")
    assert becomes(page, f"{LABELS}?.length")


def test_records_when_saved_then_python_reads_them_as_its_own(page, url, tmp_path):
    page.goto(f"{url}?start=1")
    order_of_labels(page, "happy sad")
    page.keyboard.press("e")
    with page.expect_download() as download:
        page.click("#records")
    assert download.value.suggested_filename.endswith(".jsonl")
    file = tmp_path / "rows.jsonl"
    download.value.save_as(file)
    rows = list(read(file))
    (event,) = [row for row in rows if row.event is not None]
    assert (event.track, event.event_name) == (None, None)
    faces = [row for row in rows if row.track is not None]
    assert {"happy", "sad"} <= {row.label for row in faces}
    times = [row.time_s for row in faces]
    assert times == sorted(times)
    for row in faces:
        assert abs(sum(row.scores.values()) - 1) < 1e-4
        assert (row.reason is not None) == (row.label == "unsure")
        assert row.box is not None
        assert row.box[2] <= 640 + 50
        assert len(row.keypoints) == 6
    origin = read_origin(file)
    assert origin is not None
    assert (origin.version, origin.source, origin.model) == (__version__, "camera", "emotion")
    assert (origin.width, origin.height) == (640, 480)
    assert origin.sha256 == read_bundle(default_bundle()).sha256["model.tflite"]
    _, first = file.read_text(encoding="utf-8").splitlines()[:2]
    assert [*json.loads(first)][:3] == ["frame", "time_s", "track"]
    assert json.loads(first)["event_name"] is None


def test_keys_when_pressed_then_buttons_and_picture_follow(page, url):
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    pressed = "document.querySelector('[data-key=\"{}\"]').getAttribute('aria-pressed')"
    assert becomes(page, pressed.format("m") + " === 'true'")
    for key in "mpibt":
        before = page.evaluate(pressed.format(key))
        page.keyboard.press(key)
        assert page.evaluate(pressed.format(key)) != before
    page.keyboard.press("Space")
    assert page.evaluate("livemood.paused")
    time.sleep(0.6)
    index = page.evaluate("livemood.shown.stamp.index")
    time.sleep(0.5)
    assert page.evaluate("livemood.shown.stamp.index") == index
    page.keyboard.press("h")
    keys = page.locator("#keys dt").all_inner_texts()
    assert keys[:3] == ["f", "m", "space"]
    assert "q" not in keys


def test_calibration_when_asked_for_then_status_counts_down_and_names_the_faces(page, url):
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.keyboard.press("c")
    assert becomes(page, "document.querySelector('#status').innerText.includes('keep a resting face')")
    assert becomes(page, "document.querySelector('#status').innerText.includes('calibrated to #')")
    page.keyboard.press("c")
    assert becomes(page, "!livemood.calibrating")
    assert becomes(page, "!document.querySelector('#status').innerText.includes('calibrated to')")


def test_snapshot_and_recording_when_asked_for_then_files_are_saved(page, url, tmp_path):
    page.add_init_script(
        """globalThis.tracks = [];
        const capture = HTMLCanvasElement.prototype.captureStream;
        HTMLCanvasElement.prototype.captureStream = function () {
          const stream = capture.call(this);
          tracks.push(...stream.getTracks());
          return stream;
        };"""
    )
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    with page.expect_download() as download:
        page.keyboard.press("s")
    download.value.save_as(tmp_path / "shot.png")
    assert read_still(tmp_path / "shot.png").shape == (480, 640, 3)
    page.keyboard.press("r")
    becomes(page, "livemood.recording")
    time.sleep(2)
    with page.expect_download() as download:
        page.keyboard.press("r")
    name = download.value.suggested_filename
    download.value.save_as(tmp_path / name)
    with av.open(str(tmp_path / name)) as recording:
        frames = [frame.to_ndarray(format="bgr24") for frame in recording.decode(video=0)]
    assert len(frames) > 2
    assert frames[0].shape == (480, 640, 3)
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]  # the picture is captured no longer


# A camera whose pictures have the size of a canvas, which a test changes.
_TURNED = """const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
globalThis.turn = () => Object.assign(canvas, { width: 480, height: 640 });
let count = 0;
setInterval(() => {
  const context = canvas.getContext("2d");
  context.fillStyle = `hsl(${5 * count++} 80% 50%)`;
  context.fillRect(0, 0, canvas.width, canvas.height);
}, 50);
navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(20);"""


def test_recording_when_the_camera_is_turned_then_goes_on_at_its_own_size(blind, url, tmp_path):
    blind.add_init_script(_TURNED)
    blind.goto(f"{url}?start=1")
    becomes(blind, "globalThis.livemood?.shown")
    blind.keyboard.press("r")
    time.sleep(1.5)
    blind.evaluate("turn()")
    becomes(blind, "livemood.shown.bitmap.width === 480")
    time.sleep(1.5)
    with blind.expect_download() as download:
        blind.keyboard.press("r")
    name = download.value.suggested_filename
    download.value.save_as(tmp_path / name)
    with av.open(str(tmp_path / name)) as recording:
        frames = [frame.to_ndarray(format="bgr24") for frame in recording.decode(video=0)]
    assert {frame.shape for frame in frames} == {(480, 640, 3)}
    assert frames[0][240, 20].max() > 100
    assert frames[-1][240, 20].max() < 40  # black beside the upright picture
    assert frames[-1][240, 320].max() > 100


def test_recording_when_the_browser_ends_it_then_says_so_and_another_can_begin(page, url):
    page.add_init_script(
        """const start = MediaRecorder.prototype.start;
        MediaRecorder.prototype.start = function (...words) {
          globalThis.recorder = this;
          return start.apply(this, words);
        };"""
    )
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.keyboard.press("r")
    time.sleep(1.5)
    with page.expect_download():
        page.evaluate("recorder.stop()")
    becomes(page, "!livemood.recording && !document.querySelector('#trouble').hidden")
    assert "ended the recording" in page.inner_text("#trouble")
    page.keyboard.press("r")
    assert page.evaluate("livemood.recording")


def test_blur_when_on_then_the_face_in_a_snapshot_has_large_even_cells(page, url, tmp_path):
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.keyboard.press("Space")
    time.sleep(0.6)
    box = page.evaluate("livemood.shown.moods[0].track.detection.box")
    middle = [int((box["top"] + box["bottom"]) / 2), int((box["left"] + box["right"]) / 2)]
    levels = []
    for name in ("sharp.png", "blurred.png"):
        with page.expect_download() as download:
            page.keyboard.press("s")
        download.value.save_as(tmp_path / name)
        image = read_still(tmp_path / name)
        line = image[middle[0], middle[1] - 30 : middle[1] + 30].astype(int)
        levels.append((abs(line[1:] - line[:-1]).sum(1) > 0).sum())
        page.keyboard.press("b")
    assert levels[1] < 0.3 * levels[0]


def test_announcements_then_name_changes_at_most_every_three_seconds(page, url):
    page.goto(f"{url}?start=1")
    becomes(page, f"{LABELS}?.length")
    page.evaluate(
        """() => {
          globalThis.heard = [];
          const said = document.querySelector("#said");
          new MutationObserver(() => heard.push([performance.now(), said.textContent]))
            .observe(said, { childList: true, characterData: true, subtree: true });
        }"""
    )
    heard = becomes(page, "heard.length > 2 && heard")
    assert all(text.startswith(("Face ", "No face")) for _, text in heard)
    assert all(later - earlier >= 2900 for (earlier, _), (later, _) in pairwise(heard))


def test_keyboard_then_the_focus_goes_where_something_opened_and_notices_are_announced(page, url):
    visit(page, url)
    focused = "document.activeElement.id"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "main"
    page.focus("#start")
    page.keyboard.press("Enter")
    becomes(page, f"{LABELS}?.length")
    assert page.evaluate(focused) == "stage"
    page.keyboard.press("e")
    notice = page.locator("#notice[role=status]")
    assert notice.inner_text().strip(" ·").startswith("event 1 marked")
    page.click("#stop")
    assert page.evaluate(focused) == "start"


@pytest.mark.parametrize("size", [(390, 844), (820, 1180), (1920, 1080)], ids=lambda size: f"{size[0]}px")
def test_page_then_axe_finds_nothing_serious_and_nothing_is_cut_off(page, url, size):
    assert AXE.is_file(), "npm ci --prefix livemood/web installs axe-core"
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(url)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for step in ("start", "reaction", "live"):
        if step == "reaction":
            page.click("#react")
        if step == "live":
            page.click("#leave")
            page.click("#start")
            becomes(page, f"{LABELS}?.length")
            page.keyboard.press("h")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            becomes(page, f"matchMedia('(prefers-color-scheme: {scheme})').matches")
            becomes(page, "document.getAnimations().length === 0")  # the colours of buttons fade into each other
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
            found = page.evaluate("axe.run().then((result) => result.violations)")
            serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in serious] == []


def test_colours_when_the_system_forces_its_own_then_a_pressed_button_looks_different(page, url, tmp_path):
    page.emulate_media(forced_colors="active")
    visit(page, url)
    background = "getComputedStyle(document.querySelector('[data-key={}]')).backgroundColor"
    becomes(page, "document.querySelector('[data-key=i]').getAttribute('aria-pressed') === 'true'")
    assert page.evaluate(background.format("i")) != page.evaluate(background.format("p"))
    page.set_input_files("#open", SAMPLES / "faces.png")
    becomes(page, "!document.querySelector('#stage').hidden")
    place = """() => {
      document.querySelector("[data-key=i]").scrollIntoView({ block: "center" });
      const range = document.createRange();
      range.selectNodeContents(document.querySelector("[data-key=i]"));
      const { x, y, width, height } = range.getBoundingClientRect();
      return { x, y, width, height };
    }"""
    page.screenshot(path=str(tmp_path / "word.png"), clip=page.evaluate(place))
    assert np.ptp(read_still(tmp_path / "word.png")) > 100  # its word can be read


def test_phone_then_all_text_in_the_picture_is_legible(page, url):
    page.set_viewport_size({"width": 390, "height": 844})
    page.add_init_script(
        """globalThis.texts = {};
        const write = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
          const shown = this.canvas.clientWidth / this.canvas.width;
          texts[text] = shown * parseFloat(/([\\d.]+)px/.exec(this.font)[1]);
          return write.call(this, text, ...rest);
        };"""
    )
    visit(page, url)
    page.set_input_files("#open", SAMPLES / "faces.png")
    becomes(page, f"{LABELS}?.length")
    page.keyboard.press("p")
    page.keyboard.press("t")
    becomes(page, "'contempt' in texts && '#1' in texts")
    assert page.evaluate("Math.min(...Object.values(texts))") >= 8.5


def test_motion_when_the_visitor_wants_less_then_nothing_moves_by_itself(page, url):
    page.emulate_media(reduced_motion="reduce")
    page.goto(url)
    styles = "[...document.querySelectorAll('*')].map((e) => getComputedStyle(e)).filter((s) => s.{0} !== '{1}').length"
    assert page.evaluate(styles.format("animationName", "none")) == 0
    assert page.evaluate("getComputedStyle(document.querySelector('#start')).transitionDuration") == "0s"

"""Photos, videos and films from the visitor's own disk."""

import base64
import mimetypes
import time

import av
import cv2
import numpy as np
import pytest

from livemood.records import read, read_origin
from livemood.reporting.page import write_report
from tests.integration.web.browser import LABELS, PATIENCE_S, becomes, visit
from tests.support.builders import SAMPLES, read_still

PHOTO, FILM = SAMPLES / "faces.png", SAMPLES / "faces.mp4"


def drop(page, *paths):
    """Let files fall onto the page, as from a file manager."""
    page.evaluate(
        """async (files) => {
          const transfer = new DataTransfer();
          for (const [data, name, type] of files) {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type }));
          }
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [
            (base64.b64encode(path.read_bytes()).decode(), path.name, mimetypes.guess_type(path.name)[0])
            for path in paths
        ],
    )


def saved(page, button, path):
    """Press a button that saves a file; return its path."""
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return path


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A short film without a duration, as browsers record it, and without a suffix that tells its type."""
    path = tmp_path_factory.mktemp("films") / "recording"
    with av.open(str(path), "w", format="webm", options={"live": "1"}) as container:
        stream = container.add_stream("libvpx", rate=30, options={"deadline": "realtime", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for shade in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((90, 160, 3), 8 * shade, np.uint8), "bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """The sample clip, cut off after about a quarter."""
    path = tmp_path_factory.mktemp("films") / "damaged.mp4"
    path.write_bytes(FILM.read_bytes()[:120_000])
    return path


def test_photo_when_dropped_then_its_faces_are_labelled(blind, url):
    visit(blind, url)
    drop(blind, PHOTO)
    assert becomes(blind, f"{LABELS}?.length && {LABELS}") == ["happy", "surprise"]
    assert not blind.is_visible("#trouble")
    blind.click("[data-key=c]")
    assert "cannot calibrate" in blind.inner_text("#notice")
    drop(blind, PHOTO, FILM)
    becomes(blind, "document.querySelector('#notice').innerText.includes('only the first of 2 files')")


def test_photo_when_transparent_then_is_read_over_white_and_not_over_the_one_before(blind, url, tmp_path):
    photo = cv2.cvtColor(read_still(PHOTO), cv2.COLOR_BGR2BGRA)
    photo[..., 3] = 0
    cv2.imwrite(str(tmp_path / "clear.png"), photo)
    visit(blind, url)
    blind.set_input_files("#open", PHOTO)
    becomes(blind, f"{LABELS}?.length === 2")
    blind.evaluate("globalThis.before = livemood.shown.bitmap")
    blind.set_input_files("#open", tmp_path / "clear.png")
    becomes(blind, "livemood.shown && livemood.shown.bitmap !== before")
    assert blind.evaluate(LABELS) == []
    pixel = "[...document.querySelector('#view').getContext('2d').getImageData(600, 400, 1, 1).data]"
    assert blind.evaluate(pixel) == [255, 255, 255, 255]
    with blind.expect_download() as download:
        blind.keyboard.press("s")
    download.value.save_as(tmp_path / "shot.png")
    shot = cv2.imread(str(tmp_path / "shot.png"), cv2.IMREAD_UNCHANGED)
    assert shot is not None
    assert shot.min() == 255


def test_files_when_the_first_one_cannot_be_opened_then_it_is_not_called_open(blind, url, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    visit(blind, url)
    drop(blind, PHOTO)
    becomes(blind, f"{LABELS}?.length")
    drop(blind, tmp_path / "notes.txt", PHOTO)
    becomes(blind, "document.querySelector('#trouble').innerText.includes('“notes.txt” is no photo or video')")
    time.sleep(0.5)
    assert blind.inner_text("#notice") == ""


def test_photo_when_larger_than_is_read_then_records_are_in_its_own_px(blind, url, tmp_path):
    photo = read_still(PHOTO)
    size = (5120, 2880)
    cv2.imwrite(str(tmp_path / "large.png"), cv2.resize(photo, size), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    cv2.imwrite(str(tmp_path / "line.png"), np.zeros((1, 12000, 3), np.uint8))
    visit(blind, url)
    found = []
    for path in (PHOTO, tmp_path / "large.png"):
        blind.set_input_files("#open", path)
        becomes(blind, f"{LABELS}?.length === 2 && livemood.shown.bitmap !== globalThis.before")
        blind.evaluate("globalThis.before = livemood.shown.bitmap")
        records = saved(blind, "#records", tmp_path / "rows.jsonl")
        found.append((read_origin(records), list(read(records))))
    (_, small), (origin, large) = found
    assert origin is not None
    assert (origin.width, origin.height) == size
    scale = size[0] / photo.shape[1]
    for one, other in zip(small, large, strict=True):
        assert np.array(other.box) == pytest.approx(scale * np.array(one.box), rel=0.03, abs=0.02 * size[0])
        assert np.array(other.keypoints) == pytest.approx(scale * np.array(one.keypoints), rel=0.03, abs=0.02 * size[0])
    blind.set_input_files("#open", tmp_path / "line.png")
    becomes(blind, "livemood.shown?.bitmap.width === 4096 && livemood.shown.bitmap.height === 1")
    assert not blind.is_visible("#trouble")


def test_page_while_its_settings_are_on_their_way_then_a_photo_waits_and_nothing_can_be_clicked(blind, url):
    held = []
    blind.route("**/settings.json", lambda route: held.append(route))
    with blind.expect_request("**/settings.json"):
        blind.goto(url)
    drop(blind, PHOTO)
    assert [blind.is_disabled(control) for control in ("#start", "#open", "#react")] == [True, True, True]
    (settings,) = held
    settings.continue_()
    assert becomes(blind, f"{LABELS}?.length && {LABELS}") == ["happy", "surprise"]
    assert [blind.is_disabled(control) for control in ("#start", "#open", "#react")] == [False, False, False]


def test_photo_when_chosen_after_another_then_no_state_is_kept_and_it_is_announced_again(blind, url, tmp_path):
    cv2.imwrite(str(tmp_path / "turned.png"), cv2.flip(read_still(PHOTO), 1))
    visit(blind, url)
    blind.set_input_files("#open", PHOTO)
    becomes(blind, f"{LABELS}?.length")
    becomes(blind, "document.querySelector('#said').innerText")
    blind.evaluate("globalThis.before = livemood.shown.bitmap")
    blind.evaluate(
        """() => {
          globalThis.heard = [];
          const said = document.querySelector("#said");
          new MutationObserver(() => heard.push(said.textContent)).observe(said, { childList: true });
        }"""
    )
    blind.set_input_files("#open", tmp_path / "turned.png")
    becomes(blind, "livemood.shown && livemood.shown.bitmap !== before")
    assert blind.evaluate("livemood.shown.moods.map((mood) => mood.track.id)") == [1, 2]
    assert becomes(blind, "heard.find((said) => said.startsWith('Face 1: '))")


def test_video_when_chosen_then_its_labels_come_in_its_order_on_its_own_clock(blind, url, tmp_path):
    blind.goto(url)
    becomes(blind, "globalThis.livemood?.reader.isReady")
    blind.set_input_files("#open", FILM)
    seen: list[str] = []
    ends = time.monotonic() + PATIENCE_S
    while "surprise" not in seen:
        assert time.monotonic() < ends, seen
        labels = blind.evaluate(f"{LABELS} ?? []")
        if labels and labels[0] != "unsure" and seen[-1:] != [labels[0]]:
            seen.append(labels[0])
        time.sleep(0.03)
    # A busy machine may miss one of them: the film does not wait.
    assert seen == [label for label in ("neutral", "happy", "sad", "surprise") if label in seen]
    assert len(seen) > 1
    records = saved(blind, "#records", tmp_path / "rows.jsonl")
    origin = read_origin(records)
    assert origin is not None
    assert (origin.source, origin.width, origin.height, origin.duration_s) == (FILM.name, 1280, 720, 6.0)
    rows = list(read(records))
    assert rows[0].frame == 0
    assert 0 <= rows[0].time_s < rows[-1].time_s <= 6.0
    # Times are those of the film's frames.
    assert all(abs(30 * row.time_s - round(30 * row.time_s)) < 0.02 for row in rows)


def test_video_when_it_has_ended_then_says_so_and_plays_again(blind, url, recording):
    visit(blind, url)
    blind.set_input_files("#open", recording)
    ended = "document.querySelector('#status').innerText.startsWith('ended')"
    becomes(blind, ended)
    assert "fps" not in blind.inner_text("#status")
    assert "last picture" not in blind.inner_text("#status")
    blind.evaluate("globalThis.before = livemood.shown.bitmap")
    blind.click("[data-key=space]")
    becomes(blind, f"!({ended})")
    becomes(blind, "livemood.shown && livemood.shown.bitmap !== before")
    becomes(blind, ended)


def test_video_when_a_media_key_pauses_it_then_the_button_shows_it_and_resumes(blind, url):
    visit(blind, url)
    blind.set_input_files("#open", FILM)
    becomes(blind, "livemood.shown")
    # The page's video is not in its document.
    blind.evaluate(
        """async () => {
          const played = new Promise((resolve) => {
            const play = HTMLMediaElement.prototype.play;
            HTMLMediaElement.prototype.play = function () { resolve(this); return play.call(this); };
          });
          for (const _ of [1, 2]) document.querySelector("[data-key=space]").click();
          globalThis.video = await played;
        }"""
    )
    becomes(blind, "!livemood.paused && !video.paused")
    blind.evaluate("video.pause()")
    becomes(blind, "document.querySelector('[data-key=space]').ariaPressed === 'true'")
    becomes(blind, "document.querySelector('#status').innerText.includes('paused')")
    blind.click("[data-key=space]")
    becomes(blind, "document.querySelector('[data-key=space]').ariaPressed === 'false'")
    assert not blind.evaluate("video.paused")


def test_video_when_damaged_then_says_how_far_it_could_be_played(blind, url, damaged):
    visit(blind, url)
    blind.set_input_files("#open", damaged)
    becomes(blind, "!document.querySelector('#trouble').hidden")
    assert "The video is damaged: the browser could play it up to 1." in blind.inner_text("#trouble")
    broken = "document.querySelector('#status').innerText.includes('the last picture came at 1.')"
    becomes(blind, broken)
    blind.click("[data-key=space]")
    becomes(blind, f"!({broken})")
    becomes(blind, broken)


def react(page, url, *files):
    page.goto(url)
    becomes(page, "globalThis.livemood?.reader.isReady")
    page.click("#react")
    page.set_input_files("#film", files)
    becomes(page, "!document.querySelector('#play').disabled")
    page.click("#play")


def test_film_when_reacted_to_then_moments_stand_over_its_frames_and_can_be_saved(page, url, tmp_path):
    page.add_init_script(
        """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wishes) => (globalThis.stream = await open(wishes));"""
    )
    react(page, url, FILM)
    becomes(page, "document.querySelector('#screen video') && livemood.shown")
    # So that it has not ended on a busy machine before the camera is back.
    page.evaluate("document.querySelector('#screen video').playbackRate = 0.25")
    assert page.is_visible("#screen video")
    drop(page, PHOTO)
    assert "press Stop" in page.inner_text("#notice")
    page.evaluate("stream.getVideoTracks()[0].stop()")
    page.evaluate("stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    lost_s = page.evaluate("document.querySelector('#screen video').currentTime")
    page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    becomes(page, "document.querySelector('#trouble').hidden")
    page.evaluate("document.querySelector('#screen video').playbackRate = 1")
    becomes(page, "document.querySelector('#timeline svg')?.outerHTML.length")
    assert page.locator("#timeline svg image").count() % 10 == 0
    moments = page.locator("#timeline .moments li").all_inner_texts()
    assert moments
    assert page.locator("#timeline .moments img").first.get_attribute("src").startswith("data:image/jpeg")

    records = saved(page, "#save-records", tmp_path / "rows.jsonl")
    assert page.inner_text("#saved").endswith(".jsonl")
    rows = list(read(records))
    assert 0 <= rows[0].time_s <= lost_s < rows[-1].time_s <= 6.1
    write_report(records, tmp_path / "python.html")

    text = saved(page, "#save-report", tmp_path / "report.html").read_text(encoding="utf-8")
    assert "An expression is not a feeling." in text
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("svg.chart polyline").count() >= 8
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []


def test_result_on_a_phone_then_the_text_of_its_charts_is_legible(page, url, tmp_path):
    page.set_viewport_size({"width": 390, "height": 844})
    react(page, url, PHOTO)
    becomes(page, f"{LABELS}?.length")
    page.click("#stop")
    becomes(page, "document.querySelector('#timeline svg.chart')")
    shown = "[...document.querySelectorAll('svg.chart text')].map((text) => text.getBoundingClientRect().height)"
    names = "[...document.querySelectorAll('.key')].map((key) => key.getClientRects().length)"
    report = saved(page, "#save-report", tmp_path / "report.html")
    for _ in ("page", "report"):
        assert min(page.evaluate(shown)) > 8.5
        assert set(page.evaluate(names)) == {1}  # a line and its label are not torn apart
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.goto(report.as_uri())


def test_pictures_when_reacted_to_and_stopped_then_the_result_is_shown(page, url):
    react(page, url, PHOTO, PHOTO)
    becomes(page, "document.querySelector('#screen img') && livemood.shown?.stamp.timeS > 1")
    page.click("#stop")
    becomes(page, "document.querySelector('#timeline svg, #timeline p')")
    page.click("#again")
    assert page.is_visible("#reaction")


def test_film_when_it_has_no_duration_then_it_is_measured_and_the_result_is_shown(page, url, recording):
    react(page, url, recording)
    becomes(page, "document.querySelector('#timeline svg, #timeline p')")
    assert page.inner_text("#chosen") == "recording, 1 s"


def test_film_when_a_media_key_pauses_it_then_says_so_and_space_goes_on(page, url):
    react(page, url, FILM)
    becomes(page, "document.querySelector('#screen video') && livemood.shown")
    page.evaluate("document.querySelector('#screen video').pause()")
    becomes(page, "document.querySelector('#trouble').innerText.includes('The film is paused')")
    time.sleep(4)  # the camera is on, although nothing is read
    assert "The film is paused" in page.inner_text("#trouble")
    assert page.is_enabled("[data-key=space]")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    becomes(page, "document.querySelector('#trouble').hidden")
    assert not page.evaluate("document.querySelector('#screen video').paused")
    page.click("#stop")
    becomes(page, "document.querySelector('#timeline svg, #timeline p')")
    assert not page.is_visible("#trouble")


def test_film_when_damaged_then_the_result_has_what_could_be_played(page, url, damaged, tmp_path):
    react(page, url, damaged)
    becomes(page, "document.querySelector('#timeline svg')")
    assert "The film is damaged" in page.inner_text("#trouble")
    assert 0 < page.locator("#timeline svg image").count() < 10
    assert "null" not in page.inner_html("#timeline")
    page.click("#again")
    assert not page.is_visible("#trouble")


def test_film_when_it_is_none_then_says_so_until_another_is_chosen(page, url, tmp_path, recording):
    (tmp_path / "film.mp4").write_bytes(b"no film")
    visit(page, url)
    page.click("#react")
    page.set_input_files("#film", tmp_path / "film.mp4")
    becomes(page, "!document.querySelector('#trouble').hidden")
    assert "“film.mp4” is no photo or video" in page.inner_text("#trouble")
    assert page.is_disabled("#play")
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    page.set_input_files("#film", [PHOTO, tmp_path / "notes.txt"])
    becomes(page, "document.querySelector('#trouble').innerText.includes('“notes.txt” is no photo or video')")
    page.set_input_files("#film", [PHOTO, recording])
    becomes(page, "!document.querySelector('#play').disabled")
    assert not page.is_visible("#trouble")
    assert page.inner_text("#chosen") == "recording, 1 s; 1 more file is left out"


def test_photo_when_dropped_then_the_kind_of_smile_is_told(blind, url):
    visit(blind, url)
    drop(blind, PHOTO)
    said = becomes(blind, "document.querySelector('#said').innerText")
    assert said == "Face 1: happy · open smile. Face 2: surprise"

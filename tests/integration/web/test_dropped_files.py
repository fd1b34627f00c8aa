"""Photos, videos and films from the visitor's own disk."""

import base64
import mimetypes
import time

import cv2
import pytest

from livemood.records import read, read_origin
from livemood.reporting.page import write_report
from tests.integration.web.browser import LABELS, PATIENCE_S, becomes, visit
from tests.support.builders import SAMPLES, read_still

PHOTO, FILM = SAMPLES / "faces.png", SAMPLES / "faces.mp4"


def drop(page, path):
    """Let a file fall onto the page, as from a file manager."""
    data = base64.b64encode(path.read_bytes()).decode()
    kind = mimetypes.guess_type(path.name)[0]
    page.evaluate(
        """async ([data, name, type]) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type }));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [data, path.name, kind],
    )


def test_photo_when_dropped_then_its_faces_are_labelled(blind, url):
    visit(blind, url)
    drop(blind, PHOTO)
    assert becomes(blind, f"{LABELS}?.length && {LABELS}") == ["happy", "surprise"]
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


def test_photo_when_chosen_after_another_then_no_state_is_kept(blind, url, tmp_path):
    cv2.imwrite(str(tmp_path / "turned.png"), cv2.flip(read_still(PHOTO), 1))
    visit(blind, url)
    blind.set_input_files("#open", PHOTO)
    becomes(blind, f"{LABELS}?.length")
    blind.evaluate("globalThis.before = livemood.shown.bitmap")
    blind.set_input_files("#open", tmp_path / "turned.png")
    becomes(blind, "livemood.shown && livemood.shown.bitmap !== before")
    assert blind.evaluate("livemood.shown.moods.map((mood) => mood.track.id)") == [1, 2]


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
    with blind.expect_download() as download:
        blind.click("#records")
    download.value.save_as(tmp_path / "rows.jsonl")
    origin = read_origin(tmp_path / "rows.jsonl")
    assert origin is not None
    assert (origin.source, origin.width, origin.height, origin.duration_s) == (FILM.name, 1280, 720, 6.0)
    rows = list(read(tmp_path / "rows.jsonl"))
    assert 0 <= rows[0].time_s < rows[-1].time_s <= 6.0
    # Times are those of the film's frames.
    assert all(abs(30 * row.time_s - round(30 * row.time_s)) < 0.02 for row in rows)


def react(page, url, *files):
    page.goto(url)
    becomes(page, "globalThis.livemood?.reader.isReady")
    page.click("#react")
    page.set_input_files("#film", files)
    becomes(page, "!document.querySelector('#play').disabled")
    page.click("#play")


def test_film_when_reacted_to_then_moments_stand_over_its_frames_and_can_be_saved(page, url, tmp_path):
    react(page, url, FILM)
    becomes(page, "!document.querySelector('#screen').hidden && livemood.shown")
    # So that a busy machine reads enough of it too.
    page.evaluate("document.querySelector('#screen').playbackRate = 0.25")
    assert page.is_visible("#screen")
    becomes(page, "document.querySelector('#timeline svg')?.outerHTML.length")
    assert page.locator("#timeline svg image").count() % 10 == 0
    moments = page.locator("#timeline .moments li").all_inner_texts()
    assert moments
    assert page.locator("#timeline .moments img").first.get_attribute("src").startswith("data:image/jpeg")

    with page.expect_download() as download:
        page.click("#save-records")
    download.value.save_as(tmp_path / "rows.jsonl")
    rows = list(read(tmp_path / "rows.jsonl"))
    assert 0 <= rows[0].time_s < rows[-1].time_s <= 6.1
    write_report(tmp_path / "rows.jsonl", tmp_path / "python.html")

    with page.expect_download() as download:
        page.click("#save-report")
    download.value.save_as(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "An expression is not a feeling." in text
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("svg.chart polyline").count() >= 8
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []


def test_pictures_when_reacted_to_and_stopped_then_the_result_is_shown(page, url):
    react(page, url, PHOTO, PHOTO)
    becomes(page, "!document.querySelector('#slide').hidden && livemood.shown?.stamp.timeS > 1")
    page.click("#stop")
    becomes(page, "document.querySelector('#timeline svg, #timeline p')")
    page.click("#again")
    assert page.is_visible("#reaction")


def test_film_when_it_is_none_then_says_so(page, url, tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"no film")
    visit(page, url)
    page.click("#react")
    page.set_input_files("#film", tmp_path / "film.mp4")
    becomes(page, "!document.querySelector('#trouble').hidden")
    assert page.is_disabled("#play")


@pytest.mark.parametrize(
    ("label", "smile", "words"),
    [
        ("happy", "open", "happy · open smile"),
        ("happy", "none", "happy"),
        ("happy", "unsure", "happy"),
        ("surprise", "open", "surprise"),
    ],
)
def test_label_when_the_kind_of_smile_is_told_then_a_happy_face_has_it(blind, url, label, smile, words):
    visit(blind, url)
    said = blind.evaluate(
        """([label, smile]) => {
          const answer = (label) => ({ label, confidence: 0.9, scores: [1], rawScores: [1] });
          return livemood.words({ track: { id: 1 }, emotion: answer(label), others: { smile: answer(smile) } });
        }""",
        [label, smile],
    )
    assert said == words


def test_photo_when_dropped_then_the_kind_of_smile_is_told(blind, url):
    visit(blind, url)
    drop(blind, PHOTO)
    becomes(blind, f"{LABELS}?.length")
    assert blind.evaluate("livemood.shown.moods.map((mood) => livemood.words(mood))") == [
        "happy · open smile",
        "surprise",
    ]

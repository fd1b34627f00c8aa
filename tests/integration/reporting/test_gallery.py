"""The gallery as a browser shows it."""

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.apps.photo_reader import thumbnail
from livemood.core.errors import SinkError
from livemood.core.labels import EMOTIONS
from livemood.datasets.dedup import fingerprint
from livemood.records import Record
from livemood.records.inputs import Input
from livemood.records.schema import HeadScores
from livemood.reporting.gallery import Gallery
from tests.integration.web.browser import chromium
from tests.support.disks import full_disk

STRANGE = "<script>alert(1)$thumbnails \udce9.jpg"


def face(label: str, confidence: float) -> Record:
    scores: dict[str, float] = {name: confidence if name == label else 0.0 for name in EMOTIONS}
    return Record(0, 0.0, 1, (10.0, 10.0, 50.0, 50.0), label, confidence, scores)


def picture(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(small, (320, 240), interpolation=cv2.INTER_CUBIC)


def write(path: Path, photos: list[tuple[str, list[Record], str | None, int]]) -> Path:
    with Gallery(path, EMOTIONS) as gallery:
        for name, faces, error, seed in photos:
            image = picture(seed)
            width, height = (None, None) if error else (320, 240)
            said = Input(str(path.parent / name), width, height, len(faces), error)
            gallery.add(
                (said, tuple(faces)), b"" if error else thumbnail(image), b"" if error else fingerprint(image).tobytes()
            )
        gallery.write("Moods & more")
    return path


def shown(page: Path, profile: Path) -> str:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "the gallery is checked in a browser: install Chromium (Debian: apt-get install chromium)"
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --virtual-time-budget=5000 --dump-dom"
    command = [browser, *flags.split(), f"--user-data-dir={profile}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    return re.sub(r"<script.*?</script>", "", done.stdout.decode(), flags=re.DOTALL)


def test_gallery_then_shows_photos_faces_and_look_alikes_and_nothing_runs_that_is_not_ours(tmp_path: Path) -> None:
    page = write(
        tmp_path / "g.html",
        [
            ("a.jpg", [face("happy", 0.9), face("sad", 0.5)], None, 1),
            ("b.jpg", [face("happy", 0.8)], None, 1),
            ("c.jpg", [], None, 2),
            (STRANGE, [face("unsure", 0.3)], None, 3),
            ("broken.jpg", [], "broken.jpg is not a picture", 0),
        ],
    )
    dom = shown(page, tmp_path / "profile")
    assert "5 of 5 photos, 4 faces; 1 look-alikes behind others" in dom
    labels = [html.unescape(label) for label in re.findall(r'role="option" aria-label="([^"]*)"', dom)]
    assert labels[0] == "a.jpg: happy 90 %, sad 50 %"
    assert labels[1] == "c.jpg: no face"
    assert "<script>alert(1)$thumbnails" in labels[2]
    assert labels[2].endswith("unsure 30 %")
    assert labels[3] == "broken.jpg: could not be read"
    assert dom.count('src="data:image/jpeg;base64,/9j/') == 3
    assert '<span class="badge">+1</span>' in dom
    text = page.read_text()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert "default-src 'none'" in text


def test_gallery_when_printed_then_every_photo_is_on_paper_in_order(tmp_path: Path) -> None:
    names = [f"{place:03}.jpg" for place in range(80)]
    page = write(tmp_path / "g.html", [(name, [face("happy", 0.9)], None, place) for place, name in enumerate(names)])
    with chromium() as browser:
        shown = browser.new_page(viewport={"width": 800, "height": 600})
        shown.goto(page.as_uri())
        assert shown.locator(".tile").count() < 40
        shown.evaluate(
            """addEventListener("beforeprint", () => {
              globalThis.printed = [...document.querySelectorAll(".tile .name")].map((name) => name.textContent);
            })"""
        )
        shown.pdf()
        assert shown.evaluate("printed") == names
        shown.evaluate("dispatchEvent(new Event('beforeprint'))")
        shown.emulate_media(media="print")
        tops = shown.locator(".tile").evaluate_all("(tiles) => tiles.map((tile) => tile.getBoundingClientRect().top)")
        assert tops == sorted(tops)
        assert len(set(tops)) == 20  # four in a row, one row below the other
        shown.evaluate("dispatchEvent(new Event('afterprint'))")
        assert shown.locator(".tile").count() < 40


@pytest.mark.parametrize(("name", "link"), [("a b#1.jpg", "a%20b%231.jpg"), ("a\\b.jpg", "a%5Cb.jpg")])
def test_gallery_when_photos_lie_elsewhere_then_links_lead_there(tmp_path: Path, name: str, link: str) -> None:
    (tmp_path / "deep").mkdir()
    with Gallery(tmp_path / "deep" / "g.html", EMOTIONS) as gallery:
        gallery.add((Input(str(tmp_path / name), 10, 10, 0), ()))
        gallery.write("Moods")
    assert f'"href":"../{link}"' in (tmp_path / "deep" / "g.html").read_text()


def test_gallery_when_there_already_then_not_replaced_unless_by_force(tmp_path: Path) -> None:
    page = write(tmp_path / "g.html", [])
    with pytest.raises(SinkError, match="is there already"):
        Gallery(page, EMOTIONS)
    with Gallery(page, EMOTIONS, force=True) as gallery:
        gallery.write("New")
    assert "<h1>New</h1>" in page.read_text()


def test_gallery_when_the_kind_of_smile_is_told_then_happy_faces_can_be_chosen_by_it(tmp_path: Path) -> None:
    def smiling(label: str, kind: str) -> Record:
        return replace(face(label, 0.9), others={"smile": HeadScores(kind, {})})

    faces = [smiling("happy", "open"), smiling("surprise", "closed"), smiling("happy", "none")]
    page = write(tmp_path / "g.html", [(f"{place}.jpg", [one], None, place) for place, one in enumerate(faces)])
    dom = shown(page, tmp_path / "profile")
    (choices,) = re.findall(r"<label>Smile <select data-head=\"smile\">(.*?)</select>", dom)
    assert re.findall(r"<option[^>]*>(.*?)</option>", choices) == ["any", "open"]


def test_gallery_when_the_disk_of_temporary_files_is_full_then_one_line_names_it(tmp_path: Path) -> None:
    with full_disk(room=8), pytest.raises(SinkError) as told, Gallery(tmp_path / "g.html", EMOTIONS) as gallery:
        gallery.add((Input("a.jpg", 10, 10, 0), ()), thumbnail(picture(0)))
    assert str(told.value).startswith(
        f"{tmp_path / 'g.html'} could not be made: no temporary file for its thumbnails (File too large); free some"
    )
    assert not list(tmp_path.iterdir())

"""Whatever comes late: the visitor's newest request counts, and the camera is never on for another."""

import pytest

from livemood.records import read, read_origin
from tests.integration.web.browser import LABELS, becomes, visit
from tests.support.builders import SAMPLES

PHOTO, FILM = SAMPLES / "faces.png", SAMPLES / "faces.mp4"

_PROMPT = """globalThis.streams = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wishes) => {
  await new Promise((resolve) => { globalThis.allow = resolve; });
  const stream = await open(wishes);
  streams.push(stream);
  return stream;
};"""
"""Cameras come when a test calls ``allow``, as a visitor answers the browser's question."""


@pytest.fixture
def asked(page, url):
    """The page, in a browser that asks before it gives a camera."""
    page.add_init_script(_PROMPT)
    visit(page, url)
    return page


def allow(page, count):
    """Answer the question, and wait until so many cameras were given."""
    becomes(page, "!!globalThis.allow")
    page.evaluate("allow()")
    becomes(page, f"streams.length === {count}")


def test_camera_when_allowed_after_the_visitor_went_on_then_is_turned_off(asked):
    asked.click("#react")
    asked.set_input_files("#film", FILM)
    becomes(asked, "!document.querySelector('#play').disabled")
    asked.click("#play")
    asked.click("#leave")
    allow(asked, 1)
    becomes(asked, "streams.every((stream) => !stream.active)")
    assert asked.is_visible("#intro")
    asked.click("#start")
    asked.set_input_files("#open", PHOTO)
    becomes(asked, f"{LABELS}?.length")
    allow(asked, 2)
    becomes(asked, "streams.every((stream) => !stream.active)")
    assert asked.evaluate("livemood.pausable") is False
    assert asked.is_visible("#stage")


def test_camera_when_asked_for_twice_then_one_is_on_and_nothing_is_wrong(asked):
    asked.click("#start")
    asked.evaluate("void (globalThis.first = allow)")
    asked.click("#start")
    asked.evaluate("first()")
    allow(asked, 2)
    becomes(asked, f"{LABELS}?.length")
    assert asked.evaluate("streams.filter((stream) => stream.active).length") == 1
    assert not asked.is_visible("#trouble")


def test_files_when_chosen_while_the_networks_load_then_only_the_last_one_is_read(blind, url, tmp_path):
    held = []
    blind.route("**/models/emotion.tflite", lambda route: held.append(route))
    with blind.expect_request("**/models/emotion.tflite"):
        visit(blind, url)
    for file in (FILM, FILM, PHOTO, PHOTO):
        blind.set_input_files("#open", file)
        becomes(blind, "!document.querySelector('#stage').hidden")
        assert blind.is_visible("#wait")
    held[0].continue_()
    becomes(blind, f"{LABELS}?.length")
    assert not blind.is_visible("#wait")
    with blind.expect_download() as download:
        blind.click("#records")
    download.value.save_as(tmp_path / "rows.jsonl")
    origin = read_origin(tmp_path / "rows.jsonl")
    assert origin is not None
    assert origin.source == PHOTO.name
    assert [row.track for row in read(tmp_path / "rows.jsonl")] == [1, 2]


@pytest.mark.parametrize("place", ["#start", "#react"])
def test_camera_when_the_networks_do_not_arrive_then_is_off(page, url, place):
    page.add_init_script(_PROMPT)
    held = []
    page.route("**/models/far.tflite", lambda route: held.append(route))
    with page.expect_request("**/models/far.tflite"):
        visit(page, url)
    page.click(place)
    if place == "#start":
        allow(page, 1)
    else:
        page.set_input_files("#film", FILM)
        becomes(page, "document.querySelector('#chosen').innerText.includes('Loading')")
    held[0].abort()
    becomes(page, "!document.querySelector('#trouble').hidden")
    assert page.is_visible("#intro")
    assert page.is_disabled("#start")
    assert page.evaluate("streams.every((stream) => !stream.active)")

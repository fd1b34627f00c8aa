"""One browser and one server for all tests of the page."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from livemood.apps.web import PageServer, write_page
from livemood.sources.video.file import VideoSource
from tests.integration.web.browser import PATIENCE_S, fake_camera, launched
from tests.integration.web.clips import write_y4m
from tests.support.builders import SAMPLES


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def filmed(playwright: Playwright, tmp_path_factory) -> Iterator[Browser]:
    """A browser whose camera films the sample clip."""
    with VideoSource(SAMPLES / "faces.mp4") as source:
        images = [frame.image for frame in source.frames()]
    clip = write_y4m(tmp_path_factory.mktemp("camera") / "faces.y4m", images)
    browser = launched(playwright, *fake_camera(clip))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def bare(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a camera; ``visitor.test`` is this computer, but the browser does not know."""
    browser = launched(playwright, "--host-resolver-rules=MAP visitor.test 127.0.0.1")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Where ``livemood web`` serves the page."""
    with PageServer.open() as server:
        threading.Thread(target=server.serve, daemon=True).start()
        yield server.url
        server.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> Path:
    """A folder that ``livemood web --out`` wrote."""
    folder = tmp_path_factory.mktemp("page") / "page"
    write_page(folder)
    return folder


@pytest.fixture
def context(filmed: Browser) -> Iterator[BrowserContext]:
    """A visitor with a camera."""
    made = filmed.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(1000 * PATIENCE_S)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def blind(bare: Browser) -> Iterator[Page]:
    """The page of a visitor without a camera."""
    made = bare.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(1000 * PATIENCE_S)
    yield made.new_page()
    made.close()

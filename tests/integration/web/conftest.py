"""One server and two browsers for all tests of the page: one with a camera and one without."""

import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from livemood.apps.web import PageServer, write_page
from livemood.sources.video.file import VideoSource
from tests.integration.web.browser import ONE_PROCESS, fake_camera, launched, opened, visitor
from tests.integration.web.clips import write_y4m
from tests.support.builders import SAMPLES


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    """Where ``livemood web`` serves the page."""
    with PageServer.open() as server:
        threading.Thread(target=server.serve, daemon=True).start()
        yield server.url
        server.close()


@pytest.fixture(scope="package")
def filmed(playwright: Playwright, tmp_path_factory, url: str) -> Iterator[BrowserContext]:
    """A visitor whose camera films the sample clip."""
    with VideoSource(SAMPLES / "faces.mp4") as source:
        images = [frame.image for frame in islice(source.frames(), 0, None, 3)]
    clip = write_y4m(tmp_path_factory.mktemp("camera") / "faces.y4m", images, fps=10)
    browser = launched(playwright, ONE_PROCESS, *fake_camera(clip))
    with visitor(browser, url) as context:
        yield context
    browser.close()


@pytest.fixture(scope="package")
def bare(playwright: Playwright, url: str) -> Iterator[BrowserContext]:
    """A visitor without a camera; ``visitor.test`` is this computer, but the browser does not know."""
    browser = launched(playwright, ONE_PROCESS, "--host-resolver-rules=MAP visitor.test 127.0.0.1")
    with visitor(browser, url) as context:
        yield context
    browser.close()


@pytest.fixture(scope="package")
def written(tmp_path_factory) -> Path:
    """A folder that ``livemood web --out`` wrote."""
    folder = tmp_path_factory.mktemp("page") / "page"
    write_page(folder)
    return folder


@pytest.fixture
def page(filmed: BrowserContext) -> Iterator[Page]:
    """A new page of a visitor with a camera."""
    with opened(filmed) as page:
        yield page


@pytest.fixture
def blind(bare: BrowserContext) -> Iterator[Page]:
    """A new page of a visitor without a camera."""
    with opened(bare) as page:
        yield page

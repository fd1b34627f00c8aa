"""A headless Chromium for tests of the page, with a camera that is fed by a clip or with none.

On Debian: ``apt-get install chromium``; from PyPI: ``playwright``, which drives it.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

# A machine without a network would look up hosts of the browser's maker at every start.
_SILENT = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ONE_PROCESS = "--process-per-site"
"""The flag with which all pages of a visitor share one process."""
PATIENCE_S = 90.0
"""How long a busy machine may take for a step."""


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """Start a browser with further flags; one at a time in a thread."""
    with sync_playwright() as playwright:
        browser = launched(playwright, *flags)
        yield browser
        browser.close()


def launched(playwright: Playwright, *flags: str) -> Browser:
    path = shutil.which("chromium")
    assert path, "these tests need Debian's package chromium"
    return playwright.chromium.launch(executable_path=path, args=[*_SILENT, *flags])


@contextmanager
def visitor(browser: Browser, url: str) -> Iterator[BrowserContext]:
    """Give a visitor whose every page is new but shares one process, in which the page's WebAssembly stays compiled.

    The page itself keeps nothing: it has no cookies and no storage.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(1000 * PATIENCE_S)
    keeper = context.new_page()
    keeper.goto(f"{url}page.js")
    keeper.evaluate(
        """async () => {
          globalThis.kept = await WebAssembly.compileStreaming(fetch("litert/litert_wasm_internal.wasm"));
        }"""
    )
    yield context
    context.close()


@contextmanager
def opened(context: BrowserContext) -> Iterator[Page]:
    """Open a page of a visitor; afterwards take back what a test changed for all pages."""
    page = context.new_page()
    yield page
    page.close()
    context.clear_permissions()
    context.set_offline(False)


def fake_camera(clip: Path) -> Sequence[str]:
    """Return the flags for a camera that shows a .y4m clip again and again, and is always allowed."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    ]


def becomes(page: Page, condition: str, timeout_s: float = PATIENCE_S) -> Any:
    """Wait until a JavaScript expression is true and return its value; the page's policy allows no other way."""
    ends = time.monotonic() + timeout_s
    while not (value := page.evaluate(condition)):
        assert time.monotonic() < ends, f"never came true: {condition}"
        time.sleep(0.05)
    return value


def visit(page: Page, url: str) -> None:
    """Open the page and wait until it takes files and clicks."""
    page.goto(url)
    becomes(page, "globalThis.livemood")


LABELS = "globalThis.livemood?.shown?.moods.map((mood) => mood.emotion.label)"
"""What is on the screen now, largest face first."""

"""A headless Chromium for tests of the page, with a camera that is fed by a clip or with none.

On Debian: ``apt-get install chromium``; from PyPI: ``playwright``, which drives it.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

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

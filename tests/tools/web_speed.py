"""Time the browser page with a fake 640x480 camera: ``python -m tests.tools.web_speed [SECONDS]``.

The camera shows one face of the sample clip. Prints the time to the first label, then pictures per second captured,
processed and drawn, and the median time from a picture's capture to its result.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

from livemood.apps.web import PageServer
from livemood.sources.video.file import VideoSource
from tests.integration.web.browser import becomes, chromium, fake_camera
from tests.integration.web.clips import write_y4m
from tests.support.builders import SAMPLES

_FIGURES = "({came: meter.cameFps, read: meter.readFps, drawn: meter.drawnFps, delay: meter.delayMs})"


def main(words: list[str]) -> None:
    seconds = float(words[0]) if words else 10.0
    with VideoSource(SAMPLES / "faces.mp4") as source:
        # The left half has one face all the time.
        images = [frame.image[:, :740] for frame in source.frames()]
    with tempfile.TemporaryDirectory() as folder:
        clip = write_y4m(Path(folder) / "one.y4m", images)
        with PageServer.open() as server, chromium(*fake_camera(clip)) as browser:
            threading.Thread(target=server.serve, daemon=True).start()
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{server.url}?start=1")
            first = becomes(page, "globalThis.livemood?.meter.firstLabelMs")
            print(f"first label {first / 1000:.2f} s after the page was asked for")
            for _ in range(3):
                time.sleep(seconds / 3)
                found = page.evaluate(f"(({{ meter }}) => {_FIGURES})(livemood)")
                print(
                    f"{found['came']:.1f} pictures a second, {found['read']:.1f} read, {found['drawn']:.1f} drawn, "
                    f"answered after {found['delay']:.1f} ms (median)"
                )
            server.close()


if __name__ == "__main__":
    main(sys.argv[1:])

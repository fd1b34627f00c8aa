"""A program for the window tests: a live run on a simulated camera, with a real window and without models.

``python -m tests.support.live_driver FOLDER`` runs in that folder and prints its results as JSON at the end.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from livemood.apps.live import Live
from livemood.apps.recorder import Recorder
from livemood.apps.session import Session
from livemood.core.keys import View
from livemood.core.video_info import VideoInfo
from livemood.sinks.records import open_records
from livemood.sinks.video.writer import VideoSink
from livemood.sinks.window import Window
from livemood.sources.live import Feed, LiveSource, Picture
from livemood.testing import ScriptedDetector, TableClassifier
from tests.support.builders import make_detection

WIDTH, HEIGHT = 640, 480
FACE = (230, 240, 120)
"""Centre and side of the only face, px; its skin is a chequerboard."""
BLUE_EDGE = 20
"""Width, px, of the blue stripe on the camera's left."""
CLOCK_ROWS = slice(100, 120)
"""Rows in which a grey level changes with every frame."""


class PaintedCamera(Feed):
    """Thirty pictures a second of one face."""

    def __init__(self):
        x, y, side = FACE
        self._image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
        rows, columns = np.mgrid[:side, :side]
        chequers = ((rows // 3 + columns // 3) % 2 * 200).astype(np.uint8)
        self._image[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = chequers[..., None]
        self._image[:, :BLUE_EDGE] = (255, 0, 0)
        self._count = 0

    def read(self):
        self._count += 1
        image = self._image.copy()
        image[CLOCK_ROWS, 300:340] = self._count * 37 % 256
        return Picture(image, self._count / 30)

    def close(self):
        pass


def main():
    os.chdir(sys.argv[1])
    source = LiveSource("painted", PaintedCamera)
    info = VideoInfo(source.width, source.height)
    classifier = TableClassifier(default={"happy": 0.8, "neutral": 0.2})
    with (
        Session(detector=ScriptedDetector([[make_detection(*FACE)]]), classifier=classifier) as session,
        Window(f"livemood: {Path.cwd().name}", source.width, source.height) as window,
        open_records("moods.jsonl", session.labels, live=True) as records,
        Recorder(session.draw, lambda path: VideoSink(path, info), [records]) as recorder,
    ):
        live = Live(session, source, recorder, window, view=View(), engine="table")
        tally = live.run()
    time.sleep(0.1)
    names = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("livemood"))
    files = [str(file) for file in recorder.files]
    print(json.dumps({"frames": tally.summary().frames, "files": files, "threads": names}))


if __name__ == "__main__":
    main()

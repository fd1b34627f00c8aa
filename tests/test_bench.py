import numpy as np
import pytest

from livemood.app import MoodReader
from livemood.bench import measure_live
from livemood.testing import ScriptedDetector, ScriptedScreen, TableClassifier
from tests.builders import make_detection, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    images = [np.full((360, 640, 3), 90 + i, np.uint8) for i in range(10)]
    return write_clip(tmp_path_factory.mktemp("bench") / "clip.mp4", images)


def test_measure_live_when_the_screen_shows_everything_then_figures_fit_together(clip):
    detector = ScriptedDetector([[make_detection(200, 200), make_detection(450, 200)]])
    screen = ScriptedScreen()
    with MoodReader(detector=detector, classifier=TableClassifier()) as reader:
        figures = measure_live(reader, screen, clip, fps=20, seconds=3.0)
    assert figures.faces == 2.0
    assert 0 < figures.frames <= len(screen.images)
    assert figures.frames + figures.dropped <= 21
    assert 0 < figures.latency_p50_ms <= figures.latency_p95_ms
    assert figures.shown_fps <= figures.captured_fps + 1

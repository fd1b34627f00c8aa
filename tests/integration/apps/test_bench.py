import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livemood.apps.session import Session
from livemood.bench.live import measure_live
from livemood.bench.offline import STAGES, measure_video, time_to_first_frame
from livemood.bundles.manifest import default_bundle
from livemood.core.errors import SinkError, VideoUnreadable
from livemood.core.settings import ReaderSettings
from livemood.testing import ScriptedDetector, ScriptedScreen, TableClassifier
from tests.support.builders import make_detection, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    images = [np.full((360, 640, 3), 90 + i, np.uint8) for i in range(10)]
    return write_clip(tmp_path_factory.mktemp("bench") / "clip.mp4", images)


def test_measure_live_when_the_screen_shows_everything_then_figures_fit_together(clip):
    detector = ScriptedDetector([[make_detection(200, 200), make_detection(450, 200)]])
    screen = ScriptedScreen()
    with Session(detector=detector, classifier=TableClassifier()) as reader:
        figures = measure_live(reader, screen, clip, fps=20, duration_s=3.0)
    assert figures.faces == 2.0
    assert 0 < figures.frames <= len(screen.images)
    assert figures.frames + figures.dropped < 0.75 * 3 * 20  # the first two of three seconds do not count
    assert 0 < figures.latency_p50_ms <= figures.latency_p95_ms
    assert figures.shown_fps <= figures.captured_fps + 1


def test_measure_live_when_the_window_is_left_within_two_seconds_then_says_that_too_little_was_shown(clip):
    with (
        Session(detector=ScriptedDetector(), classifier=TableClassifier()) as reader,
        pytest.raises(SinkError, match=r"only 0 pictures were shown after the first 2 s, .* leave the window open"),
    ):
        measure_live(reader, ScriptedScreen({3: "q"}), clip, fps=20, duration_s=3.0)


def test_measure_live_when_keys_of_the_live_window_are_pressed_then_nothing_is_kept_or_changed(
    clip, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    screen = ScriptedScreen(dict(enumerate(("r", "s", "e", "f", "space"), 2)))
    with Session(detector=ScriptedDetector(), classifier=TableClassifier()) as reader:
        assert measure_live(reader, screen, clip, fps=20, duration_s=3.0).frames > 0
    assert screen.full_screen == 0
    assert list(tmp_path.iterdir()) == []


def test_measure_video_then_every_stage_and_every_frame_is_counted(clip):
    detector = ScriptedDetector([[make_detection(200, 200), make_detection(450, 200)]] * 5 + [[]])
    classifier = TableClassifier()
    figures = measure_video(Session(detector=detector, classifier=classifier), clip)
    assert (figures.width, figures.height, figures.frames) == (640, 360, 10)
    assert figures.faces == 1.0
    assert tuple(figures.stages) == STAGES
    assert all(0 <= stage.p50_ms <= stage.p95_ms for stage in figures.stages.values())
    assert all(figures.stages[name].mean_ms > 0 for name in ("decode", "crop", "draw", "encode"))
    alone = figures.decode_encode_fps, figures.decode_detect_fps, figures.detect_classify_fps
    assert figures.slowdown == pytest.approx(min(alone) / figures.fps, rel=0.02)
    searched = min(figures.decode_encode_fps, figures.search_classify_fps)
    assert figures.search_slowdown == pytest.approx(searched / figures.fps, rel=0.02)
    assert figures.first_frame_s > 0
    assert figures.cpu_ms * figures.frames / 1e3 > 0.1 * figures.frames / figures.fps
    assert figures.peak_rss_mb is None or figures.peak_rss_mb > 10
    # From file to file and stage by stage; looked at twice more for the floors, where nobody classifies.
    assert [detector.frames.count(i) for i in (6, 9)] == [4, 4]
    assert len(classifier.calls) == 6 + 2 * 10


def test_measure_video_when_the_clip_is_missing_then_says_so(tmp_path):
    with pytest.raises(VideoUnreadable, match=r"none\.mp4"):
        measure_video(Session(detector=ScriptedDetector(), classifier=TableClassifier()), tmp_path / "none.mp4")


def test_time_to_first_frame_when_models_are_chosen_then_the_new_process_opens_those(clip, tmp_path, capfd):
    half = shutil.copytree(default_bundle(), tmp_path / "half")
    (half / "model.keras").unlink()
    chosen = {
        "no model bundle at nowhere": ReaderSettings(model=Path("nowhere")),
        "model.keras": ReaderSettings(model=half, engine="keras"),
    }
    for complaint, how in chosen.items():
        time_to_first_frame(clip, how)
        assert complaint in capfd.readouterr().err


def test_bench_command_of_a_clip_then_json_with_the_figures_and_nothing_left_behind(clip, tmp_path):
    livemood = Path(sys.executable).with_name("livemood")
    done = subprocess.run([livemood, "bench", clip, "--json"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    assert figures["frames"] == 10
    assert list(figures["stages"]) == list(STAGES)
    assert list(tmp_path.iterdir()) == []

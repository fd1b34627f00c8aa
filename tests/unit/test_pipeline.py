import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from livemood.core.geometry import Box
from livemood.core.stage_settings import RoiSettings, Settings, SmootherSettings, TrackerSettings
from livemood.core.types import Detection, Frame
from livemood.pipeline import Pipeline
from livemood.runtime.queues import WriteBehind, read_ahead
from livemood.testing import ScriptedDetector, TableClassifier
from tests.support.builders import make_detection, make_frame

A, B = make_detection(150, 200), make_detection(450, 200, 80)


class SupportsRoi(ScriptedDetector):
    supports_roi = True

    def __init__(self, script):
        super().__init__(script)
        self.windows = 0

    def search(
        self, frame: Frame, known: Sequence[Box], fine: bool, turns: int = 0
    ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
        found = self.detect(frame)
        return () if known else found, (True,) * len(known)

    def detect_in_roi(self, frame: Frame, window: Box, turns: int = 0) -> tuple[Detection, ...]:
        self.windows += 1
        return (A,)


def clip(count: int, fps: float = 30) -> list[Frame]:
    return [make_frame(index=i, time_s=i / fps) for i in range(count)]


def people() -> TableClassifier:
    return TableClassifier({1: {"happy": 0.9, "neutral": 0.1}, 2: {"sad": 0.8, "neutral": 0.2}})


def test_step_with_two_people_then_each_has_their_own_mood():
    moods = Pipeline(ScriptedDetector([[A, B]]), people()).step(make_frame())
    assert [(m.track.id, m.label, m.box) for m in moods] == [(1, "happy", A.box), (2, "sad", B.box)]


def test_step_when_detections_swap_places_in_the_list_then_labels_stay_with_their_faces():
    pipeline = Pipeline(ScriptedDetector([[A, B], [B, A]]), people())
    pipeline.step(make_frame())
    moods = pipeline.step(make_frame(index=1, time_s=0.03))
    assert [(m.label, m.box) for m in moods] == [("sad", B.box), ("happy", A.box)]


def test_step_when_a_face_is_classified_every_three_seconds_only_then_its_resting_face_is_learnt():
    pipeline = Pipeline(ScriptedDetector([[A]]), people(), baseline="key")
    pipeline.baseline.begin(1.0)
    for frame in clip(30, fps=5):
        pipeline.step(frame, classify=frame.index % 15 == 0)
    assert pipeline.baseline.calibrated == {1}


def test_step_when_someone_comes_back_within_the_time_of_forgetting_then_the_calibration_is_kept():
    settings = Settings(tracker=TrackerSettings(max_missed_s=9.0), smoother=SmootherSettings(forget_s=9.0))
    pipeline = Pipeline(ScriptedDetector([[A]] * 10 + [[]] * 35 + [[A]]), people(), settings)
    pipeline.baseline.begin(1.0)
    for frame in clip(50, fps=5):
        moods = pipeline.step(frame)
    assert [mood.track.id for mood in moods] == [1]
    assert pipeline.baseline.calibrated == {1}


def test_step_of_a_model_with_two_heads_then_moods_have_the_smoothed_output_of_both():
    class TwoHeads(TableClassifier):
        heads: ClassVar = {"emotion": ("neutral", "happy"), "smile": ("none", "open")}

        def classify(self, crops):
            open_p = np.array([0.0, 1.0] if not self.calls else [1.0, 0.0], np.float32)
            return tuple(replace(found, others={"smile": open_p}) for found in super().classify(crops))

    pipeline = Pipeline(ScriptedDetector([[A]]), TwoHeads(labels=("neutral", "happy")))
    first, second = ([*pipeline.step(frame)] for frame in clip(2))
    assert first[0].others["smile"].label == "open"
    assert 0 < second[0].others["smile"].scores["none"] < 1


def test_step_without_faces_then_no_moods():
    assert Pipeline(ScriptedDetector(), people()).step(make_frame()) == ()


def test_step_from_a_fresh_pipeline_then_the_same_frames_give_the_same_moods():
    runs = []
    for _ in range(2):
        pipeline = Pipeline(ScriptedDetector([[A], [A, B], [], [B]]), people())
        moods = [pipeline.step(frame) for frame in clip(8)]
        runs.append([[(m.track.id, m.label, dict(m.scores)) for m in found] for found in moods])
    assert runs[0] == runs[1]


def test_find_some_frames_ahead_of_read_then_the_same_moods_as_step_by_step():
    script = [[A], [A, B], [], [B]]
    stepped = Pipeline(ScriptedDetector(script), people())
    halved = Pipeline(ScriptedDetector(script), people())
    frames = clip(8)
    found = [halved.track_faces(frame) for frame in frames]
    moods = [halved.classify_tracks(frame, tracks) for frame, tracks in zip(frames, found, strict=True)]
    assert [[(m.track.id, m.box, m.label) for m in of_one] for of_one in moods] == [
        [(m.track.id, m.box, m.label) for m in stepped.step(frame)] for frame in frames
    ]


def test_step_with_a_detector_that_can_look_at_windows_then_known_faces_are_followed():
    pipeline = Pipeline(detector := SupportsRoi([[A]]), people())
    moods = [pipeline.step(frame) for frame in clip(7)]
    assert [len(found) for found in moods] == [1] * 7
    assert detector.frames == [0, 6]
    assert detector.windows == 6


def test_step_when_looking_is_wanted_at_every_frame_then_nothing_is_followed():
    settings = Settings(roi=RoiSettings(full_frame_every_s=0))
    pipeline = Pipeline(detector := SupportsRoi([[A]]), people(), settings)
    for frame in clip(6):
        pipeline.step(frame)
    assert (detector.frames, detector.windows) == (list(range(6)), 0)


def test_step_when_another_pipeline_used_the_detector_then_its_faces_are_not_followed():
    detector = SupportsRoi([[A]])
    Pipeline(detector, people()).step(make_frame())
    Pipeline(detector, people()).step(make_frame(index=1, time_s=0.03))
    assert (detector.frames, detector.windows) == ([0, 1], 0)


def test_read_ahead_of_items_then_all_in_order():
    with read_ahead(range(100)) as items:
        assert list(items) == list(range(100))


def test_read_ahead_when_the_source_fails_then_its_error_comes_after_what_was_read():
    def failing() -> Iterator[int]:
        yield from range(3)
        raise OSError("cut off")

    got: list[int] = []

    def consume() -> None:
        with read_ahead(failing()) as items:
            for item in items:
                got.append(item)

    with pytest.raises(OSError, match="cut off"):
        consume()
    assert got == [0, 1, 2]


def test_read_ahead_when_left_early_then_the_thread_is_gone():
    before = threading.active_count()
    with read_ahead(iter(int, 1)) as items:
        assert next(items) == 0
    assert threading.active_count() == before


def test_read_ahead_when_the_consumer_is_slow_then_reads_only_a_few_ahead():
    read = []
    with read_ahead(read.append(i) or i for i in range(1000)) as items:  # type: ignore[func-returns-value]
        next(items)
        time.sleep(0.2)
        assert len(read) < 20


def test_write_behind_then_everything_is_written_in_order_by_the_end():
    written: list[int] = []
    with WriteBehind(written.append) as writer:
        for i in range(100):
            writer.put(i)
    assert written == list(range(100))


def test_write_behind_when_writing_fails_then_the_error_is_raised_and_nothing_hangs():
    def full(item: int) -> None:
        raise OSError("disk full")

    def fill() -> None:
        with WriteBehind(full) as writer:
            for i in range(1000):
                writer.put(i)

    with pytest.raises(OSError, match="disk full"):
        fill()


def test_write_behind_when_writing_fails_then_a_later_put_raises_so_that_a_run_without_end_ends():
    failed = threading.Event()

    def full(item: int) -> None:
        failed.set()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(full) as writer:
        writer.put(0)
        assert failed.wait(10)
        for item in range(1000):
            writer.put(item)
            time.sleep(0.001)
        pytest.fail("nothing was raised")


def test_write_behind_when_the_block_fails_too_then_its_own_error_comes():
    def full(item: int) -> None:
        raise OSError("disk full")

    with pytest.raises(ValueError, match="of the block"), WriteBehind(full) as writer:
        writer.put(0)
        raise ValueError("of the block")


def test_write_behind_when_the_last_write_fails_then_raised_at_the_end():
    def on_two(item: int) -> None:
        if item == 2:
            raise OSError("disk full")

    def fill() -> None:
        with WriteBehind(on_two) as writer:
            for i in range(3):
                writer.put(i)

    with pytest.raises(OSError, match="disk full"):
        fill()

"""The fakes of livemood.testing refuse scripts that the real objects could not follow."""

import pytest

from livemood.testing import ScriptedDetector, ScriptedScreen, ScriptedSource, TableClassifier
from tests.support.builders import make_detection, make_frame


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"hapy": 1.0}, "unknown label 'hapy'; this classifier has happy, sad"),
        ({}, r"scores are 2 numbers, 0 or more and not all 0, got \[0.0, 0.0\]"),
        ((1.0,), "scores are 2 numbers"),
        ((-1.0, 2.0), "scores are 2 numbers"),
        ((float("nan"), 1.0), "scores are 2 numbers"),
    ],
)
def test_table_when_scores_make_no_sense_then_refused_when_it_is_made(scores, said):
    with pytest.raises(ValueError, match=said):
        TableClassifier(default=scores, labels=("happy", "sad"))
    with pytest.raises(ValueError, match=said):
        TableClassifier({1: scores}, labels=("happy", "sad"))


def test_detector_when_its_script_is_empty_then_finds_nobody():
    assert ScriptedDetector([]).detect(make_frame()) == ()


def test_source_when_it_has_no_frame_then_refused():
    with pytest.raises(ValueError, match="a scripted source needs a frame at least"):
        ScriptedSource([])


def test_detector_when_its_script_is_a_function_then_each_frame_is_given_to_it():
    detector = ScriptedDetector(lambda frame: [make_detection(x=frame.index)] * frame.index)
    assert [len(detector.detect(make_frame(index=index))) for index in (0, 2, 1)] == [0, 2, 1]
    assert detector.frames == [0, 2, 1]


def test_source_then_its_info_is_that_of_its_frames():
    with ScriptedSource([make_frame(64, 48), make_frame(64, 48, 1)]) as source:
        assert (source.info.width, source.info.height, source.info.frame_count) == (64, 48, 2)
        assert not source.closed
    assert source.closed


def test_screen_then_each_key_is_pressed_once_after_its_number_of_pictures():
    screen = ScriptedScreen({2: "q", 1: "e"})
    pressed = [screen.key()]
    for _ in range(3):
        screen.show(make_frame(8, 8).image)
        pressed.append(screen.key())
    assert pressed == [None, "e", "q", None]

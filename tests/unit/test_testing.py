"""The fakes of livemood.testing refuse scripts that the real objects could not follow."""

import pytest

from livemood.testing import ScriptedDetector, ScriptedSource, TableClassifier
from tests.support.builders import make_frame


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

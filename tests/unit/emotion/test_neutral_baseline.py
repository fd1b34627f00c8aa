import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemood.core.labels import EMOTIONS
from livemood.core.stage_settings import NeutralBaselineSettings
from livemood.core.types import Prediction, Track
from livemood.emotion.neutral_baseline import NeutralBaseline
from livemood.pipeline import Pipeline
from livemood.testing import ScriptedDetector, TableClassifier
from tests.support.builders import make_detection, make_frame

LIMIT = NeutralBaselineSettings().limit
NEUTRAL = EMOTIONS.index("neutral")
SULLEN = {"sad": 0.6, "neutral": 0.35, "angry": 0.05}


def predict(scores, track=1):
    values = np.array([scores.get(name, 0.0) for name in EMOTIONS] if isinstance(scores, dict) else scores, np.float32)
    return Prediction(values / values.sum(), Track(track, make_detection(), 0.0))


def calibrated(scores, track=1, duration_s=3.0):
    """Return a baseline that has seen this resting face for its time, until 10 s."""
    baseline = NeutralBaseline(EMOTIONS)
    baseline.begin(duration_s)
    for i in range(int(duration_s * 10) + 1):
        baseline.adjust([predict(scores, track)], 10.0 - duration_s + i / 10)
    return baseline


def leading(baseline, scores, track=1):
    (adjusted,) = baseline.adjust([predict(scores, track)], 10.0)
    return EMOTIONS[int(adjusted.probabilities.argmax())]


def test_adjust_when_never_asked_for_then_predictions_stay_as_they_are():
    prediction = predict(SULLEN)
    assert NeutralBaseline(EMOTIONS).adjust([prediction], 0.0) == (prediction,)


def test_adjust_while_looking_then_predictions_stay_and_the_time_left_is_told():
    baseline = NeutralBaseline(EMOTIONS)
    baseline.begin()
    assert baseline.remaining_s == 3.0
    prediction = predict(SULLEN)
    assert baseline.adjust([prediction], 5.0) == (prediction,)
    baseline.adjust([prediction], 6.0)
    assert baseline.remaining_s == pytest.approx(2.0)
    assert baseline.calibrated == frozenset()


def test_adjust_after_looking_then_the_resting_face_reads_neutral():
    baseline = calibrated(SULLEN)
    assert baseline.remaining_s == 0
    assert baseline.calibrated == {1}
    assert leading(baseline, SULLEN) == "neutral"


def test_adjust_of_someone_else_then_nothing_changes():
    assert leading(calibrated(SULLEN, track=1), SULLEN, track=2) == "sad"


def test_adjust_when_the_resting_face_reads_neutral_already_then_nothing_changes():
    baseline = calibrated({"neutral": 0.8, "sad": 0.1, "happy": 0.1})
    prediction = predict({"neutral": 0.5, "happy": 0.5})
    (adjusted,) = baseline.adjust([prediction], 10.0)
    assert np.allclose(adjusted.probabilities, prediction.probabilities, atol=1e-4)


def test_stop_then_all_is_as_before():
    baseline = calibrated(SULLEN)
    baseline.stop()
    assert leading(baseline, SULLEN) == "sad"


def test_adjust_when_someone_is_gone_for_longer_than_tracks_last_then_the_calibration_is_forgotten():
    baseline = calibrated(SULLEN)
    baseline.adjust([], 12.0)
    assert baseline.calibrated == {1}
    baseline.adjust([predict(SULLEN, track=2)], 12.1)
    assert baseline.calibrated == frozenset()


def test_adjust_when_someone_is_seen_but_not_classified_for_long_then_the_calibration_stays():
    baseline = calibrated(SULLEN)
    for time_s in range(11, 20):
        baseline.adjust([], time_s, [predict(SULLEN).track])
    assert baseline.calibrated == {1}


def test_adjust_when_someone_leaves_for_good_while_looking_then_only_the_others_are_calibrated():
    baseline = NeutralBaseline(EMOTIONS)
    baseline.begin()
    baseline.adjust([predict(SULLEN, track=1), predict(SULLEN, track=2)], 0.0)
    for time_s in (1.0, 2.0, 3.0):
        baseline.adjust([predict(SULLEN, track=2)], time_s)
    assert baseline.calibrated == {2}


def test_begin_again_while_looking_then_what_was_seen_before_does_not_count():
    baseline = NeutralBaseline(EMOTIONS)
    baseline.begin(9.0)
    for i in range(60):
        baseline.adjust([predict(SULLEN)], 3.0 + i / 10)
    baseline.begin(0.5)
    for i in range(6):
        baseline.adjust([predict({"neutral": 0.8, "sad": 0.1, "happy": 0.1})], 9.0 + i / 10)
    assert baseline.calibrated == {1}
    assert leading(baseline, SULLEN) == "sad"


def test_begin_again_then_earlier_calibrations_are_forgotten():
    baseline = calibrated(SULLEN)
    baseline.begin()
    assert leading(baseline, SULLEN) == "sad"


def test_calibrator_when_the_model_has_no_neutral_then_it_is_not_possible_and_changes_nothing():
    baseline = NeutralBaseline(("happy", "sad"))
    baseline.begin(1.0)
    prediction = Prediction(np.array([0.3, 0.7], np.float32), Track(1, make_detection(), 0.0))
    assert baseline.obstacle == "neutral is not among the emotions"
    assert baseline.adjust([prediction], 0.0) == baseline.adjust([prediction], 2.0) == (prediction,)


simplex = st.lists(st.floats(1e-4, 1.0), min_size=len(EMOTIONS), max_size=len(EMOTIONS))


@settings(max_examples=60)
@given(rest=simplex, others=simplex, place=st.integers(0, len(EMOTIONS) - 1))
def test_adjust_whatever_was_calibrated_then_a_clear_expression_of_any_emotion_still_leads(rest, others, place):
    baseline = calibrated(rest, duration_s=0.5)
    scores = np.array(others)
    scores[place] = 0.0
    scores[place] = scores.max() * np.exp(LIMIT) * 1.01
    assert leading(baseline, scores) == EMOTIONS[place]


@settings(max_examples=60)
@given(rest=simplex, face=simplex)
def test_adjust_then_neutral_and_emotions_that_were_not_at_rest_never_lose(rest, face):
    baseline = calibrated(rest, duration_s=0.5)
    before = predict(face).probabilities
    (after,) = baseline.adjust([predict(face)], 10.0)
    assert after.probabilities.sum() == pytest.approx(1.0, abs=1e-4)
    assert after.probabilities[NEUTRAL] >= before[NEUTRAL] - 1e-6


def test_pipeline_when_calibrated_then_moods_follow():
    pipeline = Pipeline(ScriptedDetector([[make_detection()]]), TableClassifier(default=SULLEN))
    assert pipeline.step(make_frame())[0].label == "sad"
    pipeline.baseline.begin(1.0)
    for i in range(1, 60):
        (mood,) = pipeline.step(make_frame(index=i, time_s=i / 20))
    assert mood.label == "neutral"

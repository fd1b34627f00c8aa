import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemood.core.labels import EMOTIONS, UNSURE
from livemood.core.stage_settings import SmootherSettings
from livemood.core.types import Mood, Prediction, Track
from livemood.emotion.smoother import Smoother
from tests.support.builders import make_detection


def prediction(probabilities: list[float], track: int = 1) -> Prediction:
    return Prediction(np.array(probabilities, np.float32), Track(track, make_detection(), 0.0))


def leaning(emotion: str, p: float = 0.9) -> list[float]:
    rest = (1 - p) / (len(EMOTIONS) - 1)
    return [p if name == emotion else rest for name in EMOTIONS]


def run(smoother: Smoother, steps: list[list[float]], fps: float = 30, start_s: float = 0.0) -> list[Mood]:
    return [smoother.update([prediction(p)], start_s + i / fps)[0] for i, p in enumerate(steps)]


def test_label_of_a_first_frame_then_named_at_once():
    assert run(Smoother(EMOTIONS), [leaning("happy")])[0].label == "happy"


def test_label_of_an_unclear_face_then_unsure():
    mood = run(Smoother(EMOTIONS), [leaning("happy", 0.3)])[0]
    assert mood.label == UNSURE
    assert mood.confidence == pytest.approx(0.3)


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_label_when_the_expression_changes_then_follows_within_four_tenths_of_a_second(fps):
    smoother = Smoother(EMOTIONS)
    run(smoother, [leaning("neutral")] * fps, fps)
    after = run(smoother, [leaning("happy")] * fps, fps, start_s=1.0)
    lag = next(i for i, mood in enumerate(after) if mood.label == "happy") / fps
    assert 0 < lag <= 0.4


def test_confidence_while_a_label_is_held_then_is_the_labels_own():
    moods = run(Smoother(EMOTIONS), [leaning("neutral")] * 30 + [leaning("happy")] * 30)
    assert any(mood.label == "neutral" and mood.scores["happy"] > mood.scores["neutral"] for mood in moods)
    assert all(mood.confidence == mood.scores[mood.label] for mood in moods)


def test_label_when_single_frames_stray_then_stays():
    steps = [leaning("angry") if i % 7 == 0 else leaning("neutral") for i in range(1, 90)]
    assert {mood.label for mood in run(Smoother(EMOTIONS), steps)} == {"neutral"}


def test_label_when_two_emotions_take_turns_then_does_not_flicker():
    steps = [leaning("sad", 0.55) if i % 2 else leaning("neutral", 0.55) for i in range(150)]
    labels = [mood.label for mood in run(Smoother(EMOTIONS), steps)]
    assert sum(a != b for a, b in pairwise(labels)) <= 1


def test_label_when_confidence_hovers_at_the_threshold_then_does_not_flicker():
    rng = np.random.default_rng(0)
    steps = [leaning("happy", SmootherSettings().unsure_below + rng.uniform(-0.06, 0.06)) for _ in range(300)]
    labels = [mood.label for mood in run(Smoother(EMOTIONS), steps)]
    assert sum(a != b for a, b in pairwise(labels)) <= 1


def test_scores_when_smoothed_then_raw_ones_are_kept_beside_them():
    moods = run(Smoother(EMOTIONS), [leaning("neutral"), leaning("happy")])
    assert moods[1].raw_scores["happy"] == pytest.approx(0.9)
    assert moods[1].scores["happy"] < 0.5


def test_scores_at_two_frame_rates_then_the_same_after_the_same_time():
    ends = []
    for fps in (10, 100):
        smoother = Smoother(EMOTIONS)
        run(smoother, [leaning("neutral")], fps)
        ends.append(run(smoother, [leaning("happy")] * (fps // 2), fps, start_s=1 / fps)[-1].scores["happy"])
    assert ends[0] == pytest.approx(ends[1], abs=1e-6)


def test_people_when_two_then_one_does_not_colour_the_other():
    smoother = Smoother(EMOTIONS)
    for i in range(30):
        moods = smoother.update([prediction(leaning("happy"), 1), prediction(leaning("sad"), 2)], i / 30)
    assert [mood.label for mood in moods] == ["happy", "sad"]
    assert moods[0].scores["sad"] == pytest.approx(0.1 / 7, abs=1e-6)


def test_memory_when_people_come_and_go_then_stays_small():
    smoother = Smoother(EMOTIONS, SmootherSettings(forget_s=1.0))
    sizes = []
    for i in range(500):
        smoother.update([prediction(leaning("happy"), i)], float(i))
        sizes.append(len(pickle.dumps(smoother)))
    assert sizes[-1] < 1.1 * sizes[9]


def test_update_when_given_another_number_of_classes_then_says_so():
    with pytest.raises(ValueError, match="expected 8 probabilities, got 2"):
        Smoother(EMOTIONS).update([prediction([0.5, 0.5])], 0.0)


vectors = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda v: [x / sum(v) for x in v])


@given(st.lists(st.tuples(vectors, st.floats(0, 2)), min_size=1, max_size=30))
def test_scores_of_any_sequence_then_stay_within_what_was_seen(steps):
    smoother, now, seen = Smoother(("a", "b", "c")), 0.0, []
    for probabilities, wait in steps:
        now += wait
        seen.append(np.array(probabilities, np.float32))
        scores = np.array(list(smoother.update([prediction(probabilities)], now)[0].scores.values()))
        assert (scores <= np.max(seen, 0) + 1e-6).all()
        assert (scores >= np.min(seen, 0) - 1e-6).all()
        assert scores.sum() == pytest.approx(1, abs=1e-5)

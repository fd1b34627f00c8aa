from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from livemood.core.labels import EMOTIONS
from livemood.core.stage_settings import NeutralBaselineSettings
from livemood.core.types import Prediction, Track
from livemood.emotion.neutral_baseline import NeutralBaseline
from livemood.emotion.resting_face import RestingFace, nose_place
from livemood.pipeline import Pipeline
from livemood.testing import ScriptedDetector, TableClassifier
from tests.support.builders import make_detection, make_frame

FPS = 10
RESTING = NeutralBaselineSettings().resting
POINTS = make_detection().keypoints
NEUTRAL, HAPPY, SAD, ANGRY = (EMOTIONS.index(name) for name in ("neutral", "happy", "sad", "angry"))


def face(happy: float = -7.0, **logits: float) -> np.ndarray:
    """Return probabilities whose logits lie so far above neutral's; -8 where nothing is said."""
    values = np.array([{"neutral": 0.0, "happy": happy, **logits}.get(name, -8.0) for name in EMOTIONS])
    return (np.exp(values) / np.exp(values).sum()).astype(np.float32)


REST = face()
SLIGHT = face(happy=-2.0)


HEADS = {"smile": ("none", "closed", "open")}


class Watched:
    """Someone who is watched from 0 s on."""

    def __init__(self):
        self.resting = RestingFace(EMOTIONS, NeutralBaselineSettings())
        self.frames = 0

    def show(self, probabilities, length_s, points=POINTS, smile=None):
        """Return what leads at the end of so many seconds; ``smile`` is what the head of that name says."""
        for _ in range(round(length_s * FPS)):
            found = self.resting.read(probabilities, points, self.frames / FPS, smile)
            self.frames += 1
        return EMOTIONS[int(found.argmax())]


def nodding(shift: float) -> np.ndarray:
    """Return keypoints whose nose is lower, in distances between the eyes."""
    moved = POINTS.copy()
    moved[2, 1] += shift * float(np.hypot(*(POINTS[1] - POINTS[0])))
    return moved


def test_read_when_someone_rested_for_four_seconds_then_a_slight_smile_is_happy_and_rest_is_neutral():
    someone = Watched()
    assert someone.show(SLIGHT, 0.1) == "neutral"
    assert someone.show(REST, 4.2) == "neutral"
    assert someone.show(SLIGHT, 3) == "happy"
    assert someone.show(REST, 5) == "neutral"


def test_read_when_someone_rested_too_shortly_then_nothing_is_raised():
    someone = Watched()
    someone.show(REST, 3)
    assert someone.show(SLIGHT, 0.1) == "neutral"


def test_read_at_rest_then_no_score_moves():
    someone = Watched()
    someone.show(REST, 5)
    assert someone.resting.read(REST, POINTS, 6.0) == pytest.approx(REST, abs=0.03)


def test_read_when_a_clip_begins_with_a_long_smile_then_it_stays_happy():
    someone = Watched()
    for happy in (0.3, 3.0):
        assert someone.show(face(happy=happy), 30) == "happy"
    assert someone.show(REST, 1) == "neutral"


def test_read_when_another_emotion_leads_then_raising_the_smile_changes_nothing_of_it():
    someone = Watched()
    someone.show(REST, 10)
    angry = face(happy=-2.0, angry=1.0)
    found = someone.resting.read(angry, POINTS, 20.0)
    assert found[ANGRY] == pytest.approx(angry[ANGRY], abs=1e-5)
    assert EMOTIONS[int(found.argmax())] == "angry"


def test_read_when_rest_varies_a_lot_then_the_smile_needs_to_be_larger():
    calm, lively = Watched(), Watched()
    for i in range(40):
        calm.show(face(happy=-7.0), 0.2)
        lively.show(face(happy=-7.0 + i % 5), 0.2)
    assert calm.show(SLIGHT, 0.1) == "happy"
    assert lively.show(SLIGHT, 0.1) == "neutral"


def test_read_when_the_head_turns_away_from_rest_then_nothing_is_raised():
    someone = Watched()
    someone.show(REST, 5)
    assert someone.show(SLIGHT, 0.1, nodding(RESTING.same_pose / 2)) == "happy"
    assert someone.show(SLIGHT, 0.1, nodding(RESTING.other_pose * 1.2)) == "neutral"


def test_read_when_the_head_turns_a_little_then_less_is_raised():
    someone = Watched()
    someone.show(REST, 5)
    between = nodding((RESTING.same_pose + RESTING.other_pose) / 2)
    assert someone.show(face(happy=-4.0), 0.1) == "happy"
    assert someone.show(face(happy=-4.0), 0.1, between) == "neutral"


def test_read_when_someone_smiled_for_a_minute_then_that_is_not_learnt():
    someone = Watched()
    someone.show(face(happy=3.0), 60)
    someone.show(REST, 4)
    assert someone.show(SLIGHT, 0.1) == "happy"


def test_read_when_a_resting_face_nearly_smiles_then_happy_never_loses():
    someone = Watched()
    nearly = face(happy=-RESTING.min_rise - 0.1)
    someone.show(nearly, 5)
    assert someone.resting.read(nearly, POINTS, 6.0)[HAPPY] >= nearly[HAPPY] - 1e-6


def test_read_when_the_first_seconds_were_calmer_than_ever_then_it_is_not_called_smiling_for_good():
    someone = Watched()
    someone.show(REST, 4)
    assert someone.show(SLIGHT, 3) == "happy"
    assert someone.show(SLIGHT, 60) == "neutral"


def test_read_when_a_resting_face_reads_a_little_sad_then_it_becomes_neutral_slowly():
    sullen = face(sad=0.4)
    someone = Watched()
    assert someone.show(sullen, 25) == "sad"
    assert someone.show(sullen, 15) == "neutral"


def test_read_when_a_resting_face_reads_almost_happy_then_happy_is_not_lowered_however_long_it_is_shown():
    someone = Watched()
    assert someone.show(face(happy=-0.1), 60) == "neutral"
    assert someone.show(face(happy=0.05), 0.1) == "happy"


def test_read_when_the_resting_face_changes_then_the_newest_samples_count():
    few = replace(RESTING, max_samples=30, lower_from=20)
    someone = Watched()
    someone.resting = RestingFace(EMOTIONS, NeutralBaselineSettings(resting=few))
    assert someone.show(REST, 40) == "neutral"
    assert someone.show(face(sad=0.4), 1) == "sad"
    assert someone.show(face(sad=0.4), 9) == "neutral"


def test_read_when_an_emotion_is_clear_then_it_stays_however_long_it_is_shown():
    assert Watched().show(face(sad=1.3), 120) == "sad"


@pytest.mark.parametrize(
    ("happy", "smile", "label"),
    [
        (-6.0, 0.5, "happy"),
        (-6.0, 0.02, "neutral"),
        (-4.5, 0.02, "neutral"),
        (-4.5, 0.2, "happy"),
        (-7.0, 0.2, "neutral"),
    ],
)
def test_read_with_the_head_smile_then_the_mean_rise_of_both_heads_names_a_slight_smile(happy, smile, label):
    someone = Watched()
    someone.show(REST, 5, smile=0.02)
    assert someone.show(face(happy=happy), 0.1, smile=smile) == label


def test_read_when_the_head_smile_is_certain_then_finite():
    someone = Watched()
    someone.show(REST, 5, smile=0.0)
    assert np.isfinite(someone.resting.read(SLIGHT, POINTS, 6.0, 1.0)).all()


def test_nose_place_when_a_face_is_tilted_and_nearer_then_it_is_the_same():
    angle = np.deg2rad(35)
    turn = 2.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert nose_place((POINTS @ turn.T + 40).astype(np.float32)) == pytest.approx(nose_place(POINTS), abs=1e-4)


def test_nose_place_when_the_eyes_coincide_then_finite():
    assert np.isfinite(nose_place(np.zeros((6, 2), np.float32))).all()


def watched(mode, faces, seconds, baseline=None, labels=EMOTIONS):
    """Return a baseline and what leads for each track, after so many seconds of these faces by track."""
    baseline = baseline or NeutralBaseline(labels, mode=mode)
    start = baseline.watched_s if hasattr(baseline, "watched_s") else 0.0
    for i in range(round(seconds * FPS)):
        looks = [Prediction(p, Track(track, make_detection(), 0.0)) for track, p in faces.items()]
        found = baseline.adjust(looks, start + i / FPS)
    baseline.watched_s = start + seconds
    return baseline, {p.track.id: labels[int(p.probabilities.argmax())] for p in found}


@pytest.mark.parametrize(
    ("labels", "label"),
    [(HEADS["smile"], "happy"), (("open", "none", "closed"), "neutral"), (("yes", "no", "?"), "neutral")],
)
def test_adjust_with_a_head_smile_then_its_answers_are_found_by_their_names(labels, label):
    baseline = NeutralBaseline(EMOTIONS, mode="auto", others={"smile": labels})
    for i in range(50):
        scores = np.array([0.98, 0.01, 0.01] if i < 45 else [0.3, 0.3, 0.4], np.float32)
        happy = face(happy=-7.0 if i < 45 else -6.5)
        look = Prediction(happy, Track(1, make_detection(), 0.0), {"smile": scores})
        (found,) = baseline.adjust([look], i / FPS)
    assert EMOTIONS[int(found.probabilities.argmax())] == label


@pytest.mark.parametrize(("mode", "label"), [("auto", "happy"), ("key", "neutral"), ("off", "neutral")])
def test_adjust_in_each_mode_then_resting_faces_are_learnt_in_auto_alone(mode, label):
    baseline, _ = watched(mode, {1: REST}, 5)
    assert watched(mode, {1: SLIGHT}, 0.5, baseline)[1] == {1: label}


def test_adjust_with_two_people_then_each_has_a_resting_face_of_their_own():
    baseline, _ = watched("auto", {1: REST, 2: SLIGHT}, 5)
    assert watched("auto", {1: SLIGHT, 2: SLIGHT}, 0.5, baseline)[1] == {1: "happy", 2: "neutral"}


def test_adjust_when_someone_is_gone_for_long_then_the_resting_face_is_forgotten():
    baseline, _ = watched("auto", {1: REST}, 5)
    watched("auto", {2: REST}, 4, baseline)
    assert watched("auto", {1: SLIGHT}, 0.5, baseline)[1] == {1: "neutral"}


def test_adjust_when_calibrated_on_request_then_that_takes_precedence_until_it_is_stopped():
    baseline, _ = watched("auto", {1: REST}, 5)
    baseline.begin(1.0)
    watched("auto", {1: REST}, 1.5, baseline)
    assert watched("auto", {1: SLIGHT}, 0.5, baseline)[1] == {1: "neutral"}
    baseline.stop()
    assert watched("auto", {1: SLIGHT}, 0.5, baseline)[1] == {1: "happy"}


def test_adjust_when_off_then_calibrating_changes_nothing_and_says_why():
    baseline = NeutralBaseline(EMOTIONS, mode="off")
    assert baseline.obstacle == "the baseline is off"
    baseline.begin(0.5)
    assert watched("off", {1: face(sad=0.4)}, 3, baseline)[1] == {1: "sad"}


def test_adjust_when_happy_is_not_among_the_emotions_then_others_are_still_lowered():
    labels = ("neutral", "sad")
    sullen = np.array([0.4, 0.6], np.float32)
    assert watched("auto", {1: sullen}, 40, labels=labels)[1] == {1: "neutral"}


class TwoHeads(TableClassifier):
    """Says the same emotion throughout, and a smile from 4.5 s on."""

    heads: ClassVar = {"emotion": EMOTIONS, **HEADS}

    def classify(self, crops):
        smile = [0.98, 0.01, 0.01] if len(self.calls) < 45 else [0.3, 0.3, 0.4]
        emotion = face(happy=-7.0 if len(self.calls) < 45 else -6.5)
        self.calls.append(tuple(crop.track.id for crop in crops))
        return tuple(Prediction(emotion, crop.track, {"smile": np.array(smile, np.float32)}) for crop in crops)


def test_pipeline_of_a_model_with_the_head_smile_then_that_head_helps():
    pipeline = Pipeline(ScriptedDetector([[make_detection()]]), TwoHeads(), baseline="auto")
    labels = [pipeline.step(make_frame(index=i, time_s=i / FPS))[0].label for i in range(60)]
    assert set(labels[:45]) == {"neutral"}
    assert labels[-1] == "happy"


def test_pipeline_in_auto_then_a_slight_smile_after_rest_is_happy():
    rest = {"neutral": float(REST[NEUTRAL]), "happy": float(REST[HAPPY])}
    smile = TableClassifier(default={"neutral": float(SLIGHT[NEUTRAL]), "happy": float(SLIGHT[HAPPY])})

    class SmilesLater(TableClassifier):
        def classify(self, crops):
            return smile.classify(crops) if len(self.calls) == 45 else super().classify(crops)

    labels = {}
    for mode in ("auto", "off"):
        pipeline = Pipeline(ScriptedDetector([[make_detection()]]), SmilesLater(default=rest), baseline=mode)
        for i in range(60):
            (mood,) = pipeline.step(make_frame(index=i, time_s=i / FPS))
        labels[mode] = mood.label
    assert labels == {"auto": "happy", "off": "neutral"}

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemood.core.geometry import Box
from livemood.core.stage_settings import EvidenceSettings
from livemood.core.types import Detection
from livemood.detection.evidence import CandidateScores, evidence_range, faces_beside
from tests.support.builders import make_detection

SETTINGS = EvidenceSettings()
BOX = Box(300, 200, 360, 280)
scores = st.floats(0, 1)


def weigh(candidate: CandidateScores, box: Box = BOX, beside: int = 0) -> float:
    low, expected, high = evidence_range(candidate, box, 640, 480, beside, SETTINGS)
    assert low == high
    assert expected == low
    return low


def test_evidence_when_all_scores_are_high_then_a_face_and_when_low_then_none():
    assert weigh(CandidateScores((0.85, 0.86, 0.84), 0.8, 0.8)) > 0
    assert weigh(CandidateScores((0.6, 0.0, 0.0), 0.0, 0.0)) < 0


def test_evidence_when_the_window_scores_are_zero_then_a_good_first_score_is_not_enough():
    assert weigh(CandidateScores((0.85, 0.0, 0.0), 0.6, 0.0)) < 0


@given(st.tuples(scores, scores, scores), scores, scores, st.floats(0, 0.3))
def test_evidence_when_any_score_rises_then_it_does_not_fall(yunet, near, far, more):
    before = weigh(CandidateScores(yunet, near, far))
    assert weigh(CandidateScores((min(yunet[0] + more, 1), *yunet[1:]), near, far)) >= before
    assert weigh(CandidateScores(yunet, min(near + more, 1), far)) >= before
    assert weigh(CandidateScores(yunet, near, min(far + more, 1))) >= before


@given(st.tuples(scores, scores, scores), scores, scores, st.integers(0, 4))
def test_evidence_when_networks_have_not_run_then_its_range_holds_what_they_say(yunet, near, far, beside):
    known = weigh(CandidateScores(yunet, near, far), beside=beside)
    rounding, wider = 1e-9, (float("inf"), float("-inf"))
    for seen in (
        CandidateScores(yunet, near, None),
        CandidateScores((*yunet[:2], None), near, None),
        CandidateScores((yunet[0], None, None), near, None),
        CandidateScores((yunet[0], None, None), None, None),
    ):
        low, expected, high = evidence_range(seen, BOX, 640, 480, beside, SETTINGS)
        assert low - rounding <= known <= high + rounding
        assert low - rounding <= expected <= high + rounding
        assert low <= wider[0] + rounding
        assert high >= wider[1] - rounding
        wider = low, high


def test_evidence_when_networks_have_not_run_then_they_are_expected_to_score_as_others_did():
    expected = evidence_range(CandidateScores((0.7, None, None), 0.6, None), BOX, 640, 480, 0, SETTINGS).expected
    assert expected == pytest.approx(weigh(CandidateScores((0.7, 0.7, 0.7), 0.6, 0.6)))


def test_evidence_when_other_faces_are_beside_then_less_of_it_is_needed():
    candidate = CandidateScores((0.75, 0.75, 0.75), 0.5, 0.5)
    assert weigh(candidate, beside=0) < 0 < weigh(candidate, beside=SETTINGS.group_size)


def test_companions_then_sure_others_of_about_the_same_size():
    def scored(side: float, score: float) -> Detection:
        face = make_detection(200, 200, side)
        return Detection(face.box, face.keypoints, score)

    candidates = [scored(50, 0.9), scored(60, 0.95), scored(55, 0.5), scored(200, 0.9)]
    assert faces_beside(candidates, candidates, SETTINGS) == [1, 1, 2, 0]
    assert faces_beside(candidates[2:3], candidates, SETTINGS) == [2]
    assert faces_beside(candidates[:1], candidates, SETTINGS) == [1]


def test_evidence_at_the_edge_then_more():
    candidate = CandidateScores((0.8, 0.8, 0.8), 0.6, 0.6)
    assert weigh(candidate, BOX.shifted(-300, 0)) == pytest.approx(weigh(candidate) + SETTINGS.edge)

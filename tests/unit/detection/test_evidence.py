import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemood.core.geometry import Box
from livemood.core.settings import EvidenceSettings
from livemood.core.types import Detection
from livemood.detection.evidence import Looks, companions, evidence
from tests.support.builders import make_detection

SETTINGS = EvidenceSettings()
PLACE = Box(300, 200, 360, 280)
scores = st.floats(0, 1)


def weigh(looks: Looks, place: Box = PLACE, beside: int = 0) -> float:
    return evidence(looks, place, 640, 480, beside, SETTINGS)


def test_evidence_when_every_look_agrees_then_a_face_and_when_none_does_then_no_face():
    assert weigh(Looks((0.85, 0.86, 0.84), 0.8, 0.8)) > 0
    assert weigh(Looks((0.6, 0.0, 0.0), 0.0, 0.0)) < 0


def test_evidence_when_the_second_looks_see_nothing_then_a_good_first_one_is_not_enough():
    assert weigh(Looks((0.85, 0.0, 0.0), 0.6, 0.0)) < 0


@given(st.tuples(scores, scores, scores), scores, scores, st.floats(0, 0.3))
def test_evidence_when_any_score_rises_then_it_does_not_fall(yunet, near, far, more):
    before = weigh(Looks(yunet, near, far))
    assert weigh(Looks((min(yunet[0] + more, 1), *yunet[1:]), near, far)) >= before
    assert weigh(Looks(yunet, min(near + more, 1), far)) >= before
    assert weigh(Looks(yunet, near, min(far + more, 1))) >= before


def test_evidence_in_company_then_less_of_it_is_needed():
    looks = Looks((0.75, 0.75, 0.75), 0.5, 0.5)
    assert weigh(looks, beside=0) < 0 < weigh(looks, beside=SETTINGS.companions)


def test_companions_then_sure_others_of_about_the_same_size():
    def place(side: float, score: float) -> Detection:
        face = make_detection(200, 200, side)
        return Detection(face.box, face.keypoints, score)

    places = [place(50, 0.9), place(60, 0.95), place(55, 0.5), place(200, 0.9)]
    assert companions(places, SETTINGS) == [1, 1, 2, 0]


def test_evidence_at_the_edge_then_more():
    looks = Looks((0.8, 0.8, 0.8), 0.6, 0.6)
    assert weigh(looks, PLACE.shifted(-300, 0)) == pytest.approx(weigh(looks) + SETTINGS.edge)

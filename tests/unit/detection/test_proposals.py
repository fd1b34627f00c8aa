import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livemood.core.geometry import Box
from livemood.core.stage_settings import DetectorSettings
from livemood.core.types import Detection, Image
from livemood.detection.evidence import CandidateScores, evidence_range, faces_beside
from livemood.detection.proposals import Confirmer, merged
from livemood.detection.pyramid import Pyramid
from tests.support.builders import make_detection

SETTINGS = DetectorSettings()
SIDE = 40.0
scores = st.floats(0, 1)
SURE = SETTINGS.evidence.sure_from
candidate_scores = st.tuples(st.floats(0.4, 1), scores, scores, scores, scores)
"""Of YuNet on the picture, near, YuNet on a window, on its mirror image, and far."""
doubtful_scores = candidate_scores.filter(lambda row: row[0] < SURE)


class Scored:
    """A network that gives each candidate the score at its place in a table, found by the grey level there."""

    def __init__(self, table: list[float], side: int, window: float) -> None:
        self.side = side
        self.runs = 0
        self._table, self._width = table, side / window

    def find(self, image: Image) -> tuple[Detection, ...]:
        self.runs += 1
        face = make_detection(self.side / 2, self.side / 2, self._width)
        level = int(image[self.side // 2, self.side // 2, 0])
        return (Detection(face.box, face.keypoints, self._table[level]),)

    def close(self) -> None:
        pass


class ScoredYuNet:
    def __init__(self, plain: list[float], mirrored: list[float]) -> None:
        self._tables = plain, mirrored
        self.runs = 0

    def score(self, window: Image, box: Box, min_iou: float, mirrored: bool) -> float:
        self.runs += 1
        x, y = box.centre
        return self._tables[mirrored][int(window[round(y), round(x), 0])]


def scene(count: int) -> tuple[Image, list[Box]]:
    """Return a picture with candidates in a row, each of its own grey level, and their boxes."""
    image = np.full((200, 200 * max(count, 1), 3), 255, np.uint8)
    boxes = []
    for place in range(count):
        image[60:140, 200 * place + 60 : 200 * place + 140] = place
        boxes.append(make_detection(200 * place + 100, 100, SIDE).box)
    return image, boxes


def examined(table: Sequence[tuple[float, ...]]) -> tuple[list[Detection], Any, Image, list[Any]]:
    table = sorted(table, reverse=True)
    image, boxes = scene(len(table))
    candidates = [
        Detection(box, make_detection(*box.centre, SIDE).keypoints, row[0])
        for box, row in zip(boxes, table, strict=True)
    ]
    near = Scored([row[1] for row in table], 128, SETTINGS.evidence.near_window)
    far = Scored([row[4] for row in table], 192, SETTINGS.evidence.far_window)
    yunet = ScoredYuNet([row[2] for row in table], [row[3] for row in table])
    scoring: Any = yunet
    return candidates, Confirmer(scoring, near, far, SETTINGS), image, [yunet, near, far]


def evidence_of(scored: list[CandidateScores], candidates: list[Detection], image: Image) -> list[float]:
    """Return the evidence of candidates on which all networks have been run."""
    settings, (height, width) = SETTINGS.evidence, image.shape[:2]
    return [
        math.inf
        if one.score >= settings.sure_from
        else evidence_range(scores, one.box, width, height, others, settings)[0]
        for one, scores, others in zip(candidates, scored, faces_beside(candidates, candidates, settings), strict=True)
    ]


@given(st.lists(doubtful_scores, max_size=8), st.sampled_from([0.0, 3.0]))
def test_confirmed_of_a_photo_without_a_sure_face_then_what_all_networks_together_would_say(
    table: list[Any], least: float
) -> None:
    candidates, confirmer, image, _ = examined(table)
    scored = [CandidateScores((row[0], *row[2:4]), row[1], row[4]) for row in sorted(table, reverse=True)]
    evidence = evidence_of(scored, candidates, image)
    confirmed = confirmer.faces(Pyramid(image), candidates, least)
    assert [face.score for face in confirmed.faces] == [
        one.score for one, value in zip(candidates, evidence, strict=True) if value > least
    ]
    assert confirmed.evidence == max(evidence, default=-math.inf)


@given(doubtful_scores, st.sampled_from([0.0, 3.0]))
def test_confirmed_beside_a_sure_face_then_the_first_settled_expectation_or_all_networks_decide(
    row: Any, least: float
) -> None:
    candidates, confirmer, image, (yunet, *_) = examined([row, (0.95, 0.9, 0.9, 0.9, 0.9)])
    settings, (height, width) = SETTINGS.evidence, image.shape[:2]
    plain, near, window, mirrored, far = row
    decides = evidence_of([CandidateScores((plain, window, mirrored), near, far)] * 2, candidates, image)[1]
    seen = [
        CandidateScores((plain, None, None), None, None),
        CandidateScores((plain, window, None), None, None),
        CandidateScores((plain, window, None), near, None),
        CandidateScores((plain, window, mirrored), near, None),
    ]
    most_looks = 2
    for run, known in enumerate(seen):
        expected = evidence_range(known, candidates[1].box, width, height, 1, settings).expected
        if not -settings.reject_margins[run] < expected - least < settings.accept_margins[run]:
            decides, most_looks = expected, sum(score is not None for score in known.yunet[1:])
            break
    confirmed = confirmer.faces(Pyramid(image), candidates, least)
    assert [face.score for face in confirmed.faces] == [0.95, *([plain] if decides > least else [])]
    assert confirmed.evidence == math.inf
    assert yunet.runs <= most_looks


@given(st.lists(candidate_scores, max_size=8), st.sampled_from([0.0, 3.0]))
def test_confirmed_of_a_frame_then_what_near_and_far_together_would_say(table: list[Any], least: float) -> None:
    candidates, confirmer, image, (yunet, *_) = examined(table)
    scored = [CandidateScores((row[0],), row[1], row[4]) for row in sorted(table, reverse=True)]
    evidence = evidence_of(scored, candidates, image)
    assert [face.score for face in confirmer.faces_of_frame(image, candidates, candidates, least)] == [
        one.score for one, value in zip(candidates, evidence, strict=True) if value > least
    ]
    assert yunet.runs == 0


def test_confirmed_of_a_group_then_networks_that_can_change_nothing_are_not_run() -> None:
    clear = (0.85, 0.9, 0.95, 0.95, 0.9)
    candidates, confirmer, image, (yunet, near, far) = examined([(0.95, 0.9, 0.9, 0.9, 0.9), *[clear] * 5])
    assert len(confirmer.faces(Pyramid(image), candidates).faces) == 6
    assert near.runs == 6
    assert yunet.runs < 2 * 5
    assert far.runs == 0


def test_confirmed_of_a_group_when_the_window_shows_no_face_then_no_other_network_is_asked() -> None:
    nothing = (0.6, 0.9, 0.0, 0.0, 0.9)
    candidates, confirmer, image, (yunet, near, far) = examined([*[(0.95, 0.9, 0.9, 0.9, 0.9)] * 4, *[nothing] * 5])
    assert len(confirmer.faces(Pyramid(image), candidates).faces) == 4
    assert yunet.runs == 5
    assert near.runs == 4
    assert far.runs == 0


def test_confirmed_of_a_frame_when_its_other_faces_are_known_then_these_are_company() -> None:
    doubtful = (0.8, 0.2, 0.0, 0.0, 0.2)
    candidates, confirmer, image, _ = examined([*[(0.95, 0.9, 0.9, 0.9, 0.9)] * 5, doubtful])
    assert len(confirmer.faces_of_frame(image, candidates[5:], candidates)) == 1
    assert not confirmer.faces_of_frame(image, candidates[5:], candidates[5:])


def test_confirmed_of_a_crowded_frame_then_sure_candidates_count_unexamined_and_the_networks_run_for_a_few() -> None:
    most = SETTINGS.search.most_candidates
    crowd = [(0.95, 0.0, 0.0, 0.0, 0.0)] * (most - 1) + [(0.88, 0.9, 0.9, 0.9, 0.9)] * 4 + [(0.6, 0.9, 0.9, 0.9, 0.9)]
    candidates, confirmer, image, (_, near, _) = examined(crowd)
    found = confirmer.faces_of_frame(image, candidates, candidates)
    assert [face.score for face in found] == [0.95] * (most - 1) + [0.88] * 4
    assert near.runs == most


def test_merged_then_of_two_of_one_face_the_one_with_the_higher_score() -> None:
    def scored(x: float, score: float) -> Detection:
        face = make_detection(x, 100, 40)
        return Detection(face.box, face.keypoints, score)

    weak, strong, other = scored(100, 0.5), scored(103, 0.9), scored(300, 0.7)
    assert merged([weak, other], [strong], 0.5) == [strong, other]
    assert merged([], [], 0.5) == []

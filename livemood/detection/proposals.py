"""Which of YuNet's candidates are faces: the BlazeFace networks confirm or reject them and give their keypoints."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from livemood.core.stage_settings import DetectorSettings, EvidenceSettings
from livemood.core.types import Detection, Image
from livemood.detection.evidence import CandidateScores, companions, evidence_range
from livemood.detection.networks import FaceNetwork, find_in_window
from livemood.detection.pyramid import Pyramid
from livemood.detection.transforms import first_of_each, moved, square
from livemood.detection.yunet import YuNet, like_blazeface


class Confirmed(NamedTuple):
    """Faces of a picture, and the highest evidence of any candidate, confirmed or not."""

    faces: list[Detection]
    evidence: float


class Confirmer:
    """Decides which candidates are faces, by running further networks on windows around them.

    Args:
        yunet: Scores uncertain candidates of photos a second time.
        near: Gives keypoints, and a score.
        far: Scores uncertain candidates.
        settings: Thresholds and weights.
    """

    def __init__(self, yunet: YuNet, near: FaceNetwork, far: FaceNetwork, settings: DetectorSettings) -> None:
        self._yunet, self._near, self._far = yunet, near, far
        self._settings = settings

    def faces(self, photo: Pyramid, candidates: Sequence[Detection], least: float = 0.0) -> Confirmed:
        """Return the candidates of a photo that are faces, in their order, with boxes framed as BlazeFace's.

        Args:
            photo: The photo.
            candidates: YuNet's, px of the photo, highest score first.
            least: Evidence that a face must exceed.
        """
        groups = companions(candidates, candidates, self._settings.evidence)
        faces, highest = [], -math.inf
        for candidate, others in zip(candidates, groups, strict=True):
            face, evidence = self._examine(photo, candidate, others, least, highest, rescore=True)
            highest = max(highest, evidence)
            if evidence > least:
                faces.append(face)
        return Confirmed(faces, highest)

    def faces_of_frame(
        self, image: Image, candidates: Sequence[Detection], detections: Sequence[Detection], least: float = 0.0
    ) -> list[Detection]:
        """Return the candidates of a video frame that are faces, at a bounded cost.

        Args:
            image: (H, W, 3) uint8 BGR.
            candidates: YuNet's, px of the image, highest score first.
            detections: All that YuNet detects, known faces too: faces beside which a candidate is more likely one.
            least: Evidence that a face must exceed.
        """
        settings = self._settings
        groups = companions(candidates, detections, settings.evidence)
        most, picture = settings.search.most_places, Pyramid(image)
        examined = [
            self._examine(picture, candidate, others, least, math.inf, rescore=False)
            for candidate, others in zip(candidates[:most], groups[:most], strict=True)
        ]
        rest = (like_blazeface(one) for one in candidates[most:] if one.score >= settings.evidence.companion_from)
        return [*(face for face, evidence in examined if evidence > least), *rest]

    def _examine(
        self, picture: Pyramid, candidate: Detection, others: int, least: float, highest: float, rescore: bool
    ) -> tuple[Detection, float]:
        """Return the face that a candidate stands for, and its evidence; infinite if YuNet's score is high enough.

        Further networks are run only while they can change whether the evidence exceeds ``least``, or its value where
        that may exceed ``highest``. Where they were not run, the highest possible value is returned. In a photo with a
        sure face, ``highest`` is infinite, and the expected value decides once it is settled.
        """
        settings = self._settings.evidence
        near = self._detected(self._near, picture, candidate, settings.near_window)
        has_keypoints = near and near.score >= settings.keypoints_from
        face = replace(near, score=candidate.score) if near and has_keypoints else like_blazeface(candidate)
        if candidate.score >= settings.sure_from:
            return face, math.inf
        height, width = picture.image.shape[:2]
        high = math.inf
        for scores in self._scores(picture, candidate, near.score if near else 0.0, rescore):
            low, expected, high = evidence_range(scores, candidate.box, width, height, others, settings)
            if high <= highest and (low > least or high <= least):
                break
            if rescore and highest == math.inf and _settled(scores, expected - least, settings):
                return face, expected
        return face, high

    def _scores(self, picture: Pyramid, candidate: Detection, near: float, rescore: bool) -> Iterator[CandidateScores]:
        """Yield the scores of a candidate as networks are run, the one that decides most for its time first.

        With ``rescore``, YuNet is run on a window around the candidate, as it is and mirrored.
        """
        settings = self._settings.evidence
        yunet: list[float | None] = [candidate.score, *([None, None] if rescore else [])]
        yield CandidateScores(tuple(yunet), near, None)
        window = square(candidate.box, settings.far_window)
        image, step = picture.at(settings.look_px / window.width)
        window, box = window.scaled(1 / step), candidate.box.scaled(1 / step)
        for place in range(1, len(yunet)):
            yunet[place] = self._yunet.score(
                image, window, box, settings.look_px, settings.min_iou, mirrored=place == 2
            )
            yield CandidateScores(tuple(yunet), near, None)
        far = self._detected(self._far, picture, candidate, settings.far_window)
        yield CandidateScores(tuple(yunet), near, far.score if far else 0.0)

    def _detected(self, network: FaceNetwork, picture: Pyramid, candidate: Detection, scale: float) -> Detection | None:
        """Return the network's detection of the candidate in a window around it; None if it detects none there."""
        window = square(candidate.box, scale)
        image, step = picture.at(network.side / window.width)
        faces = [moved(face, 0, 0, step) for face in find_in_window(network, image, window.scaled(1 / step))]
        best = max(faces, key=lambda face: face.box.iou(candidate.box), default=None)
        return best if best and best.box.iou(candidate.box) >= self._settings.evidence.min_iou else None


def _settled(scores: CandidateScores, lead: float, settings: EvidenceSettings) -> bool:
    """Return whether the expected evidence, ``lead`` more than what a face needs, decides without further networks."""
    last_run = sum(score is not None for score in scores.yunet) - 1
    return lead >= settings.settled_above[last_run] or lead <= -settings.settled_below[last_run]


def merged(some: Sequence[Detection], others: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """Return the detections of both, highest score first; of two of one face, the one with the higher score stays."""
    return first_of_each(sorted([*some, *others], key=lambda one: -one.score), max_overlap)

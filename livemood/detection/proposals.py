"""Which of YuNet's candidates are faces: the BlazeFace networks confirm or reject them and give their keypoints."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from livemood.core.settings import DetectorSettings
from livemood.core.types import Detection, Image
from livemood.detection.evidence import CandidateScores, companions, evidence
from livemood.detection.networks import FaceNetwork, find_in_window
from livemood.detection.transforms import same_face, square
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

    def faces(self, image: Image, candidates: Sequence[Detection], least: float = 0.0) -> Confirmed:
        """Return the candidates of a photo that are faces, in their order, with boxes framed as BlazeFace's.

        Args:
            image: (H, W, 3) uint8 BGR.
            candidates: YuNet's, px of the image.
            least: Evidence that a face must exceed.
        """
        groups = companions(candidates, self._settings.evidence)
        examined = [
            self._examine(image, candidate, others, rescore=True)
            for candidate, others in zip(candidates, groups, strict=True)
        ]
        faces = [face for face, evidence in examined if evidence > least]
        return Confirmed(faces, max((evidence for _, evidence in examined), default=-math.inf))

    def faces_of_frame(self, image: Image, candidates: Sequence[Detection], least: float = 0.0) -> list[Detection]:
        """Return the candidates of a video frame that are faces, at a bounded cost.

        Args:
            image: (H, W, 3) uint8 BGR.
            candidates: YuNet's, px of the image, highest score first.
            least: Evidence that a face must exceed.
        """
        settings = self._settings
        groups = companions(candidates, settings.evidence)
        most = settings.search.most_places
        first = zip(candidates[:most], groups[:most], strict=True)
        examined = [self._examine(image, candidate, others, rescore=False) for candidate, others in first]
        rest = (like_blazeface(one) for one in candidates[most:] if one.score >= settings.evidence.companion_from)
        return [*(face for face, evidence in examined if evidence > least), *rest]

    def _examine(self, image: Image, candidate: Detection, others: int, rescore: bool) -> tuple[Detection, float]:
        """Return the face that a candidate stands for, and its evidence; infinite if YuNet's score is high enough."""
        settings = self._settings.evidence
        near = self._detected(self._near, image, candidate, settings.near_window)
        has_keypoints = near and near.score >= settings.keypoints_from
        face = replace(near, score=candidate.score) if near and has_keypoints else like_blazeface(candidate)
        if candidate.score >= settings.sure_from:
            return face, math.inf
        far = self._detected(self._far, image, candidate, settings.far_window)
        yunet = (candidate.score, *(self._rescored(image, candidate) if rescore else ()))
        scores = CandidateScores(yunet, near.score if near else 0.0, far.score if far else 0.0)
        height, width = image.shape[:2]
        return face, evidence(scores, candidate.box, width, height, others, settings)

    def _rescored(self, image: Image, candidate: Detection) -> list[float]:
        """Return YuNet's scores on a window around the candidate, as it is and mirrored."""
        settings = self._settings.evidence
        window = square(candidate.box, settings.far_window)
        return [
            self._yunet.score(image, window, candidate.box, settings.look_px, settings.min_iou, mirrored)
            for mirrored in (False, True)
        ]

    def _detected(self, network: FaceNetwork, image: Image, candidate: Detection, scale: float) -> Detection | None:
        """Return the network's detection of the candidate in a window around it; None if it detects none there."""
        faces = find_in_window(network, image, square(candidate.box, scale))
        best = max(faces, key=lambda face: face.box.iou(candidate.box), default=None)
        return best if best and best.box.iou(candidate.box) >= self._settings.evidence.min_iou else None


def merged(some: Sequence[Detection], others: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """Return the detections of both, highest score first; of two of one face, the one with the higher score stays."""
    kept: list[Detection] = []
    for one in sorted([*some, *others], key=lambda one: -one.score):
        if not any(same_face(one.box, other.box, max_overlap) for other in kept):
            kept.append(one)
    return kept

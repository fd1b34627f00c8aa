"""Which of YuNet's candidates are faces: the BlazeFace networks confirm or reject them and give their keypoints."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from livemood.core.stage_settings import DetectorSettings, EvidenceSettings
from livemood.core.types import Detection, Image
from livemood.detection.candidate import ExaminedCandidate, Networks
from livemood.detection.evidence import evidence_range, faces_beside
from livemood.detection.networks import FaceNetwork
from livemood.detection.pyramid import Pyramid
from livemood.detection.transforms import first_of_each
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
        self._networks = Networks(yunet, near, far)
        self._settings = settings

    def faces(self, photo: Pyramid, candidates: Sequence[Detection], least: float = 0.0) -> Confirmed:
        """Return the candidates of a photo that are faces, in their order, with boxes framed as BlazeFace's.

        Args:
            photo: The photo.
            candidates: YuNet's, px of the photo, highest score first.
            least: Evidence that a face must exceed.
        """
        groups = faces_beside(candidates, candidates, self._settings.evidence)
        faces, highest = [], -math.inf
        for candidate, others in zip(candidates, groups, strict=True):
            examined = ExaminedCandidate(photo, candidate, self._networks, self._settings.evidence)
            evidence = self._evidence(examined, others, least, highest, rescore=True)
            highest = max(highest, evidence)
            if evidence > least:
                faces.append(examined.face())
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
        groups = faces_beside(candidates, detections, settings.evidence)
        most, picture, faces = settings.search.most_candidates, Pyramid(image), []
        for candidate, others in zip(candidates[:most], groups[:most], strict=True):
            examined = ExaminedCandidate(picture, candidate, self._networks, settings.evidence)
            if self._evidence(examined, others, least, math.inf, rescore=False) > least:
                faces.append(examined.face())
        rest = (like_blazeface(one) for one in candidates[most:] if one.score >= settings.evidence.group_from)
        return [*faces, *rest]

    def _evidence(self, examined: ExaminedCandidate, others: int, least: float, highest: float, rescore: bool) -> float:
        """Return the evidence that a candidate is a face; infinite if YuNet's score is high enough.

        Networks are run only while they can change whether the evidence exceeds ``least``, or its value where that may
        exceed ``highest``. Where they were not run, the highest possible value is returned. In a photo with a sure
        face, ``highest`` is infinite, and the expected value decides once it is settled.
        """
        settings = self._settings.evidence
        candidate = examined.candidate
        if candidate.score >= settings.sure_from:
            return math.inf
        height, width = examined.picture.image.shape[:2]
        high = math.inf
        for runs, scores in enumerate(examined.scores() if rescore else examined.scores_of_frame()):
            low, expected, high = evidence_range(scores, candidate.box, width, height, others, settings)
            if high <= highest and (low > least or high <= least):
                break
            if rescore and highest == math.inf and _is_settled(runs, expected - least, settings):
                return expected
        return high


def _is_settled(runs: int, lead: float, settings: EvidenceSettings) -> bool:
    """Return whether the expected evidence, ``lead`` more than what a face needs, decides without further networks.

    ``runs`` counts the networks that have been run.
    """
    if runs == len(settings.reject_margins):
        return False
    return lead >= settings.accept_margins[runs] or lead <= -settings.reject_margins[runs]


def merged(some: Sequence[Detection], others: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """Return the detections of both, highest score first; of two of one face, the one with the higher score stays."""
    return first_of_each(sorted([*some, *others], key=lambda one: -one.score), max_overlap)

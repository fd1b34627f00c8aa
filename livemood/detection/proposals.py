"""YuNet says where to look, the BlazeFace networks say whether it is a face and where eyes, nose and mouth are."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from livemood.core.settings import DetectorSettings
from livemood.core.types import Detection, Image
from livemood.detection.evidence import Looks, companions, evidence
from livemood.detection.networks import FaceNetwork, find_in_window
from livemood.detection.transforms import same_face, square
from livemood.detection.yunet import YuNet, like_blazeface


class Confirmed(NamedTuple):
    """Faces of a picture, and the evidence of the clearest place, face or not."""

    faces: list[Detection]
    evidence: float


class Confirmer:
    """Looks at proposed places again.

    Args:
        yunet: Takes a second look at doubtful places.
        near: Gives keypoints, and its own word.
        far: Its word counts at doubtful places.
        settings: Thresholds and weights.
    """

    def __init__(self, yunet: YuNet, near: FaceNetwork, far: FaceNetwork, settings: DetectorSettings) -> None:
        self._yunet, self._near, self._far = yunet, near, far
        self._settings = settings

    def faces(self, image: Image, places: Sequence[Detection], least: float = 0.0) -> Confirmed:
        """Return the places of a still picture that are faces, in their order, framed as BlazeFace frames them.

        Args:
            image: (H, W, 3) uint8 BGR.
            places: What YuNet proposes, in px of the image.
            least: Least evidence.
        """
        beside = companions(places, self._settings.evidence)
        looked = [self._look(image, place, others, again=True) for place, others in zip(places, beside, strict=True)]
        faces = [face for face, evidence in looked if evidence > least]
        return Confirmed(faces, max((evidence for _, evidence in looked), default=-math.inf))

    def faces_of_frame(self, image: Image, places: Sequence[Detection], least: float = 0.0) -> list[Detection]:
        """Return the places of a video's frame that are faces, at a bounded cost.

        Args:
            image: (H, W, 3) uint8 BGR.
            places: What YuNet proposes, surest first, in px of the image.
            least: Least evidence.
        """
        settings = self._settings
        beside = companions(places, settings.evidence)
        most = settings.search.most_places
        first = zip(places[:most], beside[:most], strict=True)
        looked = [self._look(image, place, others, again=False) for place, others in first]
        sure = (like_blazeface(place) for place in places[most:] if place.score >= settings.evidence.companion_from)
        return [*(face for face, evidence in looked if evidence > least), *sure]

    def _look(self, image: Image, place: Detection, others: int, again: bool) -> tuple[Detection, float]:
        """Return the face that a place may be, and the evidence of it: without limit where YuNet is sure."""
        settings = self._settings.evidence
        near = self._seen(self._near, image, place, settings.near_window)
        seen = near and near.score >= settings.keypoints_from
        face = replace(near, score=place.score) if near and seen else like_blazeface(place)
        if place.score >= settings.sure_from:
            return face, math.inf
        far = self._seen(self._far, image, place, settings.far_window)
        scores = (place.score, *(self._second_looks(image, place) if again else ()))
        looks = Looks(scores, near.score if near else 0.0, far.score if far else 0.0)
        height, width = image.shape[:2]
        return face, evidence(looks, place.box, width, height, others, settings)

    def _second_looks(self, image: Image, place: Detection) -> list[float]:
        settings = self._settings.evidence
        window = square(place.box, settings.far_window)
        return [
            self._yunet.score(image, window, place.box, settings.look_px, settings.min_iou, mirrored)
            for mirrored in (False, True)
        ]

    def _seen(self, network: FaceNetwork, image: Image, place: Detection, scale: float) -> Detection | None:
        """Return the face that a network sees at a place, in a window around it."""
        found = find_in_window(network, image, square(place.box, scale))
        best = max(found, key=lambda face: face.box.iou(place.box), default=None)
        return best if best and best.box.iou(place.box) >= self._settings.evidence.min_iou else None


def merged(places: Sequence[Detection], more: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """Return ``places`` and what ``more`` adds to them, surest first; of two about one face the surer one stays."""
    kept: list[Detection] = []
    for place in sorted([*places, *more], key=lambda place: -place.score):
        if not any(same_face(place.box, other.box, max_overlap) for other in kept):
            kept.append(place)
    return kept

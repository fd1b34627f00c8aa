"""One of YuNet's candidates, on which further networks are run one after the other: Detection -> its scores."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from livemood.core.geometry import Box
from livemood.core.stage_settings import EvidenceSettings
from livemood.core.types import Detection, Image
from livemood.detection.evidence import CandidateScores
from livemood.detection.networks import FaceNetwork, find_in_window
from livemood.detection.pyramid import Pyramid
from livemood.detection.roi import crop_roi
from livemood.detection.transforms import best_match, moved, square
from livemood.detection.yunet import YuNet, like_blazeface


class Networks(NamedTuple):
    """The networks that are run on candidates.

    Attributes:
        yunet: Scores a candidate again, in a window.
        near: Gives keypoints, and a score.
        far: Gives a score.
    """

    yunet: YuNet
    near: FaceNetwork
    far: FaceNetwork


class ExaminedCandidate:
    """A candidate, on which further networks are run as they are needed.

    Args:
        picture: The picture.
        candidate: YuNet's, px of the picture.
        networks: The networks.
        settings: Thresholds.

    Attributes:
        picture: As given.
        candidate: As given.
    """

    def __init__(self, picture: Pyramid, candidate: Detection, networks: Networks, settings: EvidenceSettings) -> None:
        self.picture, self.candidate = picture, candidate
        self._networks, self._settings = networks, settings

    def face(self) -> Detection:
        """Return the face that it stands for, with the near network's keypoints where that is sure enough."""
        near = self._by_near
        if near and near.score >= self._settings.keypoints_from:
            return replace(near, score=self.candidate.score)
        return like_blazeface(self.candidate)

    def scores(self) -> Iterator[CandidateScores]:
        """Yield its scores as networks are run, the one that decides most for its time first.

        YuNet is run on a window around it, as it is and mirrored.
        """
        plain = self.candidate.score
        yield CandidateScores((plain, None, None), None, None)
        window = self._score_in_window(mirrored=False)
        yield CandidateScores((plain, window, None), None, None)
        near = _score(self._by_near)
        yield CandidateScores((plain, window, None), near, None)
        yunet = plain, window, self._score_in_window(mirrored=True)
        yield CandidateScores(yunet, near, None)
        yield CandidateScores(yunet, near, self._far_score())

    def scores_of_frame(self) -> Iterator[CandidateScores]:
        """Yield the same without YuNet's further scores."""
        plain = (self.candidate.score,)
        yield CandidateScores(plain, None, None)
        near = _score(self._by_near)
        yield CandidateScores(plain, near, None)
        yield CandidateScores(plain, near, self._far_score())

    @cached_property
    def _by_near(self) -> Detection | None:
        return self._detected(self._networks.near, self._settings.near_window)

    def _far_score(self) -> float:
        return _score(self._detected(self._networks.far, self._settings.far_window))

    @cached_property
    def _window(self) -> tuple[Image, Box]:
        """The window that YuNet searches, and the candidate's box in it."""
        side_px = self._settings.yunet_px
        window = square(self.candidate.box, self._settings.far_window)
        image, step = self.picture.at(side_px / window.width)
        window, box = window.scaled(1 / step), self.candidate.box.scaled(1 / step)
        return crop_roi(image, window, side_px), box.shifted(-window.left, -window.top).scaled(side_px / window.width)

    def _score_in_window(self, mirrored: bool) -> float:
        return self._networks.yunet.score(*self._window, self._settings.min_iou, mirrored)

    def _detected(self, network: FaceNetwork, scale: float) -> Detection | None:
        """Return the network's detection of the candidate in a window around it; None if it detects none there."""
        box = self.candidate.box
        window = square(box, scale)
        image, step = self.picture.at(network.side / window.width)
        faces = [moved(face, 0, 0, step) for face in find_in_window(network, image, window.scaled(1 / step))]
        return best_match(faces, box, self._settings.min_iou)


def _score(detection: Detection | None) -> float:
    return detection.score if detection else 0.0

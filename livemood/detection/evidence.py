"""Evidence that a candidate of YuNet is a face: a weighted sum of the scores of several networks. No pixels here."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from livemood.core.geometry import Box
from livemood.core.stage_settings import EvidenceSettings
from livemood.core.types import Detection


@dataclass(frozen=True, slots=True)
class CandidateScores:
    """Scores of one candidate, 0..1; 0 where a network detects no face there, None where it has not been run yet.

    Attributes:
        yunet: YuNet's: on the whole picture, on a window, on the mirrored window; or the first one alone.
        near: The near network's.
        far: The far network's.
    """

    yunet: tuple[float | None, ...]
    near: float | None
    far: float | None


class EvidenceRange(NamedTuple):
    """The evidence that a candidate is a face, a logit, as far as it is known; above 0 it counts as one.

    The three are equal if every network has been run.

    Attributes:
        low: Its lowest possible value.
        expected: Its value if the other networks score as expected: YuNet as before, near as ``near_usual`` says, far
            as near.
        high: Its highest possible value.
    """

    low: float
    expected: float
    high: float


def evidence_range(
    scores: CandidateScores, box: Box, width: int, height: int, others: int, settings: EvidenceSettings
) -> EvidenceRange:
    """Return the evidence that a candidate is a face.

    Args:
        scores: Of the candidate.
        box: Of the candidate, px of the picture.
        width: Of the picture, px.
        height: Of the picture, px.
        others: Number of other likely faces of about its size, see ``faces_beside``.
        settings: The weights.
    """

    def logit(score: float, floor: float) -> float:
        score = min(max(score, floor), settings.ceiling)
        return math.log(score / (1 - score))

    known = [logit(score, settings.yunet_floor) for score in scores.yunet if score is not None]
    share = max(box.longer_side / max(width, height), settings.smallest_share)
    place = (
        settings.share * math.log(10 * share)
        + (settings.group if others >= settings.group_size else 0.0)
        + (settings.edge if _at_edge(box, width, height, settings.edge_reach) else 0.0)
        + settings.bias
    )

    near = None if scores.near is None else logit(scores.near, settings.floor)
    far = None if scores.far is None else logit(scores.far, settings.floor)

    def total(unknown_yunet: float, unknown: float) -> float:
        """Return the evidence where the networks that have not been run have these logits: YuNet's, and the others'."""
        yunet = sum(known) + (len(scores.yunet) - len(known)) * unknown_yunet
        return (
            settings.yunet * yunet / len(scores.yunet)
            + settings.near * (unknown if near is None else near)
            + settings.far * (unknown if far is None else far)
            + place
        )

    lowest, highest = logit(0.0, settings.floor), logit(1.0, settings.floor)
    mean = sum(known) / len(known)
    usual = min(max(settings.near_usual + settings.near_usual_slope * mean, lowest), highest) if near is None else near
    return EvidenceRange(
        total(logit(0.0, settings.yunet_floor), lowest),
        total(mean, usual),
        total(logit(1.0, settings.yunet_floor), highest),
    )


def faces_beside(candidates: Sequence[Detection], among: Sequence[Detection], settings: EvidenceSettings) -> list[int]:
    """Return for each candidate how many others of about its size have a score of at least ``group_from``.

    Args:
        candidates: YuNet's.
        among: All of YuNet's detections in the picture, the candidates too.
        settings: The thresholds.
    """
    sides = sorted(one.box.longer_side for one in among if one.score >= settings.group_from)
    ratio = settings.group_ratio

    def others(one: Detection) -> int:
        side = one.box.longer_side
        alike = bisect_left(sides, side * ratio) - bisect_right(sides, side / ratio)
        return alike - (one.score >= settings.group_from)

    return [others(one) for one in candidates]


def _at_edge(box: Box, width: int, height: int, reach: float) -> bool:
    x, y = box.centre
    return min(x, width - x, y, height - y) < reach * box.longer_side

"""What makes a face of a place that YuNet proposes: numbers in, a yes or no out, without a pixel."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from livemood.core.geometry import Box
from livemood.core.settings import EvidenceSettings
from livemood.core.types import Detection


@dataclass(frozen=True, slots=True)
class Looks:
    """What several looks at one place say.

    Attributes:
        yunet: YuNet's scores of it, 0..1: of the whole picture, of a window, of the window mirrored; or the first
            alone.
        near: The near network's score of a face there, 0..1; 0 where it sees none.
        far: The far network's.
    """

    yunet: tuple[float, ...]
    near: float
    far: float


def evidence(looks: Looks, place: Box, width: int, height: int, companions: int, settings: EvidenceSettings) -> float:
    """Return how much speaks for a face; one is there where it is above 0.

    Args:
        looks: At the place.
        place: In px of the picture.
        width: Of the picture, px.
        height: Of the picture, px.
        companions: How many sure faces of its size are there beside it.
        settings: The weights.
    """

    def logit(score: float, floor: float) -> float:
        score = min(max(score, floor), settings.ceiling)
        return math.log(score / (1 - score))

    share = max(max(place.width, place.height) / max(width, height), settings.smallest_share)
    return (
        settings.looks * sum(logit(score, settings.look_floor) for score in looks.yunet) / len(looks.yunet)
        + settings.near * logit(looks.near, settings.floor)
        + settings.far * logit(looks.far, settings.floor)
        + settings.share * math.log(10 * share)
        + (settings.company if companions >= settings.companions else 0.0)
        + (settings.edge if _at_edge(place, width, height, settings.edge_reach) else 0.0)
        + settings.bias
    )


def companions(places: Sequence[Detection], settings: EvidenceSettings) -> list[int]:
    """Return for each place how many others are sure faces of about its size."""
    sides = [max(place.box.width, place.box.height) for place in places]
    sure = [side for side, place in zip(sides, places, strict=True) if place.score >= settings.companion_from]
    ratio = settings.companion_ratio
    return [
        sum(side / ratio < other < side * ratio for other in sure) - (place.score >= settings.companion_from)
        for side, place in zip(sides, places, strict=True)
    ]


def _at_edge(place: Box, width: int, height: int, reach: float) -> bool:
    x, y = place.centre
    return min(x, width - x, y, height - y) < reach * max(place.width, place.height)

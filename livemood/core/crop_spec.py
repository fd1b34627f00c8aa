"""How a face is cropped for a model; the standard library only."""

from dataclasses import dataclass
from typing import Literal

Colour = Literal["grey", "bgr"]


@dataclass(frozen=True, slots=True)
class CropSpec:
    """How a face is cropped for a model; part of the model's bundle.

    Attributes:
        size_px: Side S of the square crop, px.
        colour: ``grey`` (one channel) or ``bgr`` (three).
        template: Positions of right eye, left eye, nose tip and mouth in the crop, as (x, y) fractions of the side.
    """

    size_px: int
    colour: Colour
    template: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not 8 <= self.size_px <= 1024:
            raise ValueError(f"size_px lies in 8..1024, got {self.size_px}")
        if self.colour not in ("grey", "bgr"):
            raise ValueError(f"colour is 'grey' or 'bgr', got {self.colour!r}")
        if len(self.template) != 4 or any(len(point) != 2 for point in self.template):
            raise ValueError(f"template has four (x, y) points, got {self.template}")

    @property
    def channels(self) -> int:
        """Channels C of the crop."""
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (S, S, C) of the crop."""
        return self.size_px, self.size_px, self.channels


# Medians of MediaPipe's keypoints over FER2013's crops: right eye, left eye, nose tip, mouth (docs/crop.md).
FER2013_TEMPLATE = ((0.318, 0.399), (0.687, 0.395), (0.506, 0.604), (0.510, 0.780))
# A tenth tighter around the centre of the crop: more accurate on photos of strangers, as accurate on FER+
# (docs/training.md).
TIGHTER_TEMPLATE = ((0.2998, 0.3889), (0.7057, 0.3845), (0.5066, 0.6144), (0.511, 0.808))
CROP = CropSpec(size_px=48, colour="grey", template=TIGHTER_TEMPLATE)

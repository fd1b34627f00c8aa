"""The values that flow from stage to stage; numpy and the standard library only.

Each is validated once, at birth. Arrays inside are never written to after that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""A picture: (H, W, 3) uint8 in BGR order, as OpenCV keeps it."""

Colour = Literal["grey", "bgr"]


class Keypoint(IntEnum):
    """Row of each point in ``Detection.keypoints``; left and right are the person's own."""

    RIGHT_EYE = 0
    LEFT_EYE = 1
    NOSE_TIP = 2
    MOUTH = 3
    RIGHT_EAR = 4
    LEFT_EAR = 5


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in frame pixels, as floats; it may poke outside the frame."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.left, self.top, self.right, self.bottom))):
            raise ValueError(f"a box needs finite sides, got {self}")
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError(f"a box needs left < right and top < bottom, got {self}")

    @property
    def width(self) -> float:
        """Width in px."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in px."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Area in px²."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y) in px."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def shifted(self, dx: float, dy: float) -> "Box":
        """Return the box moved by (dx, dy) px."""
        return Box(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def intersection(self, other: "Box") -> float:
        """Return the area shared with ``other`` in px²."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def iou(self, other: "Box") -> float:
        """Return intersection over union with ``other``, 0..1."""
        shared = self.intersection(other)
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        index: Place in the source, from 0.
        time_s: Seconds since the source's start, from the container or a monotonic clock; never decreases.
        image: (H, W, 3) uint8 BGR, C-contiguous; marked read-only so that no stage draws on it.
    """

    index: int
    time_s: float
    image: Image

    def __post_init__(self) -> None:
        image = self.image
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise ValueError(f"a frame needs a uint8 image of shape (H, W, 3) in BGR, got {got}")
        if image.size == 0:
            raise ValueError(f"a frame needs at least one pixel, got shape {image.shape}")
        if not math.isfinite(self.time_s):
            raise ValueError(f"a frame needs a finite time, got {self.time_s}")
        # A read-only view: the caller's own array stays writable, ours cannot be drawn on by mistake.
        view = np.ascontiguousarray(image).view()
        view.flags.writeable = False
        object.__setattr__(self, "image", view)

    @property
    def width(self) -> int:
        """Width in px."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Height in px."""
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face found in one frame.

    Attributes:
        box: In frame px.
        keypoints: (6, 2) float32, x and y in frame px, rows as in ``Keypoint``.
        score: The detector's confidence, 0..1.
    """

    box: Box
    keypoints: npt.NDArray[np.float32]
    score: float

    def __post_init__(self) -> None:
        points = np.asarray(self.keypoints, np.float32)
        if points.shape != (len(Keypoint), 2) or not np.isfinite(points).all():
            raise ValueError(f"a detection needs ({len(Keypoint)}, 2) finite keypoints, got shape {points.shape}")
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"a detection's score lies in 0..1, got {self.score}")
        object.__setattr__(self, "keypoints", points)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person's face over time, at one frame.

    Attributes:
        id: From 1, never reused.
        detection: The face in the frame at hand.
        first_seen_s: ``Frame.time_s`` of the track's first frame.
        missed_s: Seconds during which the face was not found, just before this frame; 0 if it was in the last one.
    """

    id: int
    detection: Detection
    first_seen_s: float
    missed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CropSpec:
    """How a face is cut out for a model; part of the model's bundle.

    Attributes:
        size_px: Side S of the square crop.
        colour: ``grey`` (one channel) or ``bgr`` (three).
        template: Where right eye, left eye, nose tip and mouth land, as (x, y) fractions of the side.
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
            raise ValueError(f"template holds four (x, y) points, got {self.template}")

    @property
    def channels(self) -> int:
        """Channels C of the crop."""
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (S, S, C) of the crop."""
        return self.size_px, self.size_px, self.channels


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """An aligned face, (S, S, C) uint8 as its ``CropSpec`` says, with the track it was cut for."""

    image: npt.NDArray[np.uint8]
    track: Track


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Calibrated class probabilities of one crop: (K,) float32 in bundle order, summing to 1."""

    probabilities: npt.NDArray[np.float32]
    track: Track

    def __post_init__(self) -> None:
        values = self.probabilities
        if values.ndim != 1 or not np.isfinite(values).all() or abs(float(values.sum()) - 1.0) > 1e-3:
            raise ValueError(f"a prediction needs probabilities that sum to 1, got {values}")


@dataclass(frozen=True, slots=True, eq=False)
class Mood:
    """What one face looks like at one frame.

    Attributes:
        track: Whose face; holds box, keypoints and id.
        label: An emotion, or ``unsure``.
        confidence: Smoothed, calibrated probability of the label, 0..1; of the leading emotion where it is ``unsure``.
        scores: Smoothed probability by emotion; sums to 1.
        raw_scores: This frame's own probability by emotion, or that of the last frame that was classified; sums to 1.
    """

    track: Track
    label: str
    confidence: float
    scores: Mapping[str, float]
    raw_scores: Mapping[str, float]

    @property
    def box(self) -> Box:
        """Where the face is, in frame px."""
        return self.track.detection.box

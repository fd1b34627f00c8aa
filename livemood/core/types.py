"""The values that flow from stage to stage; numpy and the standard library only.

Each is validated once, when it is made. Arrays inside are never written to after that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.labels import EMOTION, SMILE, Doubt, kind_of_smile

Image = npt.NDArray[np.uint8]
"""A picture: (H, W, 3) uint8 in BGR order, as OpenCV keeps it."""


class Keypoint(IntEnum):
    """Row of each point in ``Detection.keypoints``; left and right are the person's own."""

    RIGHT_EYE = 0
    LEFT_EYE = 1
    NOSE_TIP = 2
    MOUTH = 3
    RIGHT_EAR = 4
    LEFT_EAR = 5


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        index: Place in the source, from 0.
        time_s: Seconds since the source's start, from the container or a monotonic clock; never decreases.
        image: (H, W, 3) uint8 BGR, C-contiguous; marked read-only so that no stage draws on it.
        reduced: It was decoded at a reduced size, at which small faces lack detail.
    """

    index: int
    time_s: float
    image: Image
    reduced: bool = False

    def __post_init__(self) -> None:
        image = self.image
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            why = "; cv2.imread returns None for a file that it cannot read" if image is None else ""
            raise ValueError(f"a frame needs a uint8 image of shape (H, W, 3) in BGR, got {got}{why}")
        if image.size == 0:
            raise ValueError(f"a frame needs at least one pixel, got shape {image.shape}")
        if not math.isfinite(self.time_s):
            raise ValueError(f"a frame needs a finite time, got {self.time_s}")
        # A read-only view: the caller's own array stays writable, ours cannot be drawn on by mistake.
        view = np.ascontiguousarray(image).view()
        view.flags.writeable = False
        object.__setattr__(self, "image", view)

    def __reduce__(self) -> tuple[Any, ...]:
        # Numpy drops the flag from copies and pickles, so a copy is made as the first one was.
        return Frame, (self.index, self.time_s, self.image, self.reduced)

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


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """An aligned face, (S, S, C) uint8 as its ``CropSpec`` says, with the track it was cut for."""

    image: npt.NDArray[np.uint8]
    track: Track


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be read, measured on its keypoints and its crop.

    Attributes:
        side_px: Side of its crop, in px of the frame.
        yaw_deg: Angle by which the head is turned to the side, 0..90, estimated from the keypoints.
        sharpness: Logarithm of (RMS gradient / standard deviation) of the crop's grey levels; above -1.75 in focus.
        noise: Logarithm of (estimated noise / standard deviation) of the crop's grey levels; below -2.2 clean.
        clipped: Share of the crop's pixels that are black or white, 0..1.
        covered: Logit that mouth, nose or eyes are covered.
        tilted: Logit that the face does not stand upright in its crop.
        chosen: Total probability of the selected emotions before it was renormalised to 1, 0..1.
    """

    side_px: float
    yaw_deg: float
    sharpness: float
    noise: float
    clipped: float
    covered: float
    tilted: float
    chosen: float

    @property
    def lost_detail(self) -> float:
        """How much fine detail is missing beside the edges; about 0 in FER2013, 0.4 in JPEG files of quality 20."""
        return 2 * self.sharpness - self.noise


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Calibrated class probabilities of one crop, for each head of the model.

    Attributes:
        probabilities: Of the head ``emotion``: (K,) float32 in bundle order, summing to 1.
        track: The face that it belongs to.
        others: The same for every further head, by name.
        quality: How well the crop can be read; None if it was not measured.
    """

    probabilities: npt.NDArray[np.float32]
    track: Track
    others: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    quality: Quality | None = None

    def __post_init__(self) -> None:
        for values in (self.probabilities, *self.others.values()):
            if values.ndim != 1 or not np.isfinite(values).all() or abs(float(values.sum()) - 1.0) > 1e-3:
                raise ValueError(f"a prediction needs probabilities that sum to 1, got {values}")

    @property
    def heads(self) -> dict[str, npt.NDArray[np.float32]]:
        """Probabilities by head, ``emotion`` first."""
        return {EMOTION: self.probabilities, **self.others}


@dataclass(frozen=True, slots=True)
class HeadMood:
    """The smoothed output of one head for a face.

    Attributes:
        label: One of the head's labels, or ``unsure``.
        confidence: Smoothed, calibrated probability of the label, 0..1; of the leading one where it is ``unsure``.
        scores: Smoothed probability by label; sums to 1.
        raw_scores: This frame's own probability by label, or that of the last frame that was classified; sums to 1.
    """

    label: str
    confidence: float
    scores: Mapping[str, float]
    raw_scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Mood:
    """What one face looks like at one frame.

    Attributes:
        track: The face, with its box, keypoints and id.
        label: An emotion, or ``unsure``.
        confidence: Smoothed, calibrated probability of the label, 0..1; of the leading emotion where it is ``unsure``.
        scores: Smoothed probability by emotion; sums to 1.
        raw_scores: This frame's own probability by emotion, or that of the last frame that was classified; sums to 1.
        others: Outputs of further heads of the model, by name.
        reason: Why the label is ``unsure``, one of ``Doubt``; None for any other label.
    """

    track: Track
    label: str
    confidence: float
    scores: Mapping[str, float]
    raw_scores: Mapping[str, float]
    others: Mapping[str, HeadMood] = field(default_factory=dict)
    reason: Doubt | None = None

    @property
    def box(self) -> Box:
        """Where the face is, in frame px."""
        return self.track.detection.box

    @property
    def smile_kind(self) -> str | None:
        """``closed`` or ``open``, of a happy face if the head ``smile`` gives it; None for any other."""
        smile = self.others.get(SMILE)
        return kind_of_smile(self.label, smile.label if smile else None)

    @property
    def heads(self) -> dict[str, HeadMood]:
        """Outputs of all heads by name, ``emotion`` first."""
        return {EMOTION: HeadMood(self.label, self.confidence, self.scores, self.raw_scores), **self.others}

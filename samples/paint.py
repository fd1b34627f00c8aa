"""Soft-edged shapes on a picture, used to draw a portrait. Colours are RGB, 0 to 255."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Dots = Points | Sequence[tuple[float, float]]
Picture = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

BLACK, WHITE = (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)


def ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    """Return the outline of an upright ellipse, (48, 2)."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1)


def curve(dots: Dots, closed: bool = False) -> Points:
    """Return a smooth line through ``dots`` (a Catmull-Rom spline), (N, 2)."""
    p = np.asarray(dots, np.float64)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, 10, endpoint=False)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    line = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([line.reshape(-1, 2), p[-2:-1]])


def symmetric(half: Sequence[tuple[float, float]]) -> Points:
    """Return a closed smooth line from its right half, whose first and last dots lie on the axis."""
    return curve([*half, *((-x, y) for x, y in half[-2:0:-1])], closed=True)


def between(upper: Points, lower: Points) -> Points:
    """Return the outline of the area between two lines of the same direction."""
    return np.concatenate([upper, lower[::-1]])


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return the colour ``share`` (0..1) of the way from ``a`` to ``b``."""
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))


@dataclass(frozen=True, slots=True, eq=False)
class Brush:
    """Paints on a picture in the units of whatever is drawn.

    Attributes:
        picture: (H, W, 3) float32 RGB, painted in place.
        place: Carries (N, 2) units to px of ``picture``.
        scale: Px per unit, for the softness of edges.
        clip: Outline, px, outside of which nothing is painted.
        side: 1, or -1 to paint everything mirrored.
    """

    picture: Picture
    place: Callable[[Points], Points] = np.array
    scale: float = 1.0
    clip: Points | None = None
    side: int = 1

    def within(self, outline: Dots) -> "Brush":
        """Return a brush whose paint stays inside ``outline``, given in units."""
        return replace(self, clip=self._px(outline))

    def both(self) -> tuple["Brush", "Brush"]:
        """Return this brush for the right half of the picture and a mirrored one for the left."""
        return self, replace(self, side=-self.side)

    def shape(self, outline: Dots, colour: Colour, opacity: float = 1.0, soft: float = 0.0) -> None:
        """Fill an outline; ``soft`` is the blur of its edge (a standard deviation, in units)."""
        if opacity > 0:
            self._fill(self._px(outline), colour, opacity, soft * self.scale)

    def spot(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Fill an ellipse."""
        self.shape(ellipse(x, y, rx, ry), colour, opacity, soft)

    def stroke(
        self, dots: Dots, widths: Sequence[float], colour: Colour, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Draw a smooth line through ``dots``; its width passes through ``widths``, evenly spaced."""
        line = curve(dots)
        along = np.gradient(line, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], 1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-9)
        half = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
        self.shape(between(line + half * normal, line - half * normal), colour, opacity, soft)

    def _px(self, outline: Dots) -> Points:
        return self.place(np.asarray(outline, np.float64) * (self.side, 1))

    def _fill(self, outline: Points, colour: Colour, opacity: float, soft: float) -> None:
        low = np.maximum(np.floor(outline.min(0) - 3 * soft - 2), 0).astype(int)
        high = np.minimum(np.ceil(outline.max(0) + 3 * soft + 2), self.picture.shape[1::-1]).astype(int)
        if (high <= low).any():
            return
        width, height = (int(length) for length in high - low)
        coarse = max(1, int(soft / 3))  # a blurred edge needs no fine mask
        mask = opacity * _mask(outline - low, width, height, coarse, soft / coarse)
        if self.clip is not None:
            mask = mask * _mask(self.clip - low, width, height)
        area = self.picture[low[1] : high[1], low[0] : high[0]]
        area += mask[..., None] * (np.array(colour, np.float32) - area)


def _mask(outline: Points, width: int, height: int, coarse: int = 1, blur: float = 0.0) -> Picture:
    mask = np.zeros((-(-height // coarse), -(-width // coarse)), np.uint8)
    # 6 bits of a pixel's fraction, so that slow movements do not jump.
    cv2.fillPoly(mask, [np.round(outline / coarse * 64).astype(np.int32)], 255, cv2.LINE_AA, 6)
    share = (mask / 255).astype(np.float32)
    if blur:
        share = cv2.resize(cv2.GaussianBlur(share, (0, 0), blur), (width, height)).astype(np.float32)
    return share

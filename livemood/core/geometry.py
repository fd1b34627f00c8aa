"""Boxes in frame pixels; the standard library only."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in frame pixels, as floats; it may extend beyond the frame."""

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
    def longer_side(self) -> float:
        """The larger of width and height, in px."""
        return max(self.width, self.height)

    @property
    def area(self) -> float:
        """Area in px²."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y) in px."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def shifted(self, dx: float, dy: float) -> "Box":
        """Return the box shifted by (dx, dy) px."""
        return Box(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def scaled(self, factor: float) -> "Box":
        """Return the box in a picture that is ``factor`` times as large."""
        return Box(self.left * factor, self.top * factor, self.right * factor, self.bottom * factor)

    def contains(self, x: float, y: float) -> bool:
        """Return whether a point lies in the box, or on its left or upper side."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def intersection(self, other: "Box") -> float:
        """Return the area shared with ``other`` in px²."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def iou(self, other: "Box") -> float:
        """Return intersection over union with ``other``, 0..1."""
        shared = self.intersection(other)
        return shared / (self.area + other.area - shared)

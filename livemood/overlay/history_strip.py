"""The last seconds of every face, as a strip of coloured bars in the corner of the picture."""

import math
from collections import deque
from collections.abc import Sequence
from typing import Final

import cv2

from livemood.core.geometry import Box
from livemood.core.labels import colour_bgr
from livemood.core.types import Image, Mood
from livemood.overlay.style import BRIGHT

LENGTH_S: Final = 30.0
"""Time that a strip shows, s."""
BIN_S: Final = 0.25
"""Width of a bin, s; each has one bar."""
MOST_BRIDGED: Final = 4
"""Largest number of bins that one bar covers where the next ones are empty."""
MOST_ROWS: Final = 6
"""Largest number of faces that are shown; of more, the newest."""
_BINS = round(LENGTH_S / BIN_S)
_PLATE_SHARE = 0.25


_History = deque[tuple[int, str, float]]
"""One face's (bin, label, confidence), one entry for each bin of time in which it was seen."""


class HistoryStrips:
    """Draws the moods of the last seconds: one row of bars per face, newest on the right, height by confidence.

    Args:
        labels: The model's labels in bundle order; they determine the colours of labels other than the eight emotions.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._histories: dict[int, _History] = {}
        self._now = 0

    def add(self, moods: Sequence[Mood], time_s: float) -> None:
        """Add one frame's moods; ``time_s`` never decreases."""
        self._now = math.floor(time_s / BIN_S)
        for mood in moods:
            seen = self._histories.setdefault(mood.track.id, _History(maxlen=_BINS))
            if seen and seen[-1][0] == self._now:
                seen.pop()
            seen.append((self._now, mood.label, mood.confidence))
        oldest = self._now - _BINS
        self._histories = {i: history for i, history in self._histories.items() if history[-1][0] > oldest}

    def draw(self, image: Image) -> list[Box]:
        """Draw the strips into the top right corner of (H, W, 3) uint8 BGR; nothing without faces.

        Returns:
            The box that they cover, in px; empty if nothing was drawn.
        """
        rows = sorted(self._histories.items())[-MOST_ROWS:]
        height, width = image.shape[:2]
        text = max(9, min(height, width) // 45)
        gap, row, names = text // 2, 2 * text, 3 * text
        step = max(1, width // 4 // _BINS)
        wide, high = names + step * _BINS + gap, row * len(rows) + gap
        if not rows or wide > width or high > height:
            return []
        taken = Box(width - gap - wide, gap, width - gap, gap + high)
        corner = image[gap : gap + high, width - gap - wide : width - gap]
        corner[:] = (corner * _PLATE_SHARE).astype(corner.dtype)
        for place, (track_id, history) in enumerate(rows):
            bottom = (place + 1) * row
            cv2.putText(corner, f"#{track_id}", (gap, bottom - gap), BRIGHT, cv2.FontFace("sans"), text)
            # A bar is extended to the next one, so that a low frame rate does not make stripes; longer gaps stay.
            ends = [*[at for at, *_ in history][1:], self._now + 1]
            for (at, label, confidence), end in zip(history, ends, strict=True):
                left = wide - gap - (self._now + 1 - at) * step
                right = left + min(end - at, MOST_BRIDGED) * step
                top = bottom - max(1, round(confidence * (row - gap)))
                if left >= names:
                    corner[top:bottom, left:right] = colour_bgr(label, self._labels)
        return [taken]

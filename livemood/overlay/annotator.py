"""Draw moods on a copy of a frame: Frame, moods -> annotated image."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.labels import EMOTIONS, UNSURE, colour_bgr
from livemood.core.settings import DrawStyle
from livemood.core.text_tables import printable
from livemood.core.types import Frame, Image, Mood
from livemood.overlay.label_layout import (
    Size,
    Sizes,
    clear_spot,
    emptiest_corner,
    grown,
    inside,
    place_label,
    spots_around,
    visible_part,
    with_forehead,
)
from livemood.overlay.mosaic import pixelate
from livemood.overlay.style import BRIGHT, DARK, DIM, PLATE_OPACITY, Colour

_REGULAR, _BOLD = 400, 600
_SMALLEST_TEXT = 8
# If fewer than this share of the faces have room for their label, no label is drawn.
_LEAST_LABELLED = 0.6
_LONGEST_LABEL, _LONGEST_LINE = 24, 80
_SUBPIXEL_BITS = 4


def _turned(corner: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a path (P, 2) along an upper left corner for all four corners, clockwise: (4, P, 2)."""
    return np.stack([corner[:: x * y] * (x, y) for x, y in ((1, 1), (-1, 1), (-1, -1), (1, -1))])


# Arcs of radius 1 without legs, and legs of length 1 without an arc between.
_ANGLES = np.linspace(0, np.pi / 2, 9)
_ARCS = _turned(np.pad(1 - np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1), ((1, 1), (0, 0))))
_LEGS = _turned(np.concatenate([[(0, 1)], np.zeros((len(_ANGLES), 2)), [(1, 0)]]))


class Annotator:
    """Draws moods on frames, without state between frames.

    Args:
        labels: The model's labels in bundle order; they determine the colours of labels other than the eight emotions.
        style: What to draw.
    """

    def __init__(self, labels: tuple[str, ...] = EMOTIONS, style: DrawStyle | None = None) -> None:
        self._labels = labels
        self._style = style or DrawStyle()

    def draw(self, frame: Frame, moods: Sequence[Mood], kept: Sequence[Box] = ()) -> Image:
        """Return an annotated copy of a frame.

        A face wholly outside the frame is not drawn; nor are labels and panels that have no room beside other faces
        and labels. A legend then explains the colours.

        Args:
            frame: The frame; not changed.
            moods: In any order, boxes in px of this frame.
            kept: Areas, in px, that labels and panels avoid where possible.

        Returns:
            (H, W, 3) uint8 BGR of the frame's size, writable.
        """
        image = frame.image.copy()
        size = (frame.width, frame.height)
        sizes = Sizes.of(size)
        if self._style.blur:
            for mood in moods:
                pixelate(image, with_forehead(mood, mood.box))
        # In the order of ids: the order of detections changes from frame to frame, which would make labels jump.
        ordered = sorted(moods, key=lambda mood: mood.track.id)
        seen = [(mood, part) for mood in ordered if (part := visible_part(mood.box, size))]
        for mood, part in seen:
            _brackets(image, part, self._colour(mood.label), sizes)
        heads = [(mood, grown(with_forehead(mood, part), sizes.reach)) for mood, part in seen]
        for card, spot, text_px in self._cards(heads, size, sizes, kept):
            card.draw(image, spot, text_px)
        return image

    def hud(self, image: Image, lines: Sequence[str]) -> None:
        """Write status lines, one under the other, into the bottom left corner.

        Args:
            image: (H, W, 3) uint8 BGR; written to.
            lines: Such as ``24 fps``; none draws nothing.
        """
        frame = (image.shape[1], image.shape[0])
        sizes = Sizes.of(frame)
        card = _Rows(tuple((_shown(line, _LONGEST_LINE), BRIGHT, _REGULAR) for line in lines))
        text_px = _fitting(card, sizes.small, frame)
        if lines and text_px:
            size = card.size(text_px)
            card.draw(image, inside(sizes.gap, frame[1] - sizes.gap - size[1], size, frame), text_px)

    def _cards(
        self, heads: Sequence[tuple[Mood, Box]], frame: Size, sizes: Sizes, kept: Sequence[Box]
    ) -> list[tuple["_Card", Box, int]]:
        """Return every card with its box and text size: labels, then panels in the remaining room.

        A face without room for its label has only coloured corners, which a legend explains. If too many faces have no
        room, no label is drawn at all.
        """
        cards = self._labels_of(heads, frame, sizes, kept)
        crowded = len(cards) < _LEAST_LABELLED * len(heads)
        if crowded:
            cards = []
        faces = [face for _, face in heads]
        if len(cards) < len(heads):
            cards += self._legend([mood for mood, _ in heads], [*faces, *kept], frame, sizes)
        for mood, face in heads if self._style.panel and not crowded else ():
            panel = _Rows.of(mood, self._labels)
            for text_px in range(_fitting(panel, sizes.small, frame) or 0, _SMALLEST_TEXT - 1, -1):
                spots = spots_around(face, panel.size(text_px), frame, sizes.gap, beside=True)
                if spot := clear_spot(spots, [taken for _, taken, _ in cards] + [*faces, *kept]):
                    cards.append((panel, spot, text_px))
                    break
        return cards

    def _labels_of(
        self, heads: Sequence[tuple[Mood, Box]], frame: Size, sizes: Sizes, kept: Sequence[Box]
    ) -> list[tuple["_Card", Box, int]]:
        """Return the labels that have room, or those found until it is certain that too many have none."""
        cards: list[tuple[_Card, Box, int]] = []
        for place, (mood, face) in enumerate(heads):
            others = [other for number, (_, other) in enumerate(heads) if number != place]
            labels = [spot for _, spot, _ in cards]
            found = self._label_of(mood, face, others, [*labels, *kept], frame, sizes)
            if not found and kept:
                found = self._label_of(mood, face, others, labels, frame, sizes)
            cards += found
            left = len(heads) - place - 1
            if len(cards) + left < _LEAST_LABELLED * len(heads):
                break
        return cards

    def _label_of(
        self, mood: Mood, face: Box, others: Sequence[Box], taken: Sequence[Box], frame: Size, sizes: Sizes
    ) -> list[tuple["_Card", Box, int]]:
        """Return a face's label if there is room for it: whole, without the kind of smile, or its first word alone."""
        style, colour = self._style, self._colour(mood.label)
        whole, plain = (_Label.of(mood, colour, one) for one in (style, replace(style, smile_kind=False)))
        for label in dict.fromkeys((whole, plain, replace(whole, words=whole.words[:1], share=None))):
            text_px = _fitting(label, sizes.text_of(face), frame)
            spot = place_label(face, label.size(text_px), others, taken, frame, sizes.gap) if text_px else None
            if text_px and spot:
                return [(label, spot, text_px)]
        return []

    def _legend(
        self, moods: Sequence[Mood], obstacles: Sequence[Box], frame: Size, sizes: Sizes
    ) -> list[tuple["_Card", Box, int]]:
        """Return a card with the number of faces of each label, in the colours of their corners."""
        counts = Counter(mood.label for mood in moods).most_common()
        rows = tuple((f"{_shown(label, _LONGEST_LABEL)} {count}", BRIGHT, _REGULAR) for label, count in counts)
        bars = tuple((count / len(moods), self._colour(label)) for label, count in counts)
        legend = _Rows(rows, bars)
        text_px = _fitting(legend, sizes.small, frame) if len(moods) > 1 else None
        return (
            [(legend, emptiest_corner(legend.size(text_px), obstacles, frame, sizes.gap), text_px)] if text_px else []
        )

    def _colour(self, label: str) -> Colour:
        return colour_bgr(label, self._labels)


@dataclass(frozen=True, slots=True)
class _Label:
    """A card of words (text, colour, weight) in one row, over a bar filled up to ``share``, if there is one."""

    words: tuple[tuple[str, Colour, int], ...]
    share: float | None
    colour: Colour

    @classmethod
    def of(cls, mood: Mood, colour: Colour, style: DrawStyle) -> Self:
        # ``unsure`` is not an emotion, so it has no probability.
        known = mood.label != UNSURE
        words = [(_shown(mood.label, _LONGEST_LABEL), BRIGHT, _BOLD)]
        words += [(f"{mood.smile_kind} smile", BRIGHT, _REGULAR)] if mood.smile_kind and style.smile_kind else []
        words += [(f"{mood.confidence:.0%}", BRIGHT, _REGULAR)] if known else []
        words += [(_shown(mood.reason, _LONGEST_LABEL), DIM, _REGULAR)] if mood.reason else []
        words += [(f"#{mood.track.id}", DIM, _REGULAR)] if style.ids else []
        return cls(tuple(words), mood.confidence if known else None, colour)

    def size(self, text_px: int) -> Size:
        widths = sum(_width(word, text_px, weight) for word, _, weight in self.words)
        return widths + (len(self.words) + 1) * _pad(text_px), round(1.75 * text_px)

    def draw(self, image: Image, spot: Box, text_px: int) -> None:
        _plate(image, spot, text_px)
        x = int(spot.left) + _pad(text_px)
        for word, colour, weight in self.words:
            _write(image, word, (x, int(spot.top) + round(1.1 * text_px)), text_px, colour, weight)
            x += _width(word, text_px, weight) + _pad(text_px)
        if self.share is not None:
            thick = max(2, round(text_px / 7))
            sides = spot.left + _pad(text_px), spot.right - _pad(text_px)
            _bar(image, Box(sides[0], spot.bottom - 2 * thick, sides[1], spot.bottom - thick), self.share, self.colour)


@dataclass(frozen=True, slots=True)
class _Rows:
    """A card of rows (text, colour, weight), with a bar (share, colour) beside each if there are bars."""

    rows: tuple[tuple[str, Colour, int], ...]
    bars: tuple[tuple[float, Colour], ...] = ()

    @classmethod
    def of(cls, mood: Mood, labels: tuple[str, ...]) -> Self:
        names = [(_shown(name, _LONGEST_LABEL), name == mood.label) for name in mood.scores]
        return cls(
            tuple((name, BRIGHT, _BOLD) if leads else (name, DIM, _REGULAR) for name, leads in names),
            tuple((share, colour_bgr(name, labels)) for name, share in mood.scores.items()),
        )

    def size(self, text_px: int) -> Size:
        # Measured in bold, so that the card keeps its width when another emotion leads.
        names = max((_width(name, text_px, _BOLD) for name, *_ in self.rows), default=0)
        bars = 5 * text_px + _pad(text_px) if self.bars else 0
        return names + bars + 2 * _pad(text_px), round(1.35 * text_px) * len(self.rows) + _pad(text_px)

    def draw(self, image: Image, spot: Box, text_px: int) -> None:
        _plate(image, spot, text_px)
        first = int(spot.top) + _pad(text_px) // 2 + text_px
        lines = [first + round(1.35 * text_px) * row for row in range(len(self.rows))]
        for y, (name, colour, weight) in zip(lines, self.rows, strict=True):
            _write(image, name, (int(spot.left) + _pad(text_px), y), text_px, colour, weight)
        right = spot.right - _pad(text_px)
        for y, (share, colour) in zip(lines, self.bars, strict=False):
            _bar(
                image,
                Box(right - 5 * text_px, y - round(0.6 * text_px), right, y - round(0.1 * text_px)),
                share,
                colour,
            )


_Card = _Label | _Rows


def _fitting(card: _Card, text_px: int, frame: Size) -> int | None:
    """Return the largest legible size of text up to ``text_px`` with which a card fits the frame."""
    for smaller in range(text_px, _SMALLEST_TEXT - 1, -1):
        width, height = card.size(smaller)
        if width <= frame[0] and height <= frame[1]:
            return smaller
    return None


def _shown(text: str, limit: int) -> str:
    """Return text shortened, with unprintable characters replaced; OpenCV crashes on half of a surrogate pair."""
    text = printable(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _font() -> cv2.FontFace:
    # Created for each call (3 µs): a font holds its size, so threads cannot share one.
    return cv2.FontFace("sans")


@lru_cache(4096)
def _width(text: str, px: int, weight: int) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), _font(), px, weight)[2])


def _write(image: Image, text: str, start: tuple[int, int], px: int, colour: Colour, weight: int) -> None:
    cv2.putText(image, text, start, colour, _font(), px, weight)


def _pad(text_px: int) -> int:
    return round(0.5 * text_px)


def _cut(image: Image, box: Box) -> Image:
    """Return a view of the part of an image under a box in whole px."""
    return image[int(box.top) : int(box.bottom), int(box.left) : int(box.right)]


def _plate(image: Image, spot: Box, text_px: int) -> None:
    """Darken a rounded rectangle."""
    part = _cut(image, spot)
    dark = part.copy()
    edge = Box(0, 0, spot.width - 1, spot.height - 1)
    radius = min(0.35 * text_px, edge.width / 2, edge.height / 2)
    cv2.fillPoly(dark, [_corners(edge, radius, radius).reshape(-1, 2)], DARK, cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.addWeighted(dark, PLATE_OPACITY, part, 1 - PLATE_OPACITY, 0, dst=part)


def _bar(image: Image, bar: Box, share: float, colour: Colour) -> None:
    """Fill a groove up to ``share`` (0..1) of its width."""
    groove = _cut(image, bar)
    groove[:] = DARK
    groove[:, : round(groove.shape[1] * share)] = colour


def _brackets(image: Image, face: Box, colour: Colour, sizes: Sizes) -> None:
    """Draw the four corners of a face's box, just outside it, in colour over a dark outline."""
    height, width = image.shape[:2]
    # Rows and columns of the outline's innermost pixels; at the frame's edge the lines move inwards to stay visible.
    left, top = max(face.left, sizes.reach) - 1, max(face.top, sizes.reach) - 1
    right, bottom = min(face.right, width - sizes.reach), min(face.bottom, height - sizes.reach)
    inner = Box(left, top, max(right, left + 1), max(bottom, top + 1))
    side = min(inner.width, inner.height)
    radius, leg = 0.08 * side, 0.22 * side
    _bands(image, inner, sizes.reach, radius, leg + sizes.outline, DARK)
    _bands(image, grown(inner, sizes.outline), sizes.line, radius + sizes.outline, leg + sizes.outline, colour)


def _bands(image: Image, inner: Box, thick: int, radius: float, leg: float, colour: Colour) -> None:
    """Fill the corners between a box and the one ``thick`` px around it; unlike thick lines, these end squarely."""
    more = thick - 1
    outer, near_edge = _corners(grown(inner, more), radius + more, leg + more), _corners(inner, radius, leg)
    bands = np.concatenate([outer, near_edge[:, ::-1]], 1)
    cv2.fillPoly(image, list(bands), colour, cv2.LINE_AA, _SUBPIXEL_BITS)


def _corners(box: Box, radius: float, leg: float) -> npt.NDArray[np.int32]:
    """Return the paths along the four corners of a box in whole px, clockwise: (4, P, 2), fixed-point px."""
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.int32)
    return np.asarray((corners[:, None] << _SUBPIXEL_BITS) + _paths(radius, leg))


@lru_cache(1024)
def _paths(radius: float, leg: float) -> npt.NDArray[np.int32]:
    """Return the paths of ``_corners`` relative to the four corners: an arc with a straight leg at each end."""
    return np.round((radius * _ARCS + leg * _LEGS) * (1 << _SUBPIXEL_BITS)).astype(np.int32)

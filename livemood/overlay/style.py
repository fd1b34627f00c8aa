"""Colours and opacity of labels, panels and strips."""

from typing import Final

Colour = tuple[int, int, int]
"""Blue, green and red, 0..255."""

DARK: Final[Colour] = (24, 20, 20)
"""Of plates, outlines and empty bars."""
BRIGHT: Final[Colour] = (245, 245, 245)
"""Of text."""
DIM: Final[Colour] = (200, 200, 200)
"""Of text that matters less."""
PLATE_OPACITY: Final = 0.86
"""Of the plate below a label or panel, 0..1."""

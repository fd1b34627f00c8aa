"""Colours of charts on a light and on a dark page."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from livemood.core.labels import UNSURE, colour_bgr

# What WCAG 2.2 asks of graphics against their surroundings (success criterion 1.4.11).
_LEAST_CONTRAST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a page, as #rrggbb."""

    surface: str
    text: str
    grid: str


LIGHT: Final = Theme(surface="#ffffff", text="#1c1e22", grid="#d9dce1")
DARK: Final = Theme(surface="#15171b", text="#e9eaed", grid="#3a3e46")


def palette(theme: Theme, labels: tuple[str, ...]) -> dict[str, str]:
    """Return the colour of each label, and of ``unsure``, with enough contrast for the theme's page."""
    return {label: _readable(colour_bgr(label, labels), theme.surface) for label in (*labels, UNSURE)}


def inks(colours: dict[str, str]) -> dict[str, str]:
    """Return black or white for each colour, whichever has more contrast with it."""
    return {label: max(("#000000", "#ffffff"), key=partial(_contrast, colour)) for label, colour in colours.items()}


def _contrast(one: str, other: str) -> float:
    """Return WCAG's contrast ratio of two colours, 1..21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: tuple[int, int, int], surface: str) -> str:
    goal = 0 if _luminance(surface) > 0.5 else 255
    for step in range(51):
        blue, green, red = (round(value + (goal - value) * step / 50) for value in colour)
        mixed = f"#{red:02x}{green:02x}{blue:02x}"
        if _contrast(mixed, surface) >= _LEAST_CONTRAST:
            break
    return mixed


def _luminance(colour: str) -> float:
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

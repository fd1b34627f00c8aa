import numpy as np
import pytest

from livemood.sinks.window import framed, key_name
from tests.support.builders import corners, quadrants


@pytest.mark.parametrize(
    ("window", "size", "picture"),
    [
        ((64, 48), (64, 48), (64, 48)),
        ((0, 0), (64, 48), (64, 48)),
        ((200, 100), (96, 48), (64, 48)),
        ((48, 72), (64, 96), (64, 48)),
        ((600, 24), (600, 24), (32, 24)),
        ((12, 300), (12, 300), (12, 9)),
        ((1500, 2), (1500, 2), (3, 2)),
    ],
)
def test_picture_when_the_window_has_another_shape_then_keeps_its_own_between_bars(
    window: tuple[int, int], size: tuple[int, int], picture: tuple[int, int]
) -> None:
    shown = framed(np.full((48, 64, 3), 200, np.uint8), *window)
    assert shown.shape == (size[1], size[0], 3)
    assert (shown == 200).sum() == 3 * picture[0] * picture[1]
    assert (shown == 0).sum() == shown.size - 3 * picture[0] * picture[1]


def test_picture_when_the_window_is_flat_then_is_shown_whole() -> None:
    assert corners(framed(quadrants(), 600, 24)[:, 284:316]) == "RGBW"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (ord("q"), "q"),
        (ord("Q"), "q"),
        (0x10000 | ord("Q"), "q"),  # with Shift, on GTK
        (0x120000 | ord("Q"), "q"),  # with Caps Lock and Num Lock
        (32, "space"),
        (27, "esc"),
        (-1, None),
        (0, None),  # a letter beyond ASCII, on Qt
        (0xFF50, None),  # Home
        (0xFF51, None),  # Left
        (0xFF52, None),  # Up
        (0xFF53, None),  # Right
        (0xE9, None),  # an accented letter, on GTK
        (0x250000, None),  # Left, on Windows
        (0xF702, None),  # Left, on macOS
        (0x40000 | ord("s"), None),  # with Ctrl
        (0x80000 | ord("b"), None),  # with Alt
        (0x400000 | ord("s"), None),  # with Super
    ],
)
def test_key_when_it_is_no_plain_character_then_is_none(code: int, name: str | None) -> None:
    assert key_name(code) == name

import numpy as np
import pytest

from livemood.sinks.window import framed
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

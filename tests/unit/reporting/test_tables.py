"""Figures as text."""

import pytest

from livemood.reporting.tables import clock


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (5.2, "0:05.2"),
        (-5.2, "-0:05.2"),
        (-65.5, "-1:05.5"),
        (-0.01, "0:00.0"),
        (11045, "3:04:05"),
        (-3600, "-1:00:00"),
    ],
)
def test_clock_then_is_read_with_its_sign(time_s: float, text: str) -> None:
    assert clock(time_s) == text

"""Settings that no run can begin with."""

import math
from typing import Any

import pytest

from livemood.core.errors import LivemoodError
from livemood.training.settings import TrainSettings


@pytest.mark.parametrize("rate", [0.0, -0.1, math.nan, math.inf])
def test_settings_when_the_rate_is_not_above_zero_or_no_number_then_refused(rate: float) -> None:
    with pytest.raises(LivemoodError, match="is not a learning rate; give learning_rate one above 0"):
        TrainSettings(learning_rate=rate)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": -1}, "seed is -1; give seed 0 to 4294967295"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"blends": 101}, "blends is 101; give blends 0 to 100"),
        ({"epochs": 0}, "epochs is 0; give epochs at least 1"),
        ({"ema_decay": math.nan}, "ema_decay is nan; give ema_decay 0 to 1"),
    ],
)
def test_settings_when_a_number_is_out_of_range_then_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(LivemoodError) as told:
        TrainSettings(**given)
    assert said in str(told.value)


def test_settings_when_at_the_ends_of_their_ranges_then_taken() -> None:
    settings = TrainSettings(learning_rate=1e-12, seed=2**32 - 1, blends=100)
    assert (settings.learning_rate, settings.seed, settings.blends) == (1e-12, 2**32 - 1, 100)

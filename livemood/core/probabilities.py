"""Calibration of probabilities by a temperature, and another class prior."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_TINY = 1e-7


def with_temperature(
    probabilities: npt.NDArray[np.float32], temperature: float, offsets: Sequence[float] = (0.0,)
) -> npt.NDArray[np.float32]:
    """Return (N, K) float32 probabilities after dividing the logits behind ``probabilities`` by a temperature.

    See Guo et al. 2017. Columns may be a subset of the classes; rows are renormalised over them. NaN input gives NaN.

    Args:
        probabilities: (N, K).
        temperature: Above 0.
        offsets: Added to the logits before the division: K numbers, or one for all.
    """
    with np.errstate(all="ignore"):
        factors = np.exp(np.array(offsets, np.float32) / np.float32(temperature))
        powers = np.maximum(probabilities, _TINY) ** (1 / temperature) * factors
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)

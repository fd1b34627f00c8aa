"""Calibration of probabilities by a temperature."""

import numpy as np
import numpy.typing as npt

_TINY = 1e-7


def with_temperature(probabilities: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float32]:
    """Return (N, K) float32 probabilities after dividing the logits behind ``probabilities`` by a temperature.

    See Guo et al. 2017. Columns may be a subset of the classes; rows are renormalised over them. NaN input gives NaN.
    """
    with np.errstate(all="ignore"):
        powers = np.maximum(probabilities, _TINY) ** (1 / temperature)
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)

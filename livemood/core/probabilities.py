"""Calibration of probabilities by a temperature."""

import numpy as np
import numpy.typing as npt

_TINY = 1e-7


def with_temperature(probabilities: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float32]:
    """Divide the logits behind (N, K) probabilities by a temperature (Guo et al. 2017).

    Rows may be a part of the classes: to leave some out before equals a softmax over the others. What is not a
    probability gives what is not a number.
    """
    with np.errstate(all="ignore"):
        powers = np.maximum(probabilities, _TINY) ** (1 / temperature)
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)

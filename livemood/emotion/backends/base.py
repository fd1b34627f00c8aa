"""The protocol of a backend."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from livemood.core.settings import EngineName

Pixels = npt.NDArray[np.float32]
"""(N, S, S, C) float32, raw 0..255."""
Outputs = Mapping[str, npt.NDArray[np.float32]]
"""(N, K) float32 probabilities by head."""


class Backend(Protocol):
    """Runs a bundle's network. Any thread may call it; calls run one at a time.

    Attributes:
        name: Name of the engine, such as ``litert``.
    """

    name: EngineName

    def run(self, pixels: Pixels) -> Outputs:
        """Return the uncalibrated probabilities of N crops.

        Args:
            pixels: (N, S, S, C) float32, raw 0..255.

        Returns:
            (N, K) float32 by head.

        Raises:
            ModelIncompatible: The network cannot be run.
        """
        ...

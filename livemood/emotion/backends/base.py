"""What every backend is."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from livemood.core.settings import EngineName

Pixels = npt.NDArray[np.float32]
"""(N, S, S, C) float32, raw 0..255."""
Outputs = Mapping[str, npt.NDArray[np.float32]]
"""By head: (N, K) float32 probabilities."""


class Backend(Protocol):
    """Runs a bundle's network; any thread may call it, one runs at a time."""

    name: EngineName

    def run(self, pixels: Pixels) -> Outputs:
        """Run the network on N crops.

        Raises:
            ModelIncompatible: The network cannot be run.
        """
        ...

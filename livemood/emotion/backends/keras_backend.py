"""Run a bundle's ``model.keras`` with Keras."""

from threading import Lock
from typing import Any

import numpy as np

from livemood.bundles.keras_model import load_keras
from livemood.bundles.manifest import Bundle
from livemood.core.labels import EMOTION
from livemood.core.settings import EngineName
from livemood.emotion.backends.base import Backend, Outputs, Pixels


class KerasBackend(Backend):
    """A Keras model: one output of probabilities, or a dictionary of outputs by head."""

    name: EngineName = "keras"

    def __init__(self, bundle: Bundle) -> None:
        self._network: Any = load_keras(bundle)
        self._one_at_a_time = Lock()

    def run(self, pixels: Pixels) -> Outputs:
        """Run all crops at once."""
        with self._one_at_a_time:
            found = self._network.predict_on_batch(pixels)
        outputs = found if isinstance(found, dict) else {EMOTION: found}
        return {name: np.asarray(values, np.float32) for name, values in outputs.items()}


def open_backend(bundle: Bundle) -> Backend:
    """Open a bundle's Keras network."""
    return KerasBackend(bundle)

"""Run a bundle's ``model.keras`` with Keras."""

import os
from threading import Lock
from typing import Any

import numpy as np

from livemood.bundles.manifest import Bundle
from livemood.core.errors import ModelIncompatible
from livemood.core.labels import EMOTION
from livemood.core.settings import EngineName
from livemood.emotion.backends.base import Backend, Outputs, Pixels
from livemood.runtime.native_output import native_stderr_held, silence_native_logs
from livemood.runtime.optional_deps import need_keras


class KerasBackend(Backend):
    """A Keras model: one output of probabilities, or a dictionary of outputs by head."""

    name: EngineName = "keras"

    def __init__(self, bundle: Bundle) -> None:
        silence_native_logs()
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        need_keras()
        with native_stderr_held():
            import keras

        file = bundle.checked(bundle.keras)
        try:
            with native_stderr_held():
                self._network: Any = keras.saving.load_model(file, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ModelIncompatible(f"{file} is not a model that Keras can load ({error})") from error
        output = self._network.output
        heads = output if isinstance(output, dict) else {EMOTION: output}
        found = {name: tensor.shape[-1] for name, tensor in heads.items()}
        expected = {head.name: len(head.labels) for head in bundle.heads}
        if found != expected:
            raise ModelIncompatible(f"{file} has outputs {found}, its manifest names {expected}")
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

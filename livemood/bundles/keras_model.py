"""Load the Keras model of a bundle."""

import os
from collections.abc import Mapping
from typing import Any

from livemood.bundles.manifest import Bundle
from livemood.core.errors import ModelIncompatible
from livemood.core.labels import EMOTION
from livemood.runtime.native_output import keep_no_bytecode, native_stderr_held, silence_native_logs
from livemood.runtime.optional_deps import need_keras


def load_keras(bundle: Bundle) -> Any:
    """Return the bundle's keras.Model, (N, S, S, C) raw 0..255 to (N, K) probabilities of each head.

    Raises:
        LivemoodError: Keras is not installed.
        ModelMissing: Its file is not there.
        ModelIncompatible: Its file is altered, not a Keras model, or takes or returns something else than its manifest
            says.
    """
    silence_native_logs()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    need_keras()
    file = bundle.checked(bundle.keras)
    with native_stderr_held():
        import keras

        keep_no_bytecode()
        try:
            network = keras.saving.load_model(file, compile=False)
            output = network.output
            heads = output if isinstance(output, dict) else {EMOTION: output}
            taken, returned = network.input_shape[1:], {head: tensor.shape[1:] for head, tensor in heads.items()}
        except (ValueError, OSError, TypeError, KeyError, AttributeError) as error:
            raise ModelIncompatible(f"{file} is not a model that Keras can load ({error})") from error
    if taken != bundle.crop.shape:
        raise ModelIncompatible(f"{file} takes {taken}, where its manifest says {bundle.crop.shape}")
    if returned != (stated := {head.name: (len(head.labels),) for head in bundle.heads}):
        raise ModelIncompatible(f"{file} returns {_listed(returned)}, where its manifest says {_listed(stated)}")
    return network


def _listed(heads: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{head} {shape}" for head, shape in heads.items())

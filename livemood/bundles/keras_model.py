"""Load the Keras model of a bundle."""

import os
from typing import Any

from livemood.bundles.manifest import Bundle
from livemood.core.errors import ModelIncompatible
from livemood.runtime.native_output import keep_no_bytecode, native_stderr_held, silence_native_logs
from livemood.runtime.optional_deps import need_keras


def load_keras(bundle: Bundle) -> Any:
    """Return the bundle's keras.Model, (N, S, S, C) raw 0..255 to (N, K) probabilities of each head.

    Raises:
        LivemoodError: Keras is not installed.
        ModelMissing: Its file is not there.
        ModelIncompatible: Its file is altered or not a Keras model.
    """
    silence_native_logs()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    need_keras()
    file = bundle.checked(bundle.keras)
    with native_stderr_held():
        import keras

        keep_no_bytecode()
        try:
            return keras.saving.load_model(file, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ModelIncompatible(f"{file} is not a model that Keras can load ({error})") from error

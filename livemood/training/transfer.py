"""Begin with a bundle's network instead of chance: a few pictures of one's own are enough then."""

from typing import Any

import numpy as np

from livemood.bundle import Bundle
from livemood.errors import ModelIncompatible
from livemood.quiet import ask_for_silence, keep_no_bytecode, native_stderr_held
from livemood.training.model import EMOTION_HEAD, with_heads


def load_network(bundle: Bundle) -> Any:
    """Return the bundle's keras.Model, (N, S, S, C) raw 0..255 to (N, K) probabilities.

    Raises:
        ModelMissing: Its file is not there.
        ModelIncompatible: Its file is altered or not a Keras model.
    """
    ask_for_silence()
    file = bundle.checked(bundle.keras)
    with native_stderr_held():
        import keras

        keep_no_bytecode()
        try:
            return keras.saving.load_model(file, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ModelIncompatible(f"{file} is not a model that Keras can load ({error})") from error


def from_bundle(bundle: Bundle, labels: tuple[str, ...]) -> Any:
    """Return a training model with the bundle's body and a head for ``labels``.

    Classes that the bundle knows keep what it learned of them; new ones begin at nothing. Batch statistics stay as they
    are: a few dozen pictures would estimate them badly.

    Raises:
        ModelMissing: Its file is not there.
        ModelIncompatible: It was not made by ``livemood train``.
    """
    network = load_network(bundle)
    try:
        head = network.get_layer(EMOTION_HEAD)
        kernel, bias = head.get_weights()
    except ValueError as error:
        raise ModelIncompatible(f"{bundle.folder} was not made by livemood train; fine-tune one that was") from error
    model = with_heads(network.inputs[0], head.input, len(labels))
    own_kernel, own_bias = np.zeros((len(kernel), len(labels)), "f4"), np.zeros(len(labels), "f4")
    for place, label in enumerate(labels):
        if label in bundle.labels:
            own_kernel[:, place] = kernel[:, bundle.labels.index(label)]
            own_bias[place] = bias[bundle.labels.index(label)]
    model.get_layer(EMOTION_HEAD).set_weights([own_kernel, own_bias])
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.trainable = False
    return model

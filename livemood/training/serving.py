"""What is shipped of a trained model: one head, batch statistics folded into the kernels, float16 weights."""

from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.training.model import EMOTION_HEAD


def serving_model(model: Any) -> Any:
    """Return the part of a trained model that is shipped.

    The LiteRT converter folds batch normalisation and rounds weights to float16. Done here already, both files of a
    bundle hold the very same numbers, and differ by the order of additions only.

    Args:
        model: The two-headed keras.Model; it is left as it is.

    Returns:
        keras.Model: (N, S, S, C) raw 0..255 to (N, K) probabilities.
    """
    from keras import Model, models

    body = Model(model.inputs[0], model.get_layer(EMOTION_HEAD).output)
    norms = {norm.input._keras_history.operation.name: norm for norm in body.layers if _is_norm(norm)}

    def folded(layer: Any) -> Any:
        settings = layer.get_config()
        if layer.name in norms:
            settings["use_bias"] = True
        return type(layer).from_config(settings)

    def passed(layer: Any, *tensors: Any, **_: Any) -> Any:
        return tensors[0] if _is_norm(layer) else layer(*tensors)

    shipped = models.clone_model(body, clone_function=folded, call_function=passed)
    for layer in shipped.layers:
        weights = body.get_layer(layer.name).get_weights()
        if layer.name in norms:
            weights = _folded(weights[0], norms[layer.name])
        if layer.get_weights():
            layer.set_weights([weight.astype(np.float16).astype(np.float32) for weight in weights])
    return shipped


def _is_norm(layer: Any) -> bool:
    return type(layer).__name__ == "BatchNormalization"


def _folded(kernel: npt.NDArray[np.float32], norm: Any) -> list[npt.NDArray[np.float32]]:
    """Return kernel and bias of the convolution that does what convolution and normalisation did together."""
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return [kernel * scale, beta - mean * scale]

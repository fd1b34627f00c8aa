"""The serving model: plain convolutions with batch normalisation folded in, and float16 weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTION
from livemood.training.model.equivariant_layers import both_halves, mirrored_layers


def serving_model(model: Any, heads: Sequence[str] = (EMOTION,)) -> Any:
    """Return the part of a trained model that is shipped.

    The LiteRT converter folds batch normalisation and rounds weights to float16. As this is done here already, both
    files of a bundle hold the same weights and differ in the order of additions only. Mirrored kernels, of which the
    training model stores half, are written out, so that the model has standard Keras layers only.

    Args:
        model: keras.Model with all heads; not changed.
        heads: The heads to ship; the others are for training only.

    Returns:
        keras.Model: (N, S, S, C) raw 0..255 to (N, K) probabilities; of several heads, a dictionary of these.
    """
    from keras import Model, layers, models

    mirrored = mirrored_layers()
    outputs = {head: model.get_layer(head).output for head in heads}
    body = Model(model.inputs[0], outputs if len(heads) > 1 else outputs[heads[0]])
    norms = {
        layer.input._keras_history.operation.name: layer
        for layer in body.layers
        if isinstance(layer, mirrored.Normalization)
    }

    def plain(layer: Any) -> Any:
        if isinstance(layer, mirrored.Convolution):
            return layers.Conv2D(layer.filters, layer.size, layer.stride, "same", name=layer.name)
        return type(layer).from_config(layer.get_config())

    def passed(layer: Any, *tensors: Any, **_: Any) -> Any:
        return tensors[0] if isinstance(layer, (mirrored.Normalization, mirrored.Halves)) else layer(*tensors)

    halved = any(isinstance(layer, mirrored.Halves) for layer in body.layers)
    shipped = models.clone_model(body, clone_function=plain, call_function=passed)
    for layer in shipped.layers:
        trained = body.get_layer(layer.name)
        weights = trained.get_weights()
        if isinstance(trained, mirrored.Convolution):
            weights = _whole(trained, norms.get(layer.name))
        elif layer.name in heads and halved:
            weights[0] = both_halves(weights[0]) / 2
        if weights:
            layer.set_weights([weight.astype(np.float16).astype(np.float32) for weight in weights])
    return shipped


def _whole(convolution: Any, norm: Any | None) -> list[npt.NDArray[np.float32]]:
    """Return kernel and bias of a convolution, with the normalisation that follows it folded in, if there is one."""
    from keras import ops

    kernel = np.asarray(ops.convert_to_numpy(convolution.kernel()))
    if norm is None:
        return [kernel, both_halves(convolution.get_weights()[1])]
    gamma, beta, mean, variance = map(both_halves, norm.get_weights())
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return [kernel * scale, beta - mean * scale]

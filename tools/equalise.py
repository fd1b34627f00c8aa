"""Cross-layer equalisation: give all channels of a map similar ranges, so that int8 quantisation loses less.

The network computes the same function: a ReLU commutes with positive factors, so the outputs of a convolution can be
divided, channel by channel, by factors with which the next kernel is multiplied (Nagel et al., "Data-free quantization
through weight equalization and bias correction", 2019). Maps that are added share their factors, and so do channels
that are mirror images of each other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Factors = dict[str, npt.NDArray[np.float64]]
_PASSING = ("ReLU", "AveragePooling2D", "GlobalAveragePooling2D", "Dropout")
_SEEN = 99.99


def equalise(model: Any, crops: npt.NDArray[np.uint8], power: float = 0.5) -> None:
    """Change the weights of a plain network of convolutions in place.

    Args:
        model: (N, S, S, 1) raw 0..255 to probabilities; convolutions, ReLUs, sums, pooling, dense heads.
        crops: (N, S, S, 1) uint8 on which ranges are measured.
        power: 1 gives all channels of a map the same range; lower values change the kernels less.
    """
    group = _groups(model)
    factors = _factors(model, crops, group, power)
    for layer in model.layers:
        kind = type(layer).__name__
        if kind not in ("Conv2D", "Dense"):
            continue
        kernel, bias = layer.get_weights()
        before = factors.get(group[_giver(layer)])
        if before is not None:
            kernel = kernel * before[:, None]
        if kind == "Conv2D":
            after = factors[group[layer.name]]
            kernel, bias = kernel / after, bias / after
        layer.set_weights([kernel, bias])


def _giver(layer: Any, place: int = 0) -> str:
    tensor = layer._inbound_nodes[0].input_tensors[place]
    return str(tensor._keras_history.operation.name)


def _groups(model: Any) -> dict[str, str]:
    """Return the name of the group of factors of every layer's output, by layer."""
    group: dict[str, str] = {}
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in _PASSING:
            group[layer.name] = group[_giver(layer)]
        elif kind == "Add":
            one, other = (group[_giver(layer, place)] for place in (0, 1))
            group = {name: one if own == other else own for name, own in group.items()} | {layer.name: one}
        else:
            group[layer.name] = layer.name
    return group


def _factors(model: Any, crops: npt.NDArray[np.uint8], group: dict[str, str], power: float) -> Factors:
    import keras

    convolutions = {group[layer.name] for layer in model.layers if type(layer).__name__ == "Conv2D"}
    seen = [layer for layer in model.layers if type(layer).__name__ == "ReLU" and group[layer.name] in convolutions]
    maps = keras.Model(model.inputs[0], [layer.output for layer in seen]).predict_on_batch(crops.astype(np.float32))
    found: Factors = {}
    for layer, values in zip(seen, maps, strict=True):
        values = np.asarray(values)
        ranges = np.percentile(values.reshape(-1, values.shape[-1]), _SEEN, axis=0)
        name = group[layer.name]
        found[name] = np.maximum(found.get(name, 0.0), ranges)
    for name, ranges in found.items():
        half = np.maximum(*ranges.reshape(2, -1))
        both = np.concatenate([half, half])
        both = np.maximum(both, 0.01 * both.max()) ** power
        found[name] = both / np.exp(np.log(both).mean())
    return found

"""The network of a bundle, for fine-tuning."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from livemood.bundles.keras_model import load_keras
from livemood.bundles.manifest import Bundle
from livemood.core.errors import ModelIncompatible
from livemood.core.labels import EMOTION
from livemood.training.model.network import sizes, with_heads


def from_bundle(bundle: Bundle, heads: Mapping[str, tuple[str, ...]]) -> Any:
    """Return a training model with the bundle's backbone and new heads.

    Batch statistics are frozen: a few dozen pictures would estimate them badly.

    Raises:
        ModelMissing: Its file is not there.
        ModelIncompatible: It was not made by ``livemood train``.
    """
    network = load_keras(bundle)
    try:
        model = with_own_heads(network, {head.name: head.labels for head in bundle.heads}, heads)
    except ValueError as error:
        raise ModelIncompatible(f"{bundle.folder} was not made by livemood train", "fine-tune one that was") from error
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.trainable = False
    return model


def with_own_heads(network: Any, known: Mapping[str, tuple[str, ...]], heads: Mapping[str, tuple[str, ...]]) -> Any:
    """Return a training model for ``heads``: known classes keep their weights, new ones start from zero.

    A head that the network does not have, or that stands on other features than the emotions, is initialised as in a
    new network.
    """
    features = network.get_layer(EMOTION).input
    model = with_heads(network.inputs[0], features, sizes(heads))
    for head in known.keys() & heads.keys():
        if network.get_layer(head).input is not features:
            continue
        kernel, bias = network.get_layer(head).get_weights()
        own_kernel, own_bias = np.zeros((len(kernel), len(heads[head])), "f4"), np.zeros(len(heads[head]), "f4")
        for place, label in enumerate(heads[head]):
            if label in known[head]:
                own_kernel[:, place] = kernel[:, known[head].index(label)]
                own_bias[place] = bias[known[head].index(label)]
        model.get_layer(head).set_weights([own_kernel, own_bias])
    return model

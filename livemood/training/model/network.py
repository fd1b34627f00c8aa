"""The network: a small residual CNN whose first layers scale and standardise raw grey values.

It is invariant to mirroring, see ``equivariant_layers``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import CropSpec
from livemood.core.labels import EMOTION
from livemood.datasets.split import Split
from livemood.training.model.devices import devices, divided
from livemood.training.model.equivariant_layers import mirrored_layers
from livemood.training.settings import Precision

_PREDICT_BATCH = 256


@dataclass(frozen=True, slots=True)
class Architecture:
    """The size of a residual network.

    Attributes:
        stem: Filters of the first convolution; even, like all others.
        stages: Filters of each residual stage; every stage halves the resolution.
        blocks: Residual blocks in each stage.
        dropout: Share of the pooled features dropped in training.
    """

    stem: int
    stages: tuple[int, ...]
    blocks: tuple[int, ...]
    dropout: float = 0.2


PRESETS: dict[str, Architecture] = {
    "small": Architecture(16, (24, 48, 96, 192), (1, 1, 1, 1)),
    "default": Architecture(16, (32, 64, 128, 184), (1, 2, 2, 1)),
    "large": Architecture(32, (64, 96, 160, 256), (2, 2, 2, 2)),
    "huge": Architecture(32, (64, 128, 256, 512), (2, 2, 2, 2), dropout=0.3),
}


def build(
    architecture: Architecture, spec: CropSpec, classes: Mapping[str, int], precision: Precision = "float32"
) -> Any:
    """Build the training model: one body under all heads.

    Args:
        architecture: Sizes.
        spec: The crop it takes.
        classes: Number of classes K by head.
        precision: bfloat16 is for training; the weights fit a model built in float32.

    Returns:
        keras.Model: (N, S, S, C) raw 0..255 -> (N, K) probabilities by head.
    """
    from keras import Input, layers

    pixels = Input(spec.shape, name="pixels")
    x = layers.Rescaling(1 / 255, name="rescale")(pixels)
    # Per-picture standardisation, (x - mean) / sqrt(variance + (10/255)²): robust to light and gamma.
    x = layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, epsilon=(10 / 255) ** 2, name="standardise"
    )(x)
    with _computing_in(precision):
        # The picture is standardised already; another normalisation here would cost as much as all later ones.
        x = layers.ReLU()(mirrored_layers().Convolution(architecture.stem, 3, of_pixels=True)(x))
        for filters, blocks in zip(architecture.stages, architecture.blocks, strict=True):
            for block in range(blocks):
                x = _residual(x, filters, stride=2 if block == 0 else 1)
    x = mirrored_layers().Halves()(layers.GlobalAveragePooling2D()(x))
    return with_heads(pixels, layers.Dropout(architecture.dropout)(x), classes)


def with_heads(pixels: Any, features: Any, classes: Mapping[str, int]) -> Any:
    """Return the training model of a body: features (N, F) under one layer for each head, named after it."""
    from keras import Model, layers

    heads = {
        head: layers.Dense(many, activation="softmax", name=head, dtype="float32")(features)
        for head, many in classes.items()
    }
    return Model(pixels, heads)


def sizes(heads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the number of classes of each head."""
    return {head: len(labels) for head, labels in heads.items()}


def predict(model: Any, split: Split, framing: int, head: str = EMOTION) -> npt.NDArray[np.float32]:
    """Return one head's (N, K) probabilities of a split's pictures in one framing."""
    parts = []
    for start in range(0, len(split), _PREDICT_BATCH):
        crops = split.crops(framing, start, start + _PREDICT_BATCH)
        # The last batch is padded, so that it can be divided between all devices.
        spare = np.repeat(crops[:1], divided(len(crops) + len(devices()) - 1) - len(crops), axis=0)
        output = model.predict_on_batch(np.concatenate([crops, spare]))[head]
        parts.append(np.asarray(output, np.float32)[: len(crops)])
    return np.concatenate(parts)


def _residual(x: Any, filters: int, stride: int) -> Any:
    """Two convolutions around a shortcut (He et al. 2015; average-pooled shortcut as in ResNet-D).

    Where the resolution halves, a 4x4 kernel is symmetric about the output pixel; a 3x3 one is not.
    """
    from keras import layers

    shortcut = x
    if stride > 1:
        shortcut = layers.AveragePooling2D(stride, padding="same")(shortcut)
    if shortcut.shape[-1] != filters:
        shortcut = _normalised(shortcut, filters, size=1)
    x = layers.ReLU()(_normalised(x, filters, size=3 if stride == 1 else 4, stride=stride))
    return layers.ReLU()(layers.add([shortcut, _normalised(x, filters)]))


def _normalised(x: Any, filters: int, size: int = 3, stride: int = 1) -> Any:
    mirrored = mirrored_layers()
    return mirrored.Normalization(momentum=0.95)(mirrored.Convolution(filters, size, stride)(x))


@contextmanager
def _computing_in(precision: Precision) -> Iterator[None]:
    """Create layers in the block that compute in ``precision`` with float32 weights."""
    from keras import config

    before = config.dtype_policy()
    config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        config.set_dtype_policy(before)

"""Layers that are equivariant to mirroring (group convolution: Cohen and Welling, 2016).

Channels come in two halves. Mirroring the picture mirrors every map and swaps the halves, so features pooled over both
halves are invariant: the network gives a face and its mirror image the same output, with half the weights to learn.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livemood.training.model.batch_norm import batch_normalization


class Layers(NamedTuple):
    """The classes of layers that treat a face and its mirror image alike.

    Attributes:
        Convolution: (N, H, W, D) to (N, H', W', ``filters``); only half of its ``kernel()`` is stored. ``of_pixels``:
            the input is the picture, whose channels have no halves; the layer then has a bias, of which half is stored.
        Normalization: Batch normalisation whose statistics and weights both halves share.
        Halves: (N, C) to (N, C / 2), the mean of both halves.
    """

    Convolution: Any
    Normalization: Any
    Halves: Any


@cache
def mirrored_layers() -> Layers:
    """Return the layer classes. They are made in a function so that Keras is imported only when needed."""
    import keras
    from keras import ops

    class Convolution(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, filters: int, size: int, stride: int = 1, of_pixels: bool = False, **settings: Any) -> None:
            super().__init__(**settings)
            self.filters, self.size, self.stride, self.of_pixels = filters, size, stride, of_pixels

        def build(self, shape: tuple[int, ...]) -> None:
            half = self.filters // 2
            self.half = self.add_weight((self.size, self.size, shape[-1], half), initializer="he_normal", name="kernel")
            self.bias = self.add_weight((half,), initializer="zeros", name="bias") if self.of_pixels else None

        def kernel(self) -> Any:
            """Return (size, size, D, filters): the second half is the first one mirrored, with its halves swapped."""
            half = ops.convert_to_tensor(self.half)
            swapped = half if self.of_pixels else ops.roll(half, half.shape[2] // 2, axis=2)
            return ops.concatenate([half, ops.flip(swapped, axis=1)], axis=3)

        def call(self, maps: Any) -> Any:
            found = ops.conv(maps, self.kernel(), self.stride, "same")
            return found if self.bias is None else found + ops.tile(self.bias, 2)

        def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
            rows, columns = (-(-side // self.stride) for side in shape[1:3])
            return shape[0], rows, columns, self.filters

        def get_config(self) -> dict[str, Any]:
            own = ("filters", "size", "stride", "of_pixels")
            return {**super().get_config(), **{name: getattr(self, name) for name in own}}

    class Normalization(batch_normalization()):  # type: ignore[misc]
        def build(self, shape: tuple[int, ...]) -> None:
            super().build((*shape[:-1], shape[-1] // 2))
            self.input_spec = None

        def call(self, maps: Any, training: bool | None = None, mask: Any = None) -> Any:
            _, rows, columns, depth = maps.shape
            side_by_side = ops.reshape(maps, (-1, rows, columns * 2, depth // 2))
            return ops.reshape(super().call(side_by_side, training=training), (-1, rows, columns, depth))

    class Halves(keras.layers.Layer):  # type: ignore[misc]
        def call(self, features: Any) -> Any:
            return ops.mean(ops.reshape(features, (-1, 2, features.shape[-1] // 2)), axis=1)

        def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
            return shape[0], shape[-1] // 2

    return Layers(Convolution, Normalization, Halves)


def both_halves(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (2C, ...) for the (C, ...) weights that both halves share."""
    return np.concatenate([weights, weights])

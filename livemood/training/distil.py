"""Learn from other models (Hinton et al., "Distilling the knowledge in a neural network", 2015)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.bundle import Bundle, read_bundle
from livemood.errors import ModelIncompatible
from livemood.training.evaluate import with_temperature
from livemood.training.transfer import load_network
from livemood.values import CropSpec


class Teachers:
    """The mean of several bundles' softened opinions on the same augmented pictures that the student sees.

    Args:
        folders: Bundles.
        labels: The student's K classes; a teacher may know more.
        spec: The student's crop.
        temperature: Divides the calibrated logits.

    Raises:
        ModelMissing: A bundle is not there.
        ModelIncompatible: It takes other crops or lacks a class.
    """

    def __init__(self, folders: Sequence[Path], labels: tuple[str, ...], spec: CropSpec, temperature: float) -> None:
        self._bundles = [_fitting(read_bundle(folder), labels, spec) for folder in folders]
        self._networks = [load_network(bundle) for bundle in self._bundles]
        self._labels, self._temperature = labels, temperature

    def soft(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return (N, K) softened probabilities of (N, S, S, C) crops."""
        opinions = []
        for bundle, network in zip(self._bundles, self._networks, strict=True):
            columns = [bundle.labels.index(label) for label in self._labels]
            raw = np.asarray(network.predict_on_batch(pixels), np.float32)[:, columns]
            opinions.append(with_temperature(raw, bundle.temperature * self._temperature))
        return np.asarray(np.mean(opinions, axis=0), np.float32)


def loss(classes: int, weight: float, temperature: float) -> Callable[[Any, Any], Any]:
    """Return a loss for targets of width 2K: the labels, then the teachers' soft opinion.

    Args:
        classes: K.
        weight: Share of the teachers' part, 0..1.
        temperature: That of the teachers; the student's logits are divided by it too.
    """

    def mixed(truth: Any, said: Any) -> Any:
        from keras import losses, ops

        powers = ops.power(ops.maximum(said, 1e-7), 1 / temperature)
        softened = powers / ops.sum(powers, axis=-1, keepdims=True)
        own = losses.categorical_crossentropy(truth[:, :classes], said)
        theirs = losses.categorical_crossentropy(truth[:, classes:], softened)
        return (1 - weight) * own + weight * temperature**2 * theirs

    return mixed


def _fitting(bundle: Bundle, labels: tuple[str, ...], spec: CropSpec) -> Bundle:
    if bundle.crop != spec:
        raise ModelIncompatible(
            f"teacher {bundle.folder} takes {bundle.crop.size_px}-px {bundle.crop.colour} crops, the student "
            f"{spec.size_px}-px {spec.colour} ones; take a teacher of the same crop"
        )
    if lacking := [label for label in labels if label not in bundle.labels]:
        raise ModelIncompatible(
            f"teacher {bundle.folder} does not know {lacking[0]}, only {', '.join(bundle.labels)}; "
            "take a teacher that knows every class"
        )
    return bundle

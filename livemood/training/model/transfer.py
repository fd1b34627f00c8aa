"""Take up what was trained before: a bundle, for a few pictures of one's own, or other runs, to train them longer.

Runs that descend from one another can be averaged weight by weight, which at times reads faces better than each of them
(Wortsman et al., "Model soups", 2022; docs/training.md says when).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from livemood.bundles.manifest import Bundle
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import DatasetError, ModelIncompatible
from livemood.datasets import dataset as data_sets
from livemood.runtime.native_output import keep_no_bytecode, native_stderr_held, silence_native_logs
from livemood.training.loop import checkpoint
from livemood.training.model.network import EMOTION_HEAD, FER2013_HEAD, PRESETS, Precision, build, with_heads


def load_network(bundle: Bundle) -> Any:
    """Return the bundle's keras.Model, (N, S, S, C) raw 0..255 to (N, K) probabilities.

    Raises:
        ModelMissing: Its file is not there.
        ModelIncompatible: Its file is altered or not a Keras model.
    """
    silence_native_logs()
    file = bundle.checked(bundle.keras)
    with native_stderr_held():
        import keras

        keep_no_bytecode()
        try:
            return keras.saving.load_model(file, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ModelIncompatible(f"{file} is not a model that Keras can load ({error})") from error


def load_run(work: Path, spec: CropSpec, precision: Precision) -> tuple[Any, tuple[str, ...]]:
    """Return the two-headed network of a run with its best weights so far, and the classes it knows.

    Args:
        work: Folder of the run (``OUT.work``).
        spec: The crop it is to take.
        precision: Of its convolutions and feature maps.

    Raises:
        ModelIncompatible: The folder holds no run of a preset.
    """
    preset = preset_of(work)
    try:
        labels = data_sets.restore(work).labels
        network = build(PRESETS[preset], spec, len(labels), precision)
        found = checkpoint.restore(work, {"best": len(network.weights)})
        assert found
        network.set_weights(found[2]["best"])
    except (OSError, KeyError, TypeError, ValueError, DatasetError) as error:
        raise ModelIncompatible(f"{work} holds no run of a preset ({error}); take its bundle instead") from error
    return network, labels


def preset_of(work: Path) -> str:
    """Return the preset that a run's network has.

    Raises:
        ModelIncompatible: Its record cannot be read.
    """
    try:
        preset: str = checkpoint.restore_job(work)["settings"]["preset"]
    except (KeyError, TypeError, DatasetError) as error:
        raise ModelIncompatible(f"{work} holds no run of a preset ({error}); take its bundle instead") from error
    return preset


def from_bundle(bundle: Bundle, labels: tuple[str, ...]) -> Any:
    """Return a training model with the bundle's body and a head for ``labels``.

    Batch statistics stay as they are: a few dozen pictures would estimate them badly.

    Raises:
        ModelMissing: Its file is not there.
        ModelIncompatible: It was not made by ``livemood train``.
    """
    network = load_network(bundle)
    try:
        model = _with_own_head(network, bundle.labels, labels)
    except ValueError as error:
        raise ModelIncompatible(f"{bundle.folder} was not made by livemood train; fine-tune one that was") from error
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.trainable = False
    return model


def from_runs(works: Sequence[Path], labels: tuple[str, ...], spec: CropSpec, precision: Precision) -> Any:
    """Return a training model with the mean of the runs' best weights, its head turned to ``labels``; see ``load_run``.

    Raises:
        ModelIncompatible: A folder holds no run of a preset, or one of another preset or other classes.
    """
    network, known = load_run(works[0], spec, precision)
    everything = [network.get_weights()]
    for work in works[1:]:
        other, classes = load_run(work, spec, precision)
        everything.append(other.get_weights())
        if classes != known or [w.shape for w in everything[-1]] != [w.shape for w in everything[0]]:
            raise ModelIncompatible(
                f"{work} and {works[0]} hold different networks", "{from} takes the mean of like ones"
            )
    network.set_weights([np.mean(weights, axis=0) for weights in zip(*everything, strict=True)])
    model = _with_own_head(network, known, labels)
    model.get_layer(FER2013_HEAD).set_weights(network.get_layer(FER2013_HEAD).get_weights())
    return model


def _with_own_head(network: Any, known: tuple[str, ...], labels: tuple[str, ...]) -> Any:
    """Return a training model for ``labels``: classes that are known stay so, new ones begin at nothing."""
    head = network.get_layer(EMOTION_HEAD)
    kernel, bias = head.get_weights()
    model = with_heads(network.inputs[0], head.input, len(labels))
    own_kernel, own_bias = np.zeros((len(kernel), len(labels)), "f4"), np.zeros(len(labels), "f4")
    for place, label in enumerate(labels):
        if label in known:
            own_kernel[:, place] = kernel[:, known.index(label)]
            own_bias[place] = bias[known.index(label)]
    model.get_layer(EMOTION_HEAD).set_weights([own_kernel, own_bias])
    return model

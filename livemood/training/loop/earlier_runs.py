"""Networks of earlier runs, to continue them or to distil from them.

The weights of runs that descend from one another can be averaged, which is sometimes better than each of them (Wortsman
et al., "Model soups", 2022; docs/training.md has figures).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from livemood.core.crop_spec import CropSpec
from livemood.core.errors import DatasetError, ModelIncompatible
from livemood.datasets import dataset as data_sets
from livemood.training.loop import checkpoint
from livemood.training.model.network import PRESETS, build, sizes
from livemood.training.model.transfer import with_own_heads
from livemood.training.settings import Precision

Heads = Mapping[str, tuple[str, ...]]
"""Class names by head."""


def load_run(work: Path, spec: CropSpec, precision: Precision) -> tuple[Any, Heads]:
    """Return the network of a run with its best weights so far, and its classes by head.

    Args:
        work: Folder of the run (``OUT.work``).
        spec: Its crop.
        precision: Of its convolutions and feature maps.

    Raises:
        ModelIncompatible: The folder holds no run of a preset.
    """
    preset = preset_of(work)
    try:
        heads = data_sets.restore(work).heads
        network = build(PRESETS[preset], spec, sizes(heads), precision)
        found = checkpoint.restore(work, {"best": len(network.weights)})
        assert found
        network.set_weights(found[2]["best"])
    except (OSError, KeyError, TypeError, ValueError, DatasetError) as error:
        raise _no_run(work, error) from error
    return network, heads


def preset_of(work: Path) -> str:
    """Return the preset that a run's network has.

    Raises:
        ModelIncompatible: Its record cannot be read.
    """
    try:
        preset: str = checkpoint.restore_job(work)["settings"]["preset"]
    except (KeyError, TypeError, DatasetError) as error:
        raise _no_run(work, error) from error
    return preset


def _no_run(work: Path, error: Exception) -> ModelIncompatible:
    # The remedy of the error would be to remove the checkpoint, which may be a good one of another network.
    reason = error.what if isinstance(error, DatasetError) else error
    return ModelIncompatible(f"{work} contains no run of a preset ({reason})", "take its bundle instead")


def from_runs(works: Sequence[Path], heads: Heads, spec: CropSpec, precision: Precision) -> Any:
    """Return a training model with the mean of the runs' best weights under ``heads``; see ``load_run``.

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
                f"{work} and {works[0]} contain different networks", "give {from} runs of the same network"
            )
    network.set_weights([np.mean(weights, axis=0) for weights in zip(*everything, strict=True)])
    return with_own_heads(network, known, heads)

"""Learn from other models beside the labels (Hinton et al., "Distilling the knowledge in a neural network", 2015)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.bundle import Bundle, read_bundle
from livemood.errors import ModelIncompatible
from livemood.training.blends import Blends
from livemood.training.dataset import ALIGNED, RAW
from livemood.training.evaluate import with_temperature
from livemood.training.transfer import load_network
from livemood.values import CropSpec

_BATCH = 256
# Mirrored kernels answer alike to rounding, others differ by whole points of a percent.
_ALIKE = 1e-4


def opinions(folders: Sequence[Path], blends: Blends, spec: CropSpec) -> npt.NDArray[np.float32]:
    """Return what several bundles say of every variant of every picture: (N, V, K) calibrated probabilities.

    Each is shown to each bundle as it came and aligned, and both mirrored unless that changes nothing (see
    ``mirrored``): the mean of the views is right more often than any of them, and costs little where it is asked for
    once, before training.

    Args:
        folders: Bundles; they may know more classes than the split has.
        blends: The pictures, alone and laid over one another.
        spec: Their crop.

    Raises:
        ModelMissing: A bundle is not there.
        ModelIncompatible: It takes other crops or lacks a class.
    """
    return np.asarray(np.mean([_opinion(folder, blends, spec) for folder in folders], axis=0), np.float32)


def _opinion(folder: Path, blends: Blends, spec: CropSpec) -> npt.NDArray[np.float32]:
    labels = blends.split.labels
    bundle = _fitting(read_bundle(folder), labels, spec)
    network = load_network(bundle)
    columns = [bundle.labels.index(label) for label in labels]
    picture, variant = (place.ravel() for place in np.indices(blends.partner.shape))
    rows: list[npt.NDArray[np.float32]] = []
    mirrors = not _reads_mirrored_alike(network, blends.crops(picture[:1], variant[:1], np.full(1, RAW)))
    for start in range(0, len(picture), _BATCH):
        some = slice(start, start + _BATCH)
        views = [blends.crops(picture[some], variant[some], np.full(1, framing)) for framing in (RAW, ALIGNED)]
        views += [view[:, :, ::-1] for view in views if mirrors]
        said = [np.asarray(network.predict_on_batch(view), np.float32)[:, columns] for view in views]
        rows.append(np.mean([with_temperature(p, bundle.temperature) for p in said], axis=0))
    return np.concatenate(rows).reshape(*blends.partner.shape, len(labels))


def _reads_mirrored_alike(network: Any, crops: npt.NDArray[np.uint8]) -> bool:
    straight, mirrored = (np.asarray(network.predict_on_batch(crops[:, :, ::step])) for step in (1, -1))
    return bool(np.abs(straight - mirrored).max() < _ALIKE)


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

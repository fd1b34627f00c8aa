"""Learn from other models beside the labels (Hinton et al., "Distilling the knowledge in a neural network", 2015).

Teachers are shown every batch just as the student will see it, blended and degraded, and say what they make of that:
with long training this teaches more than what they said once of the pictures as they lie there (Beyer et al.,
"Knowledge distillation: a good teacher is patient and consistent", 2022).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from livemood.bundles.manifest import read_bundle
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import ModelIncompatible
from livemood.training.loop.batches import Teach
from livemood.training.loop.checkpoint import has_checkpoint
from livemood.training.model.network import EMOTION_HEAD, FER2013_HEAD, Precision
from livemood.training.model.transfer import load_network, load_run


def teaching(folders: Sequence[Path], labels: tuple[str, ...], spec: CropSpec, precision: Precision) -> Teach:
    """Return a function from (n, S, S, C) raw 0..255 to what several teachers say of it on the average.

    Args:
        folders: Bundles, which know emotions only, or folders of runs (``OUT.work``), whose best weights know
            FER2013's labels too. They may know more classes than the student is to learn.
        labels: The K classes of the student.
        spec: Its crop.
        precision: Of the runs' convolutions; bundles are float32.

    Raises:
        ModelMissing: A bundle is not there.
        ModelIncompatible: It takes other crops or lacks a class.
    """
    from keras import Input, Model, layers

    pixels = Input(spec.shape)
    said: dict[str, list[Any]] = {EMOTION_HEAD: [], FER2013_HEAD: []}
    for place, folder in enumerate(folders):
        found = _run if has_checkpoint(folder) else _bundle
        network, known, temperature = found(folder, spec, precision)
        if lacking := [label for label in labels if label not in known]:
            raise ModelIncompatible(
                f"teacher {folder} does not know {lacking[0]}, only {', '.join(known)}; "
                "take a teacher that knows every class"
            )
        network.name = f"teacher_{place}"
        says = network(pixels)
        emotions, second = (says[EMOTION_HEAD], says[FER2013_HEAD]) if isinstance(says, dict) else (says, None)
        said[EMOTION_HEAD].append(_calibrated(emotions, [known.index(label) for label in labels], temperature))
        said[FER2013_HEAD] += [second] if second is not None else []
    means = {head: layers.average(views) if len(views) > 1 else views[0] for head, views in said.items() if views}
    teacher_ensemble = Model(pixels, means)

    def teach(crops: Any) -> dict[str, Any]:
        return {head: np.asarray(mean, np.float32) for head, mean in teacher_ensemble.predict_on_batch(crops).items()}

    return teach


def _bundle(folder: Path, spec: CropSpec, _: Precision) -> tuple[Any, tuple[str, ...], float]:
    bundle = read_bundle(folder)
    if bundle.crop != spec:
        raise ModelIncompatible(
            f"teacher {folder} takes {bundle.crop.size_px}-px {bundle.crop.colour} crops, the student "
            f"{spec.size_px}-px {spec.colour} ones; take a teacher of the same crop"
        )
    return load_network(bundle), bundle.labels, bundle.temperature


def _run(work: Path, spec: CropSpec, precision: Precision) -> tuple[Any, tuple[str, ...], float]:
    """Return a run's network; it is not calibrated, so its temperature is 1."""
    return *load_run(work, spec, precision), 1.0


def _calibrated(probabilities: Any, columns: list[int], temperature: float) -> Any:
    """Return the student's columns of (n, K) probabilities at the teacher's temperature."""
    from keras import ops

    logits = ops.log(ops.maximum(ops.take(probabilities, np.asarray(columns), axis=1), 1e-9)) / temperature
    return ops.softmax(logits)

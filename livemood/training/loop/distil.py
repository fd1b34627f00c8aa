"""Knowledge distillation (Hinton et al., "Distilling the knowledge in a neural network", 2015).

Teachers get the same blended and degraded batches as the student. With long training this works better than
teacher outputs computed once on the original pictures (Beyer et al., "Knowledge distillation: a good teacher is patient
and consistent", 2022).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from livemood.bundles.keras_model import load_keras
from livemood.bundles.manifest import read_bundle
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import ModelIncompatible
from livemood.core.labels import EMOTION
from livemood.training.loop.batches import Teach
from livemood.training.loop.checkpoint import has_checkpoint
from livemood.training.loop.earlier_runs import Heads, load_run
from livemood.training.settings import Precision


def teaching(folders: Sequence[Path], heads: Heads, spec: CropSpec, precision: Precision) -> Teach:
    """Return a function from (n, S, S, C) raw 0..255 to the mean probabilities of the teachers, (n, K) by head.

    Args:
        folders: Bundles, of which the head ``emotion`` alone teaches, or folders of runs (``OUT.work``), of which all
            heads do. They may have more classes than the student; a head that nobody teaches is trained on labels
            alone.
        heads: The student's.
        spec: The student's crop.
        precision: Of the runs' convolutions; bundles are float32.

    Raises:
        ModelMissing: A bundle is not there.
        ModelIncompatible: A teacher takes other crops, or lacks a class of one of its heads.
    """
    from keras import Input, Model, layers

    pixels = Input(spec.shape)
    outputs: dict[str, list[Any]] = {head: [] for head in heads}
    for place, folder in enumerate(folders):
        open_teacher = _run if has_checkpoint(folder) else _bundle
        network, known, temperature = open_teacher(folder, spec, precision)
        network.name = f"teacher_{place}"
        output = network(pixels)
        for head, labels in ((head, labels) for head, labels in heads.items() if head in known):
            if lacking := [label for label in labels if label not in known[head]]:
                raise ModelIncompatible(
                    f"teacher {folder} does not know {lacking[0]}, only {', '.join(known[head])}",
                    "use a teacher that has every class",
                )
            columns = [known[head].index(label) for label in labels]
            probabilities = output[head] if isinstance(output, dict) else output
            outputs[head].append(_calibrated(probabilities, columns, temperature))
    means = {head: layers.average(views) if len(views) > 1 else views[0] for head, views in outputs.items() if views}
    teacher_ensemble = Model(pixels, means)

    def teach(crops: Any) -> dict[str, Any]:
        return {head: np.asarray(mean, np.float32) for head, mean in teacher_ensemble.predict_on_batch(crops).items()}

    return teach


def _bundle(folder: Path, spec: CropSpec, _: Precision) -> tuple[Any, Heads, float]:
    bundle = read_bundle(folder)
    if bundle.crop != spec:
        raise ModelIncompatible(
            f"teacher {folder} takes {bundle.crop.size_px}-px {bundle.crop.colour} crops, the student "
            f"{spec.size_px}-px {spec.colour} ones",
            "take a teacher of the same crop",
        )
    return load_keras(bundle), {EMOTION: bundle.labels}, bundle.temperature


def _run(work: Path, spec: CropSpec, precision: Precision) -> tuple[Any, Heads, float]:
    """Return a run's network; it is not calibrated, so its temperature is 1."""
    return *load_run(work, spec, precision), 1.0


def _calibrated(probabilities: Any, columns: list[int], temperature: float) -> Any:
    """Return the student's columns of (n, K) probabilities at the teacher's temperature."""
    from keras import ops

    logits = ops.log(ops.maximum(ops.take(probabilities, np.asarray(columns), axis=1), 1e-9)) / temperature
    return ops.softmax(logits)

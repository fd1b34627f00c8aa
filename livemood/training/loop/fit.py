"""TrainSettings -> fitted weights and a history, on any Keras 3 backend."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from livemood.bundles.manifest import Bundle
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.datasets.dataset import Dataset
from livemood.runtime.native_output import keep_no_bytecode, native_stderr_held, silence_native_logs
from livemood.runtime.stopping import held
from livemood.training.loop import distil, earlier_runs
from livemood.training.loop.batches import Batches
from livemood.training.loop.checkpoint import Epoch, Run, Step
from livemood.training.loop.earlier_runs import Heads
from livemood.training.loop.mixup import blended
from livemood.training.loop.trainer import Trainer
from livemood.training.model import transfer
from livemood.training.model.devices import all_devices, divided
from livemood.training.model.network import PRESETS, build, sizes
from livemood.training.settings import Precision, TrainSettings

_NUMBER = re.compile(r"_\d+$")


def fit(
    dataset: Dataset,
    spec: CropSpec,
    settings: TrainSettings,
    work: Path,
    on_step: Callable[[Step], None] = lambda _: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    *,
    base: Bundle | Sequence[Path] = (),
    teachers: tuple[Path, ...] = (),
    on_begin: Callable[[Run], None] = lambda _: None,
) -> tuple[Any, Run]:
    """Train, or resume training, and return the model with its best weights.

    Args:
        dataset: Splits ``train`` and ``valid`` are used, never ``test``.
        spec: How the crops were cut.
        settings: The run.
        work: Folder of the checkpoint; one that is there is resumed.
        on_step: Called after every step.
        on_epoch: Called after every epoch.
        base: Start from the weights of this bundle, or from the mean weights of the runs in these folders, with their
            architecture instead of the preset's.
        teachers: Bundles, or folders of runs, to distil from.
        on_begin: Called once before the first step, after all settings were checked, with the run so far.

    Returns:
        The keras.Model with all heads, float32 throughout, and the run with its history. A KeyboardInterrupt or a loss
        that is no longer a number ends the run early; the best weights so far are kept.

    Raises:
        DatasetError: The loss was not a number before the first epoch ended.
        KeyboardInterrupt: The run was interrupted before the first epoch ended.
        SinkError: The checkpoint cannot be written.
        ModelMissing: ``base`` or a teacher is not there.
        ModelIncompatible: ``base`` or a teacher is of another crop, preset or set of classes.
    """
    _import_keras()
    # Keras draws the seeds of initialisers and dropout from it; its own ``set_random_seed`` imports TensorFlow even
    # where another backend trains.
    random.seed(settings.seed)
    train = dataset.splits["train"].only(dataset.splits["train"].top_vote >= 0)
    settings = settings.fitted_to(len(train))
    settings = replace(settings, batch=divided(settings.batch))
    with all_devices():
        model, shipped = _models(dataset.heads, spec, settings, base)
        teach = distil.teaching(teachers, dataset.heads, spec, settings.precision) if teachers else None
        trainer = Trainer(model, work, settings)
        on_begin(trainer.state)
        blends = blended(train, settings.blends, settings.seed)
        with Batches(blends, settings.batch, teach, settings.distil_weight) as batches:
            trainer.run_until_done(batches, dataset.splits["valid"], on_step, on_epoch)
        shipped.set_weights(trainer.best)
    return shipped, trainer.state


def check(
    heads: Heads,
    spec: CropSpec,
    settings: TrainSettings,
    *,
    base: Bundle | Sequence[Path] = (),
    teachers: tuple[Path, ...] = (),
) -> None:
    """Check before any face is cut that ``fit`` can make the network, and that its teachers can teach it.

    Args:
        heads: Of the data.
        spec: How the crops will be cut.
        settings: The run.
        base: See ``fit``.
        teachers: See ``fit``.

    Raises:
        DatasetError: A head is called like a layer of the network.
        ModelMissing: See ``fit``.
        ModelIncompatible: See ``fit``.
    """
    _import_keras()
    network = _network({EMOTION: heads[EMOTION]}, spec, settings, base, "float32")
    # Keras numbers layers of a kind: re_lu, re_lu_1.
    layers = {_NUMBER.sub("", layer.name) for layer in network.layers if layer.name != EMOTION}
    for head in heads:
        if _NUMBER.sub("", head) in layers:
            raise DatasetError(f"a head cannot be called {head}, like a layer of the network", "rename it")
    if teachers:
        distil.teaching(teachers, heads, spec, settings.precision)


def _import_keras() -> None:
    """Import Keras without its messages."""
    silence_native_logs()
    with native_stderr_held(), held():
        import keras  # noqa: F401

    keep_no_bytecode()


def _models(heads: Heads, spec: CropSpec, settings: TrainSettings, base: Bundle | Sequence[Path]) -> tuple[Any, Any]:
    """Return the compiled model to train, and the float32 model that gets its weights at the end."""
    import keras

    shipped = _network(heads, spec, settings, base, "float32")
    model = shipped if isinstance(base, Bundle) else _network(heads, spec, settings, base, settings.precision)
    optimizer = keras.optimizers.SGD(
        settings.learning_rate, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        loss=dict.fromkeys(heads, "categorical_crossentropy"),
        loss_weights={head: 1.0 if head == EMOTION else settings.further_weight for head in heads},
    )
    optimizer.build(model.trainable_variables)
    return model, shipped


def _network(
    heads: Heads, spec: CropSpec, settings: TrainSettings, base: Bundle | Sequence[Path], precision: Precision
) -> Any:
    """Return a training model with the weights that the run starts from; one of a bundle is float32."""
    if isinstance(base, Bundle):
        return transfer.from_bundle(base, heads)
    if base:
        return earlier_runs.from_runs(base, heads, spec, precision)
    return build(PRESETS[settings.preset], spec, sizes(heads), precision)

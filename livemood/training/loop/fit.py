"""TrainSettings -> fitted weights and a history, on any Keras 3 backend."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from livemood.bundles.manifest import Bundle
from livemood.core.crop_spec import CropSpec
from livemood.datasets.dataset import Dataset
from livemood.runtime.native_output import keep_no_bytecode, native_stderr_held, silence_native_logs
from livemood.training.loop import distil
from livemood.training.loop.batches import Batches
from livemood.training.loop.checkpoint import Epoch, Run, Step
from livemood.training.loop.mixup import blended
from livemood.training.loop.trainer import Trainer
from livemood.training.model import transfer
from livemood.training.model.network import EMOTION_HEAD, FER2013_HEAD, PRESETS, build
from livemood.training.settings import TrainSettings


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
    on_begin: Callable[[], None] = lambda: None,
) -> tuple[Any, Run]:
    """Train, or go on training, and return the model with its best weights.

    Args:
        dataset: Splits ``train`` and ``valid`` are used, never ``test``.
        spec: How the crops were cut.
        settings: The run.
        work: Folder of the checkpoint; one that is there is resumed.
        on_step: Called after every step.
        on_epoch: Called after every epoch.
        base: Begin with the weights of this bundle, or with the mean of the runs in these folders; their architecture
            takes the preset's place.
        teachers: Bundles, or folders of runs, to learn from beside the labels.
        on_begin: Called once before the first step, when all that was asked for has been found to fit.

    Returns:
        The two-headed keras.Model, float32 throughout, and the run with its history. A KeyboardInterrupt or a loss
        that is no longer a number ends the run early; the best weights so far are kept.

    Raises:
        DatasetError: The loss was no number before the first epoch ended.
        ModelMissing: ``base`` or a teacher is not there.
        ModelIncompatible: ``base`` or a teacher does not fit.
    """
    silence_native_logs()
    with native_stderr_held():
        import keras

    keep_no_bytecode()
    keras.utils.set_random_seed(settings.seed)
    train = dataset.splits["train"].only(dataset.splits["train"].top_vote >= 0)
    settings = settings.fitted_to(len(train))
    classes = len(dataset.labels)
    if isinstance(base, Bundle):
        model = shipped = transfer.from_bundle(base, dataset.labels)
    elif base:
        shipped = transfer.from_runs(base, dataset.labels, spec, "float32")
        model = transfer.from_runs(base, dataset.labels, spec, settings.precision)
    else:
        shipped = build(PRESETS[settings.preset], spec, classes)
        model = build(PRESETS[settings.preset], spec, classes, settings.precision)
    optimizer = keras.optimizers.SGD(
        settings.learning_rate, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        loss=dict.fromkeys((EMOTION_HEAD, FER2013_HEAD), "categorical_crossentropy"),
        loss_weights={EMOTION_HEAD: 1.0, FER2013_HEAD: settings.fer2013_weight},
    )
    optimizer.build(model.trainable_variables)
    teach = distil.teaching(teachers, dataset.labels, spec, settings.precision) if teachers else None
    trainer = Trainer(model, work, settings)
    on_begin()
    lessons = blended(train, settings.blends, settings.seed)
    with Batches(lessons, settings.batch, teach, settings.distil_weight) as batches:
        trainer.run_until_done(batches, dataset.splits["valid"], on_step, on_epoch)
    shipped.set_weights(trainer.best)
    return shipped, trainer.state

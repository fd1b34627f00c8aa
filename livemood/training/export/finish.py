"""The end of a training run: class prior and temperature, figures, conversion, bundle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.bundles.manifest import Head
from livemood.core.crop_spec import CROP, CropSpec
from livemood.core.errors import DatasetError, SinkError
from livemood.core.labels import EMOTION
from livemood.core.probabilities import with_temperature
from livemood.datasets.dataset import Dataset
from livemood.datasets.samples import FER2013_HEAD, SplitName
from livemood.datasets.split import ALIGNED, RAW, Split
from livemood.evaluation import metrics
from livemood.training.export import class_prior
from livemood.training.export.bundle import MAX_PARITY_GAP, parity, to_tflite, write_bundle
from livemood.training.export.fold import serving_model
from livemood.training.export.provenance import provenance
from livemood.training.loop.checkpoint import Run
from livemood.training.model.network import predict
from livemood.training.settings import TrainSettings


def finish(
    model: Any,
    run: Run,
    dataset: Dataset,
    settings: TrainSettings,
    out: Path,
    spec: CropSpec = CROP,
    record: Mapping[str, Any] | None = None,
    command: str | None = None,
) -> dict[str, Any]:
    """Fit class prior and temperature on valid, measure on test once, and write the bundle.

    Args:
        model: The keras.Model with all heads.
        run: Its history.
        dataset: All splits.
        settings: Of the run.
        out: Bundle folder.
        spec: How the faces were cropped.
        record: The job, for the manifest.
        command: How to repeat the run, for the manifest.

    Raises:
        SinkError: The bundle cannot be written.
    """
    valid = dataset.splits["valid"]
    votes = np.tile(valid.top_vote, 2)
    strength = happy = others = 0.0
    if settings.class_balance:
        priors = class_prior.class_priors(dataset.splits["train"].targets[EMOTION])
        predictions = _both_framings(model, valid)
        strength = class_prior.rare_strength(predictions, votes, dataset.labels, priors)
        adjusted = metrics.with_offsets(predictions, class_prior.offsets(priors, strength, 0.0, dataset.labels))
        happy = class_prior.happy_offset(adjusted, votes, dataset.labels)
        adjusted = metrics.with_offsets(predictions, class_prior.offsets(priors, strength, happy, dataset.labels))
        weights = class_prior.others_weights(priors, dataset.labels)
        others = class_prior.others_offset(adjusted, votes, dataset.labels, weights)
        class_prior.add_to_bias(model, class_prior.offsets(priors, strength, happy, dataset.labels, others))
    balanced = class_prior.balanced_offsets(dataset.splits["train"].targets[EMOTION])
    heads = [
        Head(name, labels, _temperature(model, valid, name), balanced if name == EMOTION else ())
        for name, labels in valid.heads.items()
    ]
    figures = measure(model, dataset, heads[0].temperature)
    exported = [head for head in heads if head.name != FER2013_HEAD]  # that one is for training and its figure only
    shipped = serving_model(model, [head.name for head in exported])
    try:
        tflite = to_tflite(shipped)
    except SinkError as error:
        raise SinkError(
            f"{error}; what was trained is kept", "write it with {resume} where tensorflow is installed"
        ) from error
    gap = parity(shipped, tflite, valid.crops(RAW, 0, 64))
    if not gap < MAX_PARITY_GAP:
        raise DatasetError(f"LiteRT and Keras differ by {gap:.1e} on validation pictures; the bundle is not written")
    write_bundle(
        shipped,
        tflite,
        out,
        name=out.name,
        heads=exported,
        spec=spec,
        metrics=figures,
        training=provenance(dataset, settings, run, record or {}, strength, happy, others, command),
    )
    return figures


def measure(model: Any, dataset: Dataset, temperature: float) -> dict[str, Any]:
    """Return the figures of a model with all heads on the test split (valid where there is no test)."""
    name: SplitName = "test" if len(dataset.splits["test"]) else "valid"
    split = dataset.splits[name]
    figures: dict[str, Any] = {"split": name}
    for framing, word in ((RAW, ""), (ALIGNED, "aligned_")):
        probabilities = with_temperature(predict(model, split, framing), temperature)
        top = metrics.scores(probabilities, split.top_vote, dataset.labels)
        majority = metrics.scores(probabilities, split.majority, dataset.labels)
        figures |= {
            f"{word}accuracy_majority": round(majority.accuracy, 4),
            f"{word}accuracy_top_vote": round(top.accuracy, 4),
            f"{word}macro_f1": round(top.macro_f1, 4),
            f"{word}ece": round(top.ece, 4),
        }
        if framing == RAW:
            figures["recall"] = {label: None if r is None else round(r, 4) for label, r in top.recall.items()}
            if (happy_sad := metrics.happy_versus_sad(probabilities, split.top_vote, split.labels)) is not None:
                figures["happy_versus_sad"] = round(happy_sad, 4)
    if near := {file for pair in dataset.near_copies for file in pair} & set(split.files.tolist()):
        # Given splits are kept with their near-copies; accuracy is reported without these too.
        alone = split.only(~np.isin(split.files, sorted(near)))
        figures["near_copies"] = len(near)
        if (alone.top_vote >= 0).any():
            figures["accuracy_without_near_copies"] = round(_accuracy(model, alone, EMOTION), 4)
    for head in (head for head in split.heads if head != EMOTION and (split.top(head) >= 0).any()):
        figures[f"{head}_accuracy"] = round(_accuracy(model, split, head), 4)
    return figures


def _both_framings(model: Any, split: Split, head: str = EMOTION) -> npt.NDArray[np.float32]:
    return np.concatenate([predict(model, split, framing, head) for framing in (RAW, ALIGNED)])


def _temperature(model: Any, valid: Split, head: str) -> float:
    """Return the temperature of a head fitted on the validation split; 1 if no picture there has a label of it."""
    truth = np.tile(valid.top(head), 2)
    return metrics.fit_temperature(_both_framings(model, valid, head), truth) if (truth >= 0).any() else 1.0


def _accuracy(model: Any, split: Split, head: str) -> float:
    known = split.only(split.top(head) >= 0)
    return float((predict(model, known, RAW, head).argmax(1) == known.top(head)).mean())

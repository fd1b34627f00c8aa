"""An evaluation: a bundle and data in, every figure about it out."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from livemood.bundles.manifest import Bundle, read_bundle
from livemood.core.counts import counted
from livemood.core.errors import DatasetError, ModelIncompatible, SinkError
from livemood.core.labels import EMOTION
from livemood.core.settings import PriorName, SplitChoice
from livemood.datasets.dataset import Dataset
from livemood.datasets.load import load
from livemood.datasets.open import DataSource
from livemood.datasets.samples import FER2013_HEAD, Collection, SplitName
from livemood.detection.combined import FaceDetector
from livemood.evaluation.evaluate import compare, examine
from livemood.evaluation.groups import read_groups
from livemood.evaluation.people import check_people, examine_people
from livemood.evaluation.robustness import flips, stress_crops, stress_photos
from livemood.evaluation.smiles import check_smiles, examine_smiles


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """What is measured, and on what.

    Attributes:
        bundle: Folder of the model.
        data: Labelled pictures, as for training.
        split: Which of them.
        groups: Table of files and attributes.
        against: Folder of a bundle to compare with.
        smiles: Zip of GENKI-4K's whole photos.
        people: Zip of people's neutral and smiling photos.
        stress: Measure under corruptions too.
        prior: How common the model assumes emotions to be.
    """

    bundle: Path
    data: DataSource
    split: SplitChoice = "test"
    groups: Path | None = None
    against: Path | None = None
    smiles: Path | None = None
    people: Path | None = None
    stress: bool = False
    prior: PriorName = "training"


@dataclass(frozen=True, slots=True)
class Watcher:
    """Callbacks for the progress of an evaluation."""

    on_crop: Callable[[int, int], None] = lambda done, total: None
    on_data: Callable[[Dataset], None] = lambda dataset: None
    on_note: Callable[[str], None] = lambda text: None


def evaluate(job: EvaluationJob, watcher: Watcher) -> dict[str, Any]:
    """Measure a bundle as it is served.

    Args:
        job: The settings.
        watcher: Gets the progress.

    Returns:
        The figures by name, as plain data, which ``json`` can write.

    Raises:
        DatasetError: The data, or a table or zip beside it, is unusable.
        ModelMissing: A bundle is not there.
        ModelIncompatible: A bundle is damaged, or does not know the classes of the data; or their crops differ.
        SinkError: There is no room for temporary files.
    """
    model, table, collection = _checked(job)
    name: SplitName = "test" if job.split == "all" else job.split
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with FaceDetector("fast") as detector:
                dataset = load(
                    collection,
                    model.crop,
                    detector,
                    Path(scratch),
                    find_faces=job.data.find_faces,
                    cut=(name,),
                    on_progress=watcher.on_crop,
                )
        except SinkError as error:
            remedy = "free some space, or name another folder in the environment variable TMPDIR"
            raise SinkError(error.what, remedy) from error
        watcher.on_data(dataset)
        own = {head.name for head in model.heads} | {FER2013_HEAD}  # which no bundle has
        for head in (head for head in dataset.heads if head not in own):
            watcher.on_note(f"{model.name} has no head {head}: its labels are left out")
        pictures = dataset.splits[name]
        if not len(pictures):
            raise DatasetError(
                f"{name} has none of the {counted(len(collection.samples), 'picture')}",
                "choose another {split}, such as all",
            )
        report = examine(job.bundle, dataset, pictures, table, job.prior)
        if job.split == "all":
            del report["copies"]  # there is no other split that could hold some
        for attribute in (attribute for attribute in table if attribute not in report["groups"]):
            watcher.on_note(f"{attribute} in {job.groups} is empty for all labelled pictures: left out")
        if job.against:
            report["against"] = compare(job.bundle, job.against, pictures, job.prior)
        if job.stress:
            report["stress"] = {
                "crops": stress_crops(job.bundle, pictures, job.prior),
                "flips": flips(job.bundle, pictures, job.prior),
            }
    source = job.data.record()
    report = {
        "bundle": model.name,
        **source,
        "heads_table": source["heads"],  # the report has the figures of the heads under ``heads``
        "groups_table": job.groups.name if job.groups else None,
        "split": job.split,
        "prior": job.prior,
        **report,
        "skipped": len(dataset.skipped),
    }
    if job.smiles:
        report["smiles"] = examine_smiles(job.bundle, job.smiles, job.prior)
        if job.stress:
            report["stress"]["photos"] = stress_photos(job.bundle, job.smiles, prior=job.prior)
    if job.people:
        report["people"] = examine_people(job.bundle, job.people, job.prior)
    return report


def _checked(job: EvaluationJob) -> tuple[Bundle, Mapping[str, Any], Collection]:
    """Return the model, the groups and the pictures, after everything that can be refused was looked at."""
    model = read_bundle(job.bundle)
    other = read_bundle(job.against) if job.against else None
    if other and other.crop != model.crop:
        raise ModelIncompatible(
            f"{job.against} takes {other.crop.size_px}-px {other.crop.colour} crops, {job.bundle} "
            f"{model.crop.size_px}-px {model.crop.colour} ones; only models of the same crop can be compared picture "
            "by picture"
        )
    if job.smiles:
        check_smiles(model, job.smiles)
    if job.people:
        check_people(model, job.people)
    collection = job.data.collection(model.labels, fewest=0)
    table: Mapping[str, Any] = {}
    if job.groups:
        table, unmatched = read_groups(job.groups, [sample.file for sample in collection.samples])
        if unmatched:
            rows = f"{counted(len(unmatched), 'row')} of {job.groups}"
            note = f"{rows} without a labelled picture, such as {unmatched[0]}"
            collection = replace(collection, notes=(*collection.notes, note))
    for one in (model, other) if other else (model,):
        if unknown := [label for label in collection.labels if label not in one.labels]:
            raise ModelIncompatible(
                f"{one.name} does not know {unknown[0]}, a class of {job.data.path}, only {', '.join(one.labels)}",
                "leave that class out, or say what it is with {class}, such as {0}={1}",
                unknown[0],
                one.labels[0],
            )
    if len(collection.labels) == 1:
        labels = tuple(label for label in model.labels if other is None or label in other.labels)
        if other and len(labels) < 2:
            raise ModelIncompatible(f"{model.name} and {other.name} both know {labels[0]} only", "leave {against} out")
        collection = _among(collection, labels)
    if job.split == "all":
        collection = replace(collection, samples=tuple(replace(s, split="test") for s in collection.samples))
    return model, table, collection


def _among(collection: Collection, labels: tuple[str, ...]) -> Collection:
    """Return pictures of a single class with more classes to choose among: of one, no model could be wrong."""
    (own,) = collection.labels
    votes = tuple(int(label == own) for label in labels)
    return replace(
        collection,
        heads={**collection.heads, EMOTION: labels},
        samples=tuple(replace(sample, votes=votes) for sample in collection.samples),
        notes=(*collection.notes, f"all pictures are of class {own}: the model chooses among {len(labels)} classes"),
    )

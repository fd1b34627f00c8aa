"""An evaluation: a bundle and data in, every figure about it out."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from livemood.bundles.manifest import Bundle, read_bundle
from livemood.core.errors import ModelIncompatible
from livemood.core.labels import EMOTION
from livemood.core.settings import SplitChoice
from livemood.datasets.class_names import ClassNames
from livemood.datasets.dataset import Dataset
from livemood.datasets.load import load
from livemood.datasets.open import open_collection
from livemood.datasets.samples import Collection, SplitName
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
        votes: FER+'s votes, for the CSV of FER2013.
        heads: Table of the labels of further heads.
        find_faces: The pictures are whole photos: cut out the largest face.
        group_by: What belongs together, see ``datasets.open.open_collection``.
        classes: Labels by the names of classes in the data.
        groups: Table of files and attributes.
        against: Folder of a bundle to compare with.
        smiles: Zip of GENKI-4K's whole photos.
        people: Zip of people's neutral and smiling photos.
        stress: Measure under corruptions too.
    """

    bundle: Path
    data: Path
    split: SplitChoice = "test"
    votes: Path | None = None
    heads: Path | None = None
    find_faces: bool = False
    group_by: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    groups: Path | None = None
    against: Path | None = None
    smiles: Path | None = None
    people: Path | None = None
    stress: bool = False


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
        The figures by name, as plain data: what ``livemood evaluate --json`` prints.

    Raises:
        DatasetError: The data, or a table or zip beside it, is unusable.
        ModelMissing: A bundle is not there.
        ModelIncompatible: A bundle is damaged, or does not answer the classes of the data; or the two take other crops.
    """
    model, table, collection = _checked(job)
    name: SplitName = "test" if job.split == "all" else job.split
    with tempfile.TemporaryDirectory() as scratch:
        with FaceDetector("fast") as detector:
            dataset = load(
                collection,
                model.crop,
                detector,
                Path(scratch),
                find_faces=job.find_faces,
                cut=(name,),
                on_progress=watcher.on_crop,
            )
        watcher.on_data(dataset)
        pictures = dataset.splits[name]
        report = examine(job.bundle, dataset, pictures, table)
        for attribute in (attribute for attribute in table if attribute not in report["groups"]):
            watcher.on_note(f"{attribute} in {job.groups} is empty for all labelled pictures: left out")
        if job.against:
            report["against"] = compare(job.bundle, job.against, pictures)
        if job.stress:
            report["stress"] = {"crops": stress_crops(job.bundle, pictures), "flips": flips(job.bundle, pictures)}
    report = {
        "bundle": model.name,
        "data": job.data.name,
        "votes": job.votes.name if job.votes else None,
        "heads_table": job.heads.name if job.heads else None,
        "find_faces": job.find_faces,
        "group_by": job.group_by,
        "class": dict(job.classes),
        "split": job.split,
        **report,
        "skipped": len(dataset.skipped),
    }
    if job.smiles:
        report["smiles"] = examine_smiles(job.bundle, job.smiles)
        if job.stress:
            report["stress"]["photos"] = stress_photos(job.bundle, job.smiles)
    if job.people:
        report["people"] = examine_people(job.bundle, job.people)
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
    names = ClassNames(model.labels, job.classes)
    collection = open_collection(job.data, job.votes, names, job.group_by, job.heads, fewest=0)
    table = read_groups(job.groups, [sample.file for sample in collection.samples]) if job.groups else {}
    for one in (model, other) if other else (model,):
        if unknown := [label for label in collection.labels if label not in one.labels]:
            raise ModelIncompatible(
                f"{one.name} does not know {unknown[0]}, a class of {job.data}, only {', '.join(one.labels)}",
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

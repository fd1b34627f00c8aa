"""A whole training run: data set -> fitted model -> calibrated, measured, written bundle."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.bundles.manifest import MANIFEST, MAX_NAME, Bundle, Head, is_name, read_bundle
from livemood.core.crop_spec import CROP, CropSpec
from livemood.core.errors import DatasetError, ModelIncompatible, SinkError
from livemood.core.labels import EMOTION, EMOTIONS, NO_FACE, UNSURE
from livemood.core.probabilities import with_temperature
from livemood.core.text_tables import NOT_UTF8
from livemood.datasets import dataset as data_sets
from livemood.datasets.class_names import ClassNames
from livemood.datasets.dataset import Dataset
from livemood.datasets.load import load
from livemood.datasets.open import open_collection
from livemood.datasets.samples import FER2013_HEAD, SplitName
from livemood.datasets.split import ALIGNED, RAW, Split
from livemood.detection.combined import FaceDetector
from livemood.evaluation import metrics
from livemood.runtime.atomic_io import refuse_file_as_folder
from livemood.training.export import class_prior
from livemood.training.export.bundle import MAX_PARITY_GAP, parity, to_tflite, write_bundle
from livemood.training.export.fold import serving_model
from livemood.training.export.provenance import commit, provenance
from livemood.training.loop.checkpoint import JOB, Epoch, Run, Step, has_checkpoint, restore_job, save_job
from livemood.training.loop.earlier_runs import preset_of
from livemood.training.loop.fit import fit
from livemood.training.model.network import predict
from livemood.training.settings import TrainSettings, usual

_MAY_CHANGE = {"epochs", "time_budget_s", "early_stop", "learning_rate", "class_balance"}


@dataclass(frozen=True, slots=True)
class Job:
    """The settings of a training job.

    Attributes:
        data: Anything that ``open_collection`` takes.
        out: Bundle folder to write; ``out.work`` beside it holds crops, checkpoint and history.
        votes: FER+'s ``fer2013new.csv``.
        heads: A table of labels of further heads.
        find_faces: The pictures are whole photos.
        group_by: What stays in one split, see ``livemood.datasets.groups.with_groups``.
        classes: Label by class name, for classes to rename.
        base: A bundle, or folders of runs, whose weights the training starts from.
        teachers: Bundles, or folders of runs, to distil from.
        overrides: Fields of ``TrainSettings`` that differ from ``usual`` ones.
        describe: Returns how to repeat the recorded job, such as a command line, for the manifest.
    """

    data: Path
    out: Path
    votes: Path | None = None
    heads: Path | None = None
    find_faces: bool = False
    group_by: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    base: tuple[Path, ...] = ()
    teachers: tuple[Path, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    describe: Callable[[Mapping[str, Any]], str | None] = lambda record: None

    @property
    def work(self) -> Path:
        """Folder beside ``out`` for crops, checkpoint and history."""
        return self.out.with_name(f"{self.out.name}.work")

    @property
    def settings(self) -> TrainSettings:
        """The default settings with the overrides."""
        return replace(usual(fine_tuning=bool(self.base)), **self.overrides)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Callbacks for the progress of a run."""

    on_crop: Callable[[int, int], None] = lambda done, total: None
    on_data: Callable[[Dataset], None] = lambda dataset: None
    on_step: Callable[[Step], None] = lambda step: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None


def train(job: Job, resume: bool, force: bool, watcher: Watcher) -> tuple[dict[str, Any], Run]:
    """Train and write the bundle.

    Args:
        job: The settings; when resuming, those that differ from the recorded ones.
        resume: Resume the run that ``job.work`` holds.
        force: Replace an existing bundle.
        watcher: Gets the progress.

    Returns:
        The metrics that the bundle's manifest carries, and the run.

    Raises:
        DatasetError: The data is unusable, or the run to resume does not exist or was begun with other settings.
        ModelError: ``base`` or a teacher cannot be used.
        SinkError: The bundle is there already or cannot be written.
    """
    _check_out(job.out, job.data, may_replace=force or resume)
    base = _base(job.base)
    job = _with_own_preset(job, base)
    spec = base.crop if isinstance(base, Bundle) else CROP
    try:
        dataset, settings, record = _resumed(job) if resume else _begun(job, base, spec, watcher)
    except OSError as error:
        if isinstance(error, SinkError):
            raise
        if error.filename == str(job.data):
            raise DatasetError(f"{job.data} cannot be read: {error.strerror}; give a folder, a zip or a csv") from error
        raise SinkError(f"{job.work} cannot be written: {error.strerror or error}", "choose another {out}") from error
    watcher.on_data(dataset)
    model, run = fit(
        dataset,
        spec,
        settings,
        job.work,
        watcher.on_step,
        watcher.on_epoch,
        base=base,
        teachers=job.teachers,
        # Changed settings of a resumed run are recorded once they were found to be compatible.
        on_begin=lambda: save_job(job.work, record),
    )
    return finish(model, run, dataset, settings, job.out, spec, record, job.describe(record)), run


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
    strength = happy = raised = 0.0
    if settings.class_balance:
        common, predictions = class_prior.prior(dataset.splits["train"].targets[EMOTION]), _both_framings(model, valid)
        strength = class_prior.choose(predictions, votes, dataset.labels, common)
        happy = class_prior.break_even(class_prior.adjusted(predictions, common, strength), votes, dataset.labels)
        adjusted = metrics.with_offsets(predictions, class_prior.offsets(common, strength, happy, dataset.labels))
        raised = class_prior.lift(adjusted, votes, dataset.labels, class_prior.lifted(common, dataset.labels))
        class_prior.bake(model, class_prior.offsets(common, strength, happy, dataset.labels, raised))
    heads = [Head(name, labels, _temperature(model, valid, name)) for name, labels in valid.heads.items()]
    figures = measure(model, dataset, heads[0].temperature)
    exported = [head for head in heads if head.name != FER2013_HEAD]  # that one is for training and its figure only
    shipped = serving_model(model, [head.name for head in exported])
    try:
        tflite = to_tflite(shipped)
    except SinkError as error:
        raise SinkError(
            f"{error}; what was trained is kept", "{resume} where tensorflow is installed writes it"
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
        training=provenance(dataset, settings, run, record or {}, strength, happy, raised, command),
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


def _check_out(out: Path, data: Path, may_replace: bool) -> None:
    """Raise before the training starts if the bundle could not be written or read back, or may not lie there."""
    if out.name in ("", ".."):
        raise SinkError(f"{out} names no folder to write", "give {out} a name, such as {0}", out / "mine")
    if not is_name(out.name):
        raise SinkError(
            f"{out.name!r} is not a name for a bundle", "give {out} one line of at most {0} characters", MAX_NAME
        )
    refuse_file_as_folder(out, "out")
    if data.is_dir() and data.resolve() in (out.resolve(), *out.resolve().parents):
        raise SinkError(f"{out} lies in the data, where its pictures would count as data", "choose another {out}")
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).exists():
        raise SinkError(f"{out} is not empty and holds no bundle", "choose another {out}")
    if (out / MANIFEST).exists() and not may_replace:
        raise SinkError(f"bundle {out} is there already", "use {force} or another {out}")


def _base(folders: tuple[Path, ...]) -> Bundle | tuple[Path, ...]:
    runs = [has_checkpoint(folder) for folder in folders]
    if all(runs):
        return folders
    bundle = read_bundle(folders[runs.index(False)])
    if len(folders) > 1:
        raise ModelIncompatible(
            f"{bundle.folder} is a bundle", "{from} takes one bundle, or folders of runs (OUT.work)"
        )
    return bundle


def _with_own_preset(job: Job, base: Bundle | tuple[Path, ...]) -> Job:
    """Return the job with the preset of the runs that it starts from; raise if another preset was requested."""
    if not base:
        return job
    own = {} if isinstance(base, Bundle) else {"preset": preset_of(base[0])}
    requested = job.overrides.get("preset")
    if requested not in (None, own.get("preset")):
        raise ModelIncompatible(
            f"{job.base[0]} has its own network, and preset {requested} makes another", "leave out {from} or {preset}"
        )
    return replace(job, overrides={**job.overrides, **own})


def _begun(
    job: Job, base: Bundle | tuple[Path, ...], spec: CropSpec, watcher: Watcher
) -> tuple[Dataset, TrainSettings, dict[str, Any]]:
    if has_checkpoint(job.work):
        raise DatasetError(f"{job.work} holds an earlier run", "continue it with {resume}, or remove that folder")
    known = base.labels if isinstance(base, Bundle) else data_sets.restore(base[0]).labels if base else EMOTIONS
    collection = open_collection(job.data, job.votes, ClassNames(known, job.classes), job.group_by, job.heads)
    if own := [label for label in (UNSURE, NO_FACE) if label in collection.labels]:
        raise DatasetError(
            f"class folder {own[0]} of {job.data}: that is livemood's own word for faces and photos without a label; "
            "rename that folder, or remove it"
        )
    with FaceDetector("fast") as detector:
        dataset = load(collection, spec, detector, job.work, find_faces=job.find_faces, on_progress=watcher.on_crop)
    record = {
        "data": job.data.name,
        "votes": job.votes.name if job.votes else None,
        "heads": job.heads.name if job.heads else None,
        "find_faces": job.find_faces,
        "group_by": job.group_by,
        "class": dict(job.classes),
        "from": [folder.name for folder in job.base],
        "teachers": [folder.name for folder in job.teachers],
        "settings": asdict(job.settings),
        "commit": commit(),
    }
    _write_lines(job.work / "skipped.txt", dataset.skipped)
    _write_lines(job.work / "near-copies.txt", [f"{ours}\t{theirs}" for ours, theirs in dataset.near_copies])
    save_job(job.work, record)
    return dataset, job.settings, record


def _write_lines(file: Path, lines: Sequence[str]) -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors=NOT_UTF8)


def _resumed(job: Job) -> tuple[Dataset, TrainSettings, dict[str, Any]]:
    """Resume a run; settings that are given again must equal the recorded ones, but teachers may be added."""
    if not data_sets.is_there(job.work) or not (job.work / JOB).exists():
        raise DatasetError(f"{job.work} holds no run to resume", "leave {resume} out")
    record = restore_job(job.work)
    teachers = [folder.name for folder in job.teachers]
    settings_by_name = {
        "data": (job.data.name, record["data"]),
        "votes": (job.votes.name if job.votes else record["votes"], record["votes"]),
        "heads": (job.heads.name if job.heads else record["heads"], record["heads"]),
        "find_faces": (job.find_faces or record["find_faces"], record["find_faces"]),
        "group_by": (job.group_by or record["group_by"], record["group_by"]),
        "class": (dict(job.classes) or record["class"], record["class"]),
        "from": ([folder.name for folder in job.base], record["from"]),
        "teacher": (teachers[: len(record["teachers"])], record["teachers"]),
        **{name: (value, record["settings"][name]) for name, value in job.overrides.items() if name not in _MAY_CHANGE},
    }
    for name, (now, before) in settings_by_name.items():
        if now != before:
            begun = f"without {name}" if before is None or before is False else f"with {name} {before}, not {now}"
            raise DatasetError(
                f"the run in {job.work} was begun {begun}", "say the same again, or start anew with another {out}"
            )
    known = {column.name for column in fields(TrainSettings)}
    settings = TrainSettings(**{k: v for k, v in record["settings"].items() if k in known})
    settings = replace(settings, **job.overrides)
    return data_sets.restore(job.work), settings, {**record, "teachers": teachers, "settings": asdict(settings)}

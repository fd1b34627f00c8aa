"""A whole training run: data set -> fitted model -> calibrated, measured, written bundle."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from livemood.bundles.manifest import MANIFEST, MAX_NAME, Bundle, is_name, read_bundle
from livemood.core.crop_spec import CROP, CropSpec
from livemood.core.errors import DatasetError, ModelIncompatible, SinkError
from livemood.core.labels import EMOTIONS, UNSURE
from livemood.core.text_tables import NOT_UTF8
from livemood.datasets import dataset as data_sets
from livemood.datasets.class_names import ClassNames
from livemood.datasets.dataset import Dataset
from livemood.datasets.load import load
from livemood.datasets.open import open_collection
from livemood.detection.combined import FaceDetector
from livemood.runtime.atomic_io import refuse_file_as_folder
from livemood.training.export.finish import finish
from livemood.training.export.provenance import commit
from livemood.training.loop.checkpoint import JOB, Epoch, Run, Step, has_checkpoint, restore_job, save_job
from livemood.training.loop.earlier_runs import preset_of
from livemood.training.loop.fit import fit
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
    if UNSURE in collection.labels:
        raise DatasetError(
            f"class folder {UNSURE} of {job.data}: that is livemood's own word where no label is sure enough; "
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

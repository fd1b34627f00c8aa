"""A whole training run: data set -> fitted model -> calibrated, measured, written bundle."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from livemood.bundles.manifest import (
    MAX_HEADS,
    MAX_LABELS,
    MAX_NAME,
    Bundle,
    bundle_name,
    is_name,
    named_bundle,
    read_bundle,
)
from livemood.core.crop_spec import CROP, CropSpec
from livemood.core.errors import DatasetError, LivemoodError, ModelError, ModelIncompatible, SinkError
from livemood.core.labels import EMOTION, EMOTIONS, OWN_WORDS
from livemood.core.text_tables import NOT_UTF8
from livemood.datasets import dataset as data_sets
from livemood.datasets.dataset import Dataset
from livemood.datasets.load import load
from livemood.datasets.open import DataSource
from livemood.datasets.samples import FER2013_HEAD, FER2013_LABELS
from livemood.detection.combined import FaceDetector
from livemood.runtime.atomic_io import claimed, refuse_file_as_folder
from livemood.training.export.finish import finish
from livemood.training.export.provenance import commit
from livemood.training.loop.checkpoint import JOB, Epoch, Run, Step, has_checkpoint, restore_job, save_job
from livemood.training.loop.earlier_runs import Heads, preset_of
from livemood.training.loop.fit import check, fit
from livemood.training.settings import TrainSettings, usual

# Files of a run's folder, besides those of the data set and the checkpoint.
_LOCK, _SKIPPED, _NEAR_COPIES = ".lock", "skipped.txt", "near-copies.txt"
_MAY_CHANGE = {"epochs", "time_budget_s", "early_stop", "learning_rate", "class_balance"}


@dataclass(frozen=True, slots=True)
class Job:
    """The settings of a training job.

    Attributes:
        data: Labelled pictures.
        out: Bundle folder to write; ``out.work`` beside it holds crops, checkpoint and history.
        base: A bundle, or folders of runs, whose weights the training starts from.
        teachers: Bundles, or folders of runs, to distil from.
        overrides: Fields of ``TrainSettings`` that differ from ``usual`` ones.
        describe: Returns how to repeat the recorded job, such as a command line, for the manifest.
    """

    data: DataSource
    out: Path
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
    """Callbacks for the progress of a run; ``on_budget`` gets what is left of the time budget, s, if there is one."""

    on_crop: Callable[[int, int], None] = lambda done, total: None
    on_data: Callable[[Dataset], None] = lambda dataset: None
    on_budget: Callable[[float], None] = lambda left_s: None
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
        KeyboardInterrupt: The run was interrupted before its first epoch ended; there is no bundle.
        ModelError: ``base`` or a teacher cannot be used.
        SinkError: The bundle is there already or cannot be written, or another run has ``job.work``.
    """
    _check_out(job, may_replace=force or resume)
    base = _base(job.base)
    job = _with_own_preset(job, base)
    spec = base.crop if isinstance(base, Bundle) else CROP
    with ExitStack() as stack:
        try:
            stack.enter_context(_claimed_work(job, resume))
            dataset, settings, record = _resumed(job) if resume else _begun(job, base, spec, watcher)
        except LivemoodError:
            raise
        except OSError as error:
            raise _about_files(job, error) from error
        watcher.on_data(dataset)

        def begin(run: Run) -> None:
            # Changed settings of a resumed run are recorded once they were found to be compatible.
            save_job(job.work, record)
            if settings.time_budget_s:
                watcher.on_budget(max(settings.time_budget_s - run.elapsed_s, 0.0))

        model, run = fit(
            dataset,
            spec,
            settings,
            job.work,
            watcher.on_step,
            watcher.on_epoch,
            base=base,
            teachers=job.teachers,
            on_begin=begin,
        )
        return finish(model, run, dataset, settings, job.out, spec, record, job.describe(record)), run


@contextmanager
def _claimed_work(job: Job, resume: bool) -> Iterator[None]:
    """Keep other runs out of ``job.work``, which is made; it is removed again if nothing was put there.

    Raises:
        DatasetError: It holds nothing to resume.
        SinkError: Another run has it.
    """
    if resume and not (data_sets.is_there(job.work) and (job.work / JOB).exists()):
        raise DatasetError(f"{job.work} contains no run to resume", "leave {resume} out")
    made = [folder for folder in (job.work, *job.work.parents) if not folder.exists()]
    job.work.mkdir(parents=True, exist_ok=True)
    lock = job.work / _LOCK
    with claimed(lock, job.work, "out"):
        try:
            yield
        finally:
            with suppress(OSError):
                if set(job.work.iterdir()) <= {lock}:
                    lock.unlink(missing_ok=True)
                for folder in made:
                    folder.rmdir()


def _about_files(job: Job, error: OSError) -> LivemoodError:
    """Return the error to raise when a file could not be read, or ``job.work`` not be written."""
    reason = error.strerror or error
    place = Path(error.filename) if isinstance(error.filename, str) else job.work
    if place.is_relative_to(job.work) or job.work.is_relative_to(place):
        return SinkError(f"{job.work} cannot be written: {reason}", "choose another {out}")
    if place == job.data.path:
        return DatasetError(f"{place} cannot be read: {reason}", "give a folder, a zip or a csv")
    return DatasetError(f"{place} cannot be read: {reason}", "make it readable, or leave it out")


def _check_out(job: Job, may_replace: bool) -> None:
    """Raise before the training starts if the bundle could not be written or read back, or may not lie there."""
    out, data = job.out, job.data.path
    if out.name in ("", ".."):
        raise SinkError(f"{out} names no folder to write", "give {out} a name, such as {0}", out / "mine")
    if not is_name(out.name):
        raise SinkError(
            f"{out.name!r} is not a name for a bundle", "give {out} one line of at most {0} characters", MAX_NAME
        )
    if named_bundle(out) != out:
        raise SinkError(f"{out} is the name of the shipped model", "choose another {out}")
    for folder in (out, job.work):
        if folder.is_symlink() and not folder.exists():
            raise SinkError(f"{folder} is a broken link", "choose another {out}")
        refuse_file_as_folder(folder, "out")
        if data.is_dir() and data.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise SinkError(f"{folder} is inside the data, so its pictures would count as data", "choose another {out}")
    holds_bundle = _is_bundle(out)
    if out.is_dir() and any(out.iterdir()) and not holds_bundle:
        raise SinkError(f"{out} is not empty and contains no bundle", "choose another {out}")
    if holds_bundle and not may_replace:
        raise SinkError(f"bundle {out} is there already", "use {force} or another {out}")


def _is_bundle(folder: Path) -> bool:
    """Return whether a folder holds a bundle, and not the ``manifest.json`` of another program."""
    try:
        read_bundle(folder)
    except ModelError:
        return False
    return True


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
        raise DatasetError(f"{job.work} contains an earlier run", "continue it with {resume}, or remove that folder")
    settings = job.settings
    known = _heads_of(base)
    collection = job.data.collection(known.get(EMOTION, EMOTIONS))
    _check_heads(collection.heads, job.data.path)
    check(collection.heads, spec, settings, base=base, teachers=job.teachers)
    collection = replace(collection, notes=(*collection.notes, *_note_on_lost(known, collection.heads)))
    record = {
        **job.data.record(),
        "from": [*map(bundle_name, job.base)],
        "teachers": [*map(bundle_name, job.teachers)],
        "settings": asdict(settings),
        "commit": commit(),
    }
    # What a run left that never came to a checkpoint goes first, and the record comes before the crops: what lies
    # there is never resumed with the record of another run.
    data_sets.discard(job.work)
    try:
        save_job(job.work, record)
        with FaceDetector("fast") as detector:
            whole = job.data.find_faces
            dataset = load(collection, spec, detector, job.work, find_faces=whole, on_progress=watcher.on_crop)
        _write_lines(job.work / _SKIPPED, dataset.skipped)
        _write_lines(job.work / _NEAR_COPIES, [f"{ours}\t{theirs}" for ours, theirs in dataset.near_copies])
    except BaseException:
        with suppress(OSError):
            data_sets.discard(job.work)
            for name in (JOB, _SKIPPED, _NEAR_COPIES):
                (job.work / name).unlink(missing_ok=True)
        raise
    return dataset, settings, record


def _heads_of(base: Bundle | tuple[Path, ...]) -> Heads:
    """Return the classes by head of what a run starts from; empty for a new network."""
    if isinstance(base, Bundle):
        return {head.name: head.labels for head in base.heads}
    return data_sets.restore(base[0]).heads if base else {}


def _note_on_lost(known: Heads, heads: Heads) -> tuple[str, ...]:
    """Return a note on classes and heads of what a run starts from that the data has no labels of."""
    lost = [
        label if head == EMOTION else f"{label} of head {head}"
        for head, labels in heads.items()
        for label in known.get(head, ())
        if label not in labels
    ]
    lost += [f"head {head}" for head in known if head not in heads]
    return (f"the new model will not have {', '.join(lost)}: the data has no such labels",) if lost else ()


def _check_heads(heads: Heads, data: Path) -> None:
    """Raise if a bundle with these heads could not be read back, or would lack one."""
    if heads.get(FER2013_HEAD, FER2013_LABELS) != FER2013_LABELS:
        raise DatasetError(f"a head cannot be called {FER2013_HEAD}, which is FER2013's own labels", "rename it")
    if len(heads) > MAX_HEADS:
        raise DatasetError(f"{len(heads)} heads, and a bundle has {MAX_HEADS} at most", "leave some out of {heads}")
    for head, labels in heads.items():
        if own := [label for label in OWN_WORDS if label in labels]:
            where = data if head == EMOTION else f"head {head}"
            raise DatasetError(
                f"{where} has a class {own[0]}, livemood's own word for faces and photos without a label",
                "rename that class, or leave it out",
            )
        if len(labels) > MAX_LABELS:
            raise DatasetError(f"{len(labels)} classes of head {head}, and a bundle has {MAX_LABELS} at most")


def _write_lines(file: Path, lines: Sequence[str]) -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors=NOT_UTF8)


def _resumed(job: Job) -> tuple[Dataset, TrainSettings, dict[str, Any]]:
    """Resume a run; settings that are given again must equal the recorded ones, but teachers may be added."""
    record = restore_job(job.work)
    teachers = [*map(bundle_name, job.teachers)]
    settings_by_name = {
        **{name: (value or record[name], record[name]) for name, value in job.data.record().items()},
        "from": ([*map(bundle_name, job.base)], record["from"]),
        "teacher": (teachers[: len(record["teachers"])], record["teachers"]),
        **{name: (value, record["settings"][name]) for name, value in job.overrides.items() if name not in _MAY_CHANGE},
    }
    for name, (now, before) in settings_by_name.items():
        if now != before:
            given = name if name == "data" else f"{{{name}}}"  # data is an argument, not an option
            instead = f", not {_words(now)}" if now else ""
            begun = f"with {_words(before)}{instead}" if before else "with other settings"
            again = f"give the same {given}" if before else f"leave {given} out"
            raise DatasetError(f"the run in {job.work} was begun {begun}", f"{again}, or use another {{out}}")
    known = {column.name for column in fields(TrainSettings)}
    settings = TrainSettings(**{k: v for k, v in {**record["settings"], **job.overrides}.items() if k in known})
    return data_sets.restore(job.work), settings, {**record, "teachers": teachers, "settings": asdict(settings)}


def _words(value: Any) -> str:
    """Return a recorded setting as it is given."""
    if isinstance(value, dict):
        value = [f"{name}={label}" for name, label in value.items()]
    return ", ".join(value) if isinstance(value, list) else str(value)

"""A whole training run: data set -> fitted model -> calibrated, measured, written bundle."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.bundle import MANIFEST, MAX_NAME, Bundle, is_name, read_bundle
from livemood.detect import FaceDetector
from livemood.errors import DatasetError, ModelIncompatible, SinkError
from livemood.labels import UNSURE
from livemood.settings import CROP
from livemood.training import balance, evaluate
from livemood.training import dataset as data_sets
from livemood.training.collection import SplitName, open_collection
from livemood.training.dataset import ALIGNED, RAW, Dataset, Split
from livemood.training.export import MAX_PARITY_GAP, parity, to_tflite, write_bundle
from livemood.training.files import NOT_UTF8
from livemood.training.fit import fit
from livemood.training.model import FER2013_HEAD, predict
from livemood.training.provenance import commit, provenance
from livemood.training.serving import serving_model
from livemood.training.settings import TrainSettings, usual
from livemood.training.state import JOB, Epoch, Run, Step, has_checkpoint, restore_job, save_job
from livemood.training.transfer import preset_of
from livemood.values import CropSpec

_MAY_CHANGE = {"epochs", "time_budget_s", "early_stop", "learning_rate", "class_balance"}


@dataclass(frozen=True, slots=True)
class Job:
    """What to train on, and from where.

    Attributes:
        data: Anything that ``open_collection`` takes.
        out: Bundle folder to write; ``out.work`` beside it holds crops, checkpoint and history.
        votes: FER+'s ``fer2013new.csv``.
        find_faces: The pictures are whole photos.
        base: A bundle, or folders of runs, to begin with.
        teachers: Bundles, or folders of runs, to learn from.
        asked: Fields of ``TrainSettings`` that differ from ``usual`` ones.
    """

    data: Path
    out: Path
    votes: Path | None = None
    find_faces: bool = False
    base: tuple[Path, ...] = ()
    teachers: tuple[Path, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """Folder beside ``out`` for crops, checkpoint and history."""
        return self.out.with_name(f"{self.out.name}.work")

    @property
    def settings(self) -> TrainSettings:
        """The defaults with what was asked."""
        return replace(usual(fine_tuning=bool(self.base)), **self.asked)


@dataclass(frozen=True, slots=True)
class Watcher:
    """What a display wants to hear of a run."""

    on_crop: Callable[[int, int], None] = lambda done, total: None
    on_data: Callable[[Dataset], None] = lambda dataset: None
    on_step: Callable[[Step], None] = lambda step: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None


def train(job: Job, resume: bool, force: bool, watcher: Watcher) -> tuple[dict[str, Any], Run]:
    """Train and write the bundle.

    Args:
        job: What to do; when resuming, what differs from the first time.
        resume: Go on with the run that ``job.work`` holds.
        force: Put the bundle in the place of another.
        watcher: Hears of progress.

    Returns:
        The metrics that the bundle's manifest carries, and the run.

    Raises:
        DatasetError: Unusable data, or a run to resume that is not there or another one.
        ModelError: ``base`` or a teacher cannot be used.
        SinkError: The bundle is there already or cannot be written.
    """
    _check_out(job.out, may_replace=force or resume)
    base = _base(job.base)
    job = _with_own_preset(job, base)
    spec = base.crop if isinstance(base, Bundle) else CROP
    try:
        dataset, settings, record = _resumed(job) if resume else _begun(job, spec, watcher)
    except OSError as error:
        if isinstance(error, SinkError):
            raise
        if error.filename == str(job.data):
            raise DatasetError(f"{job.data} cannot be read: {error.strerror}; give a folder, a zip or a csv") from error
        raise SinkError(f"{job.work} cannot be written: {error.strerror or error}; choose another --out") from error
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
        # What a resumed run was asked anew is recorded once it is known to be possible.
        on_begin=lambda: save_job(job.work, record),
    )
    return finish(model, run, dataset, settings, job.out, spec, record), run


def finish(
    model: Any,
    run: Run,
    dataset: Dataset,
    settings: TrainSettings,
    out: Path,
    spec: CropSpec = CROP,
    record: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Balance and calibrate on valid, measure on test once, and write the bundle.

    Args:
        model: The two-headed keras.Model.
        run: Its history.
        dataset: All splits.
        settings: Of the run.
        out: Bundle folder.
        spec: How the crops were cut.
        record: The job, for the manifest.

    Raises:
        SinkError: The bundle cannot be written.
    """
    valid = dataset.splits["valid"]
    votes = np.tile(valid.top_vote, 2)
    strength = happy = raised = 0.0
    if settings.class_balance:
        common, said = balance.prior(dataset.splits["train"].targets), _both_framings(model, valid)
        strength = balance.choose(said, votes, dataset.labels, common)
        happy = balance.break_even(balance.adjusted(said, common, strength), votes, dataset.labels)
        so_far = evaluate.with_offsets(said, balance.offsets(common, strength, happy, dataset.labels))
        raised = balance.lift(so_far, votes, dataset.labels, balance.lifted(common, dataset.labels))
        balance.bake(model, balance.offsets(common, strength, happy, dataset.labels, raised))
    temperature = evaluate.fit_temperature(_both_framings(model, valid), votes)
    metrics = measure(model, dataset, temperature)
    shipped = serving_model(model)
    try:
        tflite = to_tflite(shipped)
    except SinkError as error:
        raise SinkError(f"{error}; what was trained is kept, and --resume where tensorflow is writes it") from error
    gap = parity(shipped, tflite, valid.crops(RAW, 0, 64))
    if not gap < MAX_PARITY_GAP:
        raise DatasetError(f"LiteRT and Keras differ by {gap:.1e} on validation pictures; the bundle is not written")
    write_bundle(
        shipped,
        tflite,
        out,
        name=out.name,
        labels=dataset.labels,
        spec=spec,
        temperature=temperature,
        metrics=metrics,
        training=provenance(dataset, settings, run, record or {}, strength, happy, raised),
    )
    return metrics


def measure(model: Any, dataset: Dataset, temperature: float) -> dict[str, Any]:
    """Return the figures of a two-headed model on the test split (valid where there is no test)."""
    name: SplitName = "test" if len(dataset.splits["test"]) else "valid"
    split = dataset.splits[name]
    metrics: dict[str, Any] = {"split": name}
    for framing, word in ((RAW, ""), (ALIGNED, "aligned_")):
        probabilities = evaluate.with_temperature(predict(model, split, framing), temperature)
        top = evaluate.scores(probabilities, split.top_vote, dataset.labels)
        majority = evaluate.scores(probabilities, split.majority, dataset.labels)
        metrics |= {
            f"{word}accuracy_majority": round(majority.accuracy, 4),
            f"{word}accuracy_top_vote": round(top.accuracy, 4),
            f"{word}macro_f1": round(top.macro_f1, 4),
            f"{word}ece": round(top.ece, 4),
        }
        if framing == RAW:
            metrics["recall"] = {label: round(value, 4) for label, value in top.recall.items()}
            if (told := evaluate.happy_versus_sad(probabilities, split)) is not None:
                metrics["happy_versus_sad"] = round(told, 4)
    if (split.fer2013 >= 0).any():
        metrics["fer2013_accuracy"] = round(_fer2013_accuracy(model, split), 4)
    return metrics


def _both_framings(model: Any, split: Split) -> npt.NDArray[np.float32]:
    return np.concatenate([predict(model, split, framing) for framing in (RAW, ALIGNED)])


def _fer2013_accuracy(model: Any, split: Split) -> float:
    known = split.only(split.fer2013 >= 0)
    return float((predict(model, known, RAW, FER2013_HEAD).argmax(1) == known.fer2013).mean())


def _check_out(out: Path, may_replace: bool) -> None:
    """Refuse what could not be written, or read again, before hours are spent on it."""
    if out.name in ("", ".."):
        raise SinkError(f"{out} names no folder to write; give --out a name, such as {out / 'mine'}")
    if not is_name(out.name):
        raise SinkError(f"{out.name!r} is no name for a bundle; give --out one line of at most {MAX_NAME} characters")
    if out.exists() and not out.is_dir():
        raise SinkError(f"{out} is a file; give --out a folder")
    if (out / MANIFEST).exists() and not may_replace:
        raise SinkError(f"bundle {out} is there already; use --force or another --out")


def _base(folders: tuple[Path, ...]) -> Bundle | tuple[Path, ...]:
    runs = [has_checkpoint(folder) for folder in folders]
    if all(runs):
        return folders
    bundle = read_bundle(folders[runs.index(False)])
    if len(folders) > 1:
        raise ModelIncompatible(f"{bundle.folder} is a bundle; --from takes one bundle, or folders of runs (OUT.work)")
    return bundle


def _with_own_preset(job: Job, base: Bundle | tuple[Path, ...]) -> Job:
    """Return the job with the preset of the runs it begins with; whatever it begins with, no other can be asked for."""
    if not base:
        return job
    own = {} if isinstance(base, Bundle) else {"preset": preset_of(base[0])}
    asked = job.asked.get("preset")
    if asked not in (None, own.get("preset")):
        raise ModelIncompatible(f"{job.base[0]} has its own network, --preset {asked} makes another; leave one out")
    return replace(job, asked={**job.asked, **own})


def _begun(job: Job, spec: CropSpec, watcher: Watcher) -> tuple[Dataset, TrainSettings, dict[str, Any]]:
    if has_checkpoint(job.work):
        raise DatasetError(f"{job.work} holds an earlier run; go on with --resume, or remove that folder")
    collection = open_collection(job.data, job.votes)
    if UNSURE in collection.labels:
        raise DatasetError(
            f"class folder {UNSURE} of {job.data}: that is livemood's own word where no label is sure enough; "
            "rename that folder, or remove it"
        )
    with FaceDetector("auto") as detector:
        dataset = data_sets.load(
            collection, spec, detector, job.work, find_faces=job.find_faces, on_progress=watcher.on_crop
        )
    record = {
        "data": job.data.name,
        "votes": job.votes.name if job.votes else None,
        "find_faces": job.find_faces,
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
    """Take up a run; what the command line says again must agree with what was said first, but teachers may join."""
    if not data_sets.is_there(job.work) or not (job.work / JOB).exists():
        raise DatasetError(f"{job.work} holds no run to resume; leave --resume out")
    record = restore_job(job.work)
    teachers = [folder.name for folder in job.teachers]
    again = {
        "DATA": (job.data.name, record["data"]),
        "--votes": (job.votes.name if job.votes else record["votes"], record["votes"]),
        "--find-faces": (job.find_faces or record["find_faces"], record["find_faces"]),
        "--from": ([folder.name for folder in job.base], record["from"]),
        "--teacher": (teachers[: len(record["teachers"])], record["teachers"]),
        **{
            f"--{name.replace('_', '-')}": (value, record["settings"][name])
            for name, value in job.asked.items()
            if name not in _MAY_CHANGE
        },
    }
    for option, (now, then) in again.items():
        if now != then:
            begun = f"without {option}" if then is None or then is False else f"with {option} {then}, not {now}"
            raise DatasetError(
                f"the run in {job.work} was begun {begun}; say the same again, or start anew with another --out"
            )
    known = {column.name for column in fields(TrainSettings)}
    settings = TrainSettings(**{k: v for k, v in record["settings"].items() if k in known})
    settings = replace(settings, **job.asked)
    return data_sets.restore(job.work), settings, {**record, "teachers": teachers, "settings": asdict(settings)}

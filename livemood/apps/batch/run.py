"""A batch: split the inputs that are still to be read into shards, and write each shard's part to the data set."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from livemood import __version__
from livemood.apps.batch.dataset import (
    Part,
    Reading,
    contents,
    part_name,
    read_part,
    read_parts,
    read_run_infos,
    remove_inputs,
    write_run_info,
)
from livemood.apps.batch.engines import Engine
from livemood.apps.batch.inputs import InputFile, expand, labelled_name, share
from livemood.apps.batch.shard import Shard, ShardOptions, give_up
from livemood.apps.photo import PhotoOptions
from livemood.bundles.heads import heads_of_bundle
from livemood.bundles.manifest import named_bundle, read_bundle
from livemood.core.errors import SinkError
from livemood.core.labels import EMOTION
from livemood.core.settings import DrawStyle, ReaderSettings
from livemood.emotion.backends.registry import sha256_of_weights
from livemood.records import VERSION
from livemood.records.inputs import Heads
from livemood.records.parquet import PARQUET
from livemood.runtime.atomic_io import refuse_file_as_folder
from livemood.runtime.optional_deps import check_installed
from livemood.runtime.storage import Store, is_url

PHOTOS_PER_SHARD: Final = 1000
_SHARDS_PER_WORKER: Final = 4  # at least, so that all end at about the same time


@dataclass(frozen=True, slots=True)
class BatchJob:
    """The settings of a batch.

    Attributes:
        inputs: Files, folders, globs, lists, URLs.
        out: The data set: a folder or a URL.
        reader: How faces are found and classified.
        part: The share of the inputs to read, counted from 1, and the number of shares.
        every: Classify every Nth frame of a video.
        labelled: Folder for labelled copies of videos.
        retry_failed: Read inputs again that could not be read.
    """

    inputs: Sequence[str]
    out: str
    reader: ReaderSettings
    part: tuple[int, int] = (1, 1)
    every: int = 1
    labelled: str | None = None
    retry_failed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of a batch.

    Attributes:
        inputs: All inputs of the job.
        shards: Inputs that are still to be read.
        done: Number of inputs that the data set already has.
        failed: Number of those that could not be read.
        again: Number of inputs that are read again, because they or the model have changed, because they failed, or
            for their labelled copy.
        stale: Paths by part whose rows are to be removed before.
        unreadable: Folders inside the inputs that cannot be read.
        options: For the shards.
        heads: Labels by head of the model.
    """

    inputs: Sequence[InputFile]
    shards: Sequence[Shard]
    done: int
    failed: int
    again: int
    stale: Sequence[tuple[Part, frozenset[str]]]
    unreadable: Sequence[str]
    options: ShardOptions
    heads: Heads

    @property
    def todo(self) -> int:
        """Number of inputs that are still to be read."""
        return sum(len(shard.inputs) for shard in self.shards)


def plan(job: BatchJob, workers: int) -> Plan:
    """Compare the inputs with the data set and return the work to do; nothing is written.

    Raises:
        SourceError: There are no inputs.
        SinkError: A file lies where a folder is to be, a place cannot hold what is written, or the data set would
            keep rows with other labels.
        LivemoodError: pyarrow or a driver is missing, or the data set holds a file that livemood did not write.
        ModelError: The model cannot be used.
    """
    check_installed("pyarrow", PARQUET)
    heads, options = _options(job)
    _check_places(job)
    unreadable: list[str] = []
    inputs = expand(job.inputs, unreadable.append)
    if job.part[1] > 1:
        inputs = share(inputs, *job.part)
    wanted = {one.path: one for one in inputs}
    done: set[str] = set()
    failed = 0
    stale: list[tuple[Part, frozenset[str]]] = []
    again: set[str] = set()
    unlike: Heads | None = None
    key = options.reading.key
    copies = None if job.labelled is None else frozenset(Store(job.labelled, "labelled").names())
    for part in read_parts(Store(job.out, "out")):
        old: set[str] = set()
        same_reading = part.reading.key == key
        for one in part.inputs:
            now = wanted.get(one.path)
            if now is None:
                continue
            current = same_reading and now == one
            if one.path in part.failed:
                whole = not job.retry_failed
            else:
                whole = copies is None or not one.is_video or labelled_name(one.path) in copies
            if one.path in done:  # in two parts, after a run that was interrupted
                old.add(one.path)
            elif current and whole:
                done.add(one.path)
                failed += one.path in part.failed
            else:
                old.add(one.path)
                again.add(one.path)
        if old:
            stale.append((part, frozenset(old)))
        if len(old) < len(part.inputs) and part.heads != heads:
            unlike = part.heads
    todo = [shard for shard in _shards(inputs, done, workers) if shard.inputs]
    if todo and unlike:
        raise _other_labels(job.out, unlike, heads)
    return Plan(inputs, todo, len(done), failed, len(again - done), stale, unreadable, options, heads)


def run(
    job: BatchJob,
    planned: Plan,
    engine: Engine,
    on_part: Callable[[Part], None] = lambda _: None,
) -> None:
    """Run a plan; each part is written to the data set as soon as it is done, so that an interrupt loses none.

    Args:
        job: The settings.
        planned: The work to do.
        engine: Runs the shards.
        on_part: Called for each part, also for those that were completed during an interrupt.

    Raises:
        SinkError: The data set cannot be written.
    """
    store = Store(job.out, "out")
    info = _run_info(job, planned)
    write_run_info(store, _run_name(job), info)
    for part, paths in planned.stale:
        remove_inputs(store, part.name, paths)
    began = time.monotonic()
    told: set[str] = set()
    try:
        for part in _parts(planned, engine):
            told.add(part.name)
            on_part(part)
    except KeyboardInterrupt:
        # What was under way has been completed meanwhile.
        names = {part_name(shard.inputs, planned.options.reading) for shard in planned.shards}
        for name in (names - told).intersection(store.names()):
            on_part(read_part(store, name))
        raise
    _note_end(store, _run_name(job), info, time.monotonic() - began)


def note_nothing_to_do(job: BatchJob, planned: Plan) -> None:
    """Record the end of an earlier run that was interrupted when all its parts were written.

    Raises:
        SinkError: The data set cannot be written.
    """
    store = Store(job.out, "out")
    earlier = read_run_infos(store).get(_run_name(job))
    if earlier is not None and "finished" not in earlier:
        _note_end(store, _run_name(job), _run_info(job, planned), 0.0)


def _note_end(store: Store, name: str, info: dict[str, Any], elapsed_s: float) -> None:
    whole = contents(read_parts(store)).to_json()
    write_run_info(store, name, {**info, "seconds": round(elapsed_s, 1), "finished": _now(), **whole})


def _parts(planned: Plan, engine: Engine) -> Iterator[Part]:
    """Yield parts; a shard that kills its process is halved repeatedly, until the input that does it is found."""
    shards: Sequence[Shard] = planned.shards
    while shards:
        halves: list[Shard] = []
        for shard, part in engine.run(shards, planned.options):
            if part is not None:
                yield part
            elif len(shard.inputs) == 1:
                yield give_up(shard, planned.options, planned.heads)
            else:
                middle = len(shard.inputs) // 2
                halves += [Shard(shard.inputs[:middle]), Shard(shard.inputs[middle:])]
        shards = halves


def _shards(inputs: Sequence[InputFile], done: set[str], workers: int) -> Iterator[Shard]:
    """Split all inputs into shards at fixed positions, then leave out those that are done.

    So a shard that one run did not finish has the same inputs, and its file the same name, in the next run.
    """
    photos: list[InputFile] = []
    for one in inputs:
        if not one.is_video:
            photos.append(one)
        elif one.path not in done:
            yield Shard((one,))
    size = max(min(PHOTOS_PER_SHARD, -(-len(photos) // (_SHARDS_PER_WORKER * workers))), 1)
    for start in range(0, len(photos), size):
        yield Shard(tuple(one for one in photos[start : start + size] if one.path not in done))


def _options(job: BatchJob) -> tuple[Heads, ShardOptions]:
    bundle = read_bundle(named_bundle(job.reader.model))
    heads = heads_of_bundle(job.reader.model, job.reader.emotions)
    settings = f"schema {VERSION}; detector {job.reader.detector}; engine {job.reader.engine}; every {job.every}"
    settings += f"; baseline {job.reader.baseline}"
    bundle.offsets(job.reader.prior)  # refused here rather than in every worker
    if job.reader.prior != "training":
        settings += f"; prior {job.reader.prior}"
    if job.reader.emotions:
        settings += f"; emotions {','.join(heads[EMOTION])}"
    reading = Reading(__version__, bundle.name, sha256_of_weights(bundle, job.reader.engine), settings)
    photo = PhotoOptions(job.reader, DrawStyle())
    return heads, ShardOptions(job.out, photo, reading, job.every, job.labelled)


def _check_places(job: BatchJob) -> None:
    if job.out.startswith("memory://"):
        what = f"{job.out} would be in the memory of each process alone"
        raise SinkError(what, "give {out} a folder or the URL of a store")
    if job.labelled and is_url(job.labelled):
        raise SinkError(f"{job.labelled} is a URL", "give {labelled} a folder")
    for folder, setting in ((job.out, "out"), (job.labelled, "labelled")):
        if folder and not is_url(folder):
            refuse_file_as_folder(Path(folder), setting)


def _other_labels(out: str, theirs: Heads, ours: Heads) -> SinkError:
    """Return the error of a data set that would keep rows with other columns than this run's."""
    if theirs[EMOTION] != ours[EMOTION]:
        what, found, wanted = "emotions", ", ".join(theirs[EMOTION]), ", ".join(ours[EMOTION])
    else:
        what, found, wanted = "model outputs", _further(theirs), _further(ours)
    return SinkError(f"{out} contains other {what} ({found}) than are to be written ({wanted})", "use another {out}")


def _further(heads: Heads) -> str:
    further = (f"{name}: {', '.join(labels)}" for name, labels in heads.items() if name != EMOTION)
    return "; ".join(further) or "none"


def _run_name(job: BatchJob) -> str:
    return "all" if job.part[1] == 1 else f"share-{job.part[0]}-of-{job.part[1]}"


def _run_info(job: BatchJob, planned: Plan) -> dict[str, Any]:
    reading = planned.options.reading
    return {
        "livemood": reading.version,
        "model": {"name": reading.model, "sha256": reading.sha256},
        "settings": reading.settings,
        "asked_for": list(job.inputs),
        "inputs_planned": len(planned.inputs),
        "started": _now(),
    }


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

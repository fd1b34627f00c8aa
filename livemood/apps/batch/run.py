"""A batch: which inputs are still to be read, cut into shards, and each shard's file put into the data set."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from livemood import __version__
from livemood.apps.batch.dataset import Contents, Part, Reading, contents, read_parts, without, write_notes
from livemood.apps.batch.engines import Engine
from livemood.apps.batch.inputs import InputFile, expand, share
from livemood.apps.batch.shard import Shard, ShardOptions, give_up
from livemood.apps.photo import PhotoOptions
from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.core.errors import SourceError
from livemood.core.labels import EMOTION
from livemood.core.settings import DrawStyle, ReaderSettings
from livemood.emotion.classifier import heads_of_bundle
from livemood.records import VERSION
from livemood.records.inputs import Heads
from livemood.runtime.storage import Store

PHOTOS_A_SHARD: Final = 1000
_SHARDS_A_WORKER: Final = 4  # at least, so that all end at about the same time


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What a batch is to do.

    Attributes:
        inputs: Files, folders, globs, lists, URLs.
        out: The data set: a folder or a URL.
        reader: How faces are found and read.
        part: Which share of the inputs, from 1, and of how many.
        every: Classify every so many frames of a video.
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
    """What is to be done.

    Attributes:
        inputs: All that were asked for.
        shards: What is still to be read.
        done: How many inputs the data set has already.
        again: How many of those to be read were read before: they, or the model, have changed, or they failed.
        stale: Rows to take out of parts before that, by part.
        options: For the shards.
        heads: Labels by head of the model.
    """

    inputs: Sequence[InputFile]
    shards: Sequence[Shard]
    done: int
    again: int
    stale: Sequence[tuple[Part, frozenset[str]]]
    options: ShardOptions
    heads: Heads

    @property
    def todo(self) -> int:
        """How many inputs are still to be read."""
        return sum(len(shard.inputs) for shard in self.shards)


def plan(job: BatchJob, workers: int) -> Plan:
    """Look at the inputs and at the data set, and say what is to be done; nothing is written.

    Raises:
        SourceError: There are no inputs, or this share of them is empty.
        LivemoodError: A driver is missing, or a file in the data set is none of livemood's.
        ModelError: The model cannot be used.
    """
    heads, options = _options(job)
    inputs = expand(job.inputs)
    if job.part[1] > 1:
        inputs = share(inputs, *job.part)
    wanted = {one.path: one for one in inputs}
    done: set[str] = set()
    stale: list[tuple[Part, frozenset[str]]] = []
    again: set[str] = set()
    key = options.reading.key
    for part in read_parts(Store(job.out, "out")):
        old: set[str] = set()
        same_reading = part.reading.key == key
        for one in part.inputs:
            now = wanted.get(one.path)
            if now is None:
                continue
            current = same_reading and now == one
            failed = job.retry_failed and one.path in part.failed
            if one.path in done:  # a second time, by a run that was cut off
                old.add(one.path)
            elif current and not failed:
                done.add(one.path)
            else:
                old.add(one.path)
                again.add(one.path)
        if old:
            stale.append((part, frozenset(old)))
    todo = [shard for shard in _shards(inputs, done, workers) if shard.inputs]
    return Plan(inputs, todo, len(done), len(again - done), stale, options, heads)


def run(
    job: BatchJob,
    planned: Plan,
    engine: Engine,
    on_part: Callable[[Part], None] = lambda _: None,
) -> Contents:
    """Do what was planned; every part is in the data set as soon as it is done, so that an end at any time loses none.

    Args:
        job: What was asked for.
        planned: What is to be done of it.
        engine: Runs the shards.
        on_part: Called for each part, for a progress display.

    Returns:
        What this run read.

    Raises:
        SinkError: The data set cannot be written.
    """
    store = Store(job.out, "out")
    name = "all" if job.part[1] == 1 else f"share-{job.part[0]}-of-{job.part[1]}"
    notes = _notes(job, planned)
    write_notes(store, name, notes)
    for part, paths in planned.stale:
        without(store, part, paths)
    made = Contents()
    began = time.monotonic()
    for part in _parts(planned, engine):
        made.add(part)
        on_part(part)
    whole = contents(read_parts(store))
    write_notes(store, name, {**notes, "seconds": round(time.monotonic() - began, 1), "finished": _now(), **whole.to_json()})
    return made


def _parts(planned: Plan, engine: Engine) -> Iterator[Part]:
    """Yield parts; a shard that kills its process is halved until what does it is found."""
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
    """Cut the inputs, those that are done among them, always at the same places; then leave out what is done.

    So a shard that a run did not finish has the same inputs, and its file the same name, in the next.
    """
    photos: list[InputFile] = []
    for one in inputs:
        if not one.is_video:
            photos.append(one)
        elif one.path not in done:
            yield Shard((one,))
    size = max(min(PHOTOS_A_SHARD, -(-len(photos) // (_SHARDS_A_WORKER * workers))), 1)
    for start in range(0, len(photos), size):
        yield Shard(tuple(one for one in photos[start : start + size] if one.path not in done))


def _options(job: BatchJob) -> tuple[Heads, ShardOptions]:
    bundle = read_bundle(job.reader.model or default_bundle())
    heads = heads_of_bundle(job.reader.model, job.reader.emotions)
    weights = bundle.sha256.get("model.tflite" if job.reader.engine == "litert" else "model.keras", "")
    settings = f"schema {VERSION}; detector {job.reader.detector}; engine {job.reader.engine}; every {job.every}"
    settings += f"; baseline {job.reader.baseline}"
    if job.reader.emotions:
        settings += f"; emotions {','.join(heads[EMOTION])}"
    reading = Reading(__version__, bundle.name, str(weights), settings)
    photo = PhotoOptions(job.reader, DrawStyle())
    return heads, ShardOptions(job.out, photo, reading, job.every, job.labelled)


def _notes(job: BatchJob, planned: Plan) -> dict[str, Any]:
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


def check_share(text: str) -> tuple[int, int]:
    """Return which share of how many a text such as ``3/8`` means.

    Raises:
        SourceError: None.
    """
    first, _, second = text.partition("/")
    if first.isdigit() and second.isdigit() and 1 <= int(first) <= int(second):
        return int(first), int(second)
    raise SourceError(f"{text} is no share of the inputs", "write {shard} as 1/8 to 8/8")

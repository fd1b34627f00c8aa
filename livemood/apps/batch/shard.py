"""One shard: some inputs, read into one part of the data set; an unreadable input becomes a row with an error."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from livemood.apps.batch.dataset import FOOTER, Part, Reading, part_name
from livemood.apps.batch.inputs import InputFile, labelled_name
from livemood.apps.photo import PhotoOptions
from livemood.apps.photo_reader import PhotoReader, open_photo_reader
from livemood.core.errors import LivemoodError, SourceError, VideoUnreadable, one_line_about
from livemood.records.inputs import Group, Heads, Input
from livemood.runtime.storage import Store, is_url, local_copy, read_bytes
from livemood.runtime.workers import KILLED
from livemood.sinks.collection_records import write_parquet
from livemood.sinks.open import Output
from livemood.sinks.rows import record_of


@dataclass(frozen=True, slots=True)
class ShardOptions:
    """Settings that all shards of a job share.

    Attributes:
        out: The data set.
        photo: How photos are read.
        reading: Recorded in each part.
        every: Classify every Nth frame of a video.
        labelled: Folder for labelled copies of videos, if they are wanted.
    """

    out: str
    photo: PhotoOptions
    reading: Reading
    every: int = 1
    labelled: str | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """Some inputs that are read by one task."""

    inputs: tuple[InputFile, ...]


@dataclass(slots=True)
class _Worker:
    """State that a worker process keeps between shards."""

    options: ShardOptions
    photo_reader: PhotoReader


_worker: _Worker | None = None


def set_up(options: ShardOptions) -> None:
    """Open the models in this process, once for all its shards."""
    global _worker
    if _worker is not None and _worker.options == options:
        return
    _worker = _Worker(options, open_photo_reader(options.photo))


def read_shard(shard: Shard) -> Part:
    """Read a shard with the models of this process, and write its part to the data set.

    Raises:
        SinkError: It cannot be written.
    """
    assert _worker is not None
    return _ShardReader(_worker).read(shard)


def give_up(shard: Shard, options: ShardOptions, heads: Heads) -> Part:
    """Write the part of a shard that kills every process: a row with an error for each input."""

    def groups() -> Iterator[Group]:
        for one in shard.inputs:
            yield Input(one.path, error=f"{one.path}: {KILLED}"), ()

    failed = frozenset(one.path for one in shard.inputs)
    part = Part(part_name(shard.inputs, options.reading), options.reading, shard.inputs, heads, failed)
    _publish(part, groups(), options.out, lambda: part)
    return part


class _ShardReader:
    def __init__(self, worker: _Worker) -> None:
        self._options, self._reader = worker.options, worker.photo_reader
        self._failed: set[str] = set()
        self._faces = self._frames = 0

    def read(self, shard: Shard) -> Part:
        began = time.process_time()
        reading = self._options.reading
        part = Part(part_name(shard.inputs, reading), reading, shard.inputs, self._reader.session.heads)

        @cache  # the part that is returned is the one in the file
        def finished() -> Part:
            return replace(
                part,
                failed=frozenset(self._failed),
                faces=self._faces,
                frames=self._frames,
                cpu_s=time.process_time() - began,
            )

        _publish(part, self._groups(shard), self._options.out, finished)
        return finished()

    def _groups(self, shard: Shard) -> Iterator[Group]:
        for one in shard.inputs:
            seen = False
            try:
                for group in self._read(one):
                    seen = True
                    self._faces += len(group[1])
                    if group[0].error:
                        self._failed.add(one.path)
                    yield group
            except SourceError as error:
                self._failed.add(one.path)
                yield Input(one.path, error=_line(error)), ()
                continue
            if not seen:  # a video without faces
                yield Input(one.path), ()

    def _read(self, one: InputFile) -> Iterator[Group]:
        if one.size < 0:
            raise _missing(one.path)
        if not one.is_video:
            result = self._reader.read_content(one.path, read_bytes(one.path) if is_url(one.path) else None)
            self._frames += result.error is None
            yield result.group(_line(result.error) if result.error else None)
        elif is_url(one.path):
            with local_copy(one.path) as local:
                yield from self._film(one.path, local)
        else:
            yield from self._film(one.path, Path(one.path))

    def _film(self, name: str, path: Path) -> Iterator[Group]:
        """Yield the frames of a video that have faces."""
        session = self._reader.session
        with one_line_about(name, VideoUnreadable), ExitStack() as stack:
            clip = stack.enter_context(session.open_video(path))
            sink = None
            if self._options.labelled:
                target = Path(self._options.labelled) / labelled_name(name)
                sink = stack.enter_context(session.open_sink(Output("out", str(target)), clip, force=True))
            frames = stack.enter_context(session.frames(clip, self._options.every))
            for frame, moods in frames:
                self._frames += 1
                if sink:
                    sink.write(frame, moods, self._reader.annotator.draw(frame, moods))
                if moods:
                    frame_input = Input(name, frame.width, frame.height, len(moods))
                    yield frame_input, tuple(record_of(frame, mood) for mood in moods)


def _publish(part: Part, groups: Iterator[Group], out: str, finished: Callable[[], Part]) -> None:
    """Write the rows of a part to the data set, and then the footer of the part that ``finished`` returns."""
    with Store(out, "out").replacing(part.name) as scratch:
        write_parquet(scratch, groups, part.heads, lambda: {FOOTER: finished().footer()})


def _missing(path: str) -> SourceError:
    """Return the error of an input that was not found when the batch was planned."""
    if is_url(path):
        return SourceError(f"{path} is not there or cannot be read", "check the name")
    if os.path.islink(path):  # noqa: PTH114  # unlike that of pathlib, takes every text that a list may hold
        return SourceError(f"{path} is a link that cannot be followed")
    try:
        with suppress(FileNotFoundError, ValueError):
            os.stat(path)  # noqa: PTH116
    except OSError as error:
        return SourceError(f"{path} cannot be read ({error.strerror})")
    return SourceError(f"{path} is not there", "check the name")


def _line(error: LivemoodError) -> str:
    return " ".join(str(error).split())

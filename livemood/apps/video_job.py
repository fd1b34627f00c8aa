"""One video from file to file, and many of them side by side."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

from livemood.apps.reader import FrameSink, MoodReader, MoodSink, Summary, label_frames
from livemood.emotion.classifier import EngineName
from livemood.detection.combined import DetectorMode
from livemood.overlay.annotator import DrawStyle
from livemood.core.errors import LivemoodError, SinkError, VideoUnreadable, one_line_about

if TYPE_CHECKING:
    from livemood.sinks.video.formats import Codec


@dataclass(frozen=True, slots=True)
class Reading:
    """How faces are found and read; can be sent to another process."""

    model: Path | None = None
    detector: DetectorMode = "auto"
    engine: EngineName = "litert"
    emotions: tuple[str, ...] | None = None

    def open(self) -> MoodReader:
        """Open the models."""
        return MoodReader(self.model, detector=self.detector, engine=self.engine, emotions=self.emotions)


@dataclass(frozen=True, slots=True)
class VideoJob:
    """What is to be made of one video.

    Attributes:
        source: The video.
        out: Labelled copy.
        records: Rows of every face of every frame, if wanted.
        subtitles: Cues of label changes, if wanted; they belong to the copy.
        markers: Label changes for editing programs, if wanted; they belong to the source.
        faceless_rows: Write a row for frames without a face too.
        start_s: Leave out what comes before, s.
        duration_s: Length of the cut, s; None for all the rest.
        every: Classify every so many frames; all of them are written.
        codec: Of the picture; the usual one of the container by default.
        crf: Quality of the picture.
        preset: Speed of the encoder.
        style: How moods are drawn.
        force: Replace files that are there.
    """

    source: Path
    out: Path
    records: Path | None = None
    subtitles: Path | None = None
    markers: Path | None = None
    faceless_rows: bool = False
    start_s: float = 0.0
    duration_s: float | None = None
    every: int = 1
    codec: "Codec | None" = None
    crf: int | None = None
    preset: str | None = None
    style: DrawStyle = field(default_factory=DrawStyle)
    force: bool = False


class Progress(Protocol):
    """Hears how far a video is."""

    def begin(self, source: Path, frames: int | None) -> None:
        """A video was opened; ``frames`` are expected, if that can be told."""
        ...

    def advance(self, source: Path, frames: int = 1) -> None:
        """So many more of its frames are done."""
        ...


def label_video(job: VideoJob, reader: MoodReader, progress: Progress) -> Summary:
    """Do one job; whatever its video makes a library raise becomes one line about it.

    Files appear under their names when they are whole. A KeyboardInterrupt finishes them up to there; any error
    leaves none.

    Raises:
        VideoUnreadable: The source holds no video.
        SinkError: Something cannot be written.
    """
    with one_line_about(job.source, VideoUnreadable):
        return _labelled(job, reader, progress)


def _labelled(job: VideoJob, reader: MoodReader, progress: Progress) -> Summary:
    from livemood.apps.markers import clip_of
    from livemood.sinks.markers.sink import MarkerSink
    from livemood.sinks.records import open_records
    from livemood.sinks.subtitles import SubtitleSink
    from livemood.sinks.video.writer import VideoSink
    from livemood.sources.video.file import VideoSource

    if job.out.resolve() == job.source.resolve():
        raise SinkError(f"{job.out} is the video to be read; choose another --out")
    with ExitStack() as stack:
        clip = stack.enter_context(VideoSource(job.source, job.start_s, job.duration_s))
        moods_to: list[MoodSink] = []
        if job.records:
            rows = open_records(job.records, reader.labels, every_frame=job.faceless_rows, force=job.force)
            moods_to.append(stack.enter_context(rows))
        if job.subtitles:
            cues = SubtitleSink(job.subtitles, start_s=clip.info.start_s, force=job.force)
            moods_to.append(stack.enter_context(cues))
        if job.markers:
            moods_to.append(stack.enter_context(MarkerSink(job.markers, clip_of(clip.info), force=job.force)))
        # Opened last and closed first: whatever goes wrong with the copy, its records are not left alone.
        copy = VideoSink(job.out, clip.info, codec=job.codec, crf=job.crf, preset=job.preset, force=job.force)
        pictures: list[FrameSink] = [stack.enter_context(copy)]
        progress.begin(job.source, clip.frame_count)
        tally = label_frames(
            reader, clip, pictures, moods_to, job.style, job.every, lambda _: progress.advance(job.source)
        )
    return tally.summary([*clip.warnings, *copy.warnings])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job among many ended: with a summary, or with the line that says what was wrong."""

    job: VideoJob
    summary: Summary | None
    error: str | None = None


def label_videos(jobs: Sequence[VideoJob], reading: Reading, processes: int, progress: Progress) -> Iterator[Outcome]:
    """Do many jobs in so many processes; yield each outcome as it comes.

    One that fails does not stop the others. When a process is killed, what was not done yet is done again, each
    job in a process of its own. A KeyboardInterrupt stops them all and leaves no unfinished file.
    """
    import multiprocessing  # here, so that one video starts sooner
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing.managers import SyncManager

    context = multiprocessing.get_context("spawn")  # a forked child would share mediapipe's threads, and hang
    manager = SyncManager(ctx=context)
    manager.start(_end_with_parent)
    with manager:
        told = manager.Queue()
        listener = Thread(target=_listen, args=(told, progress), name="livemood-listener", daemon=True)
        listener.start()

        def done_in(processes: int, jobs: Sequence[VideoJob]) -> Iterator[tuple[VideoJob, Outcome | None]]:
            """Yield jobs with their outcomes: None where a process was killed, whichever it worked at."""
            pool = ProcessPoolExecutor(processes, context, _begin_worker, (reading, told))
            try:
                futures = {pool.submit(_work, job): job for job in jobs}
                for done in as_completed(futures):
                    try:
                        yield futures[done], done.result()
                    except BrokenProcessPool:
                        yield futures[done], None
            finally:
                pool.shutdown(cancel_futures=True)

        again: list[VideoJob] = []
        try:
            for job, outcome in done_in(processes, jobs):
                if outcome:
                    yield outcome
                else:
                    again.append(job)
            for job in again:
                for _, outcome in done_in(1, [job]):
                    yield outcome or Outcome(job, None, f"{job.source}: {_KILLED}")
        finally:
            told.put(None)
            listener.join()


def _listen(told: Any, progress: Progress) -> None:
    """Hand on what workers tell: (source, frames expected) at its beginning, (source,) for each few frames done."""
    while (item := told.get()) is not None:
        if len(item) == 2:
            progress.begin(*item)
        else:
            progress.advance(item[0], _BATCH)


_KILLED = "its process was killed from outside, most often for want of memory; try fewer --jobs"
_BATCH = 5  # frames told of at once
_worker: "tuple[MoodReader, _Teller] | None" = None
_at_work = False


class _Stopped(LivemoodError):
    """Ends a worker's job and removes its files; a KeyboardInterrupt would keep the unfinished ones."""


class _Teller:
    """Progress of a worker, told to the parent process a few frames at a time."""

    def __init__(self, told: Any) -> None:
        self._told, self._count = told, 0

    def begin(self, source: Path, frames: int | None) -> None:
        self._count = 0
        self._told.put((source, frames))

    def advance(self, source: Path, frames: int = 1) -> None:
        self._count += frames
        if self._count % _BATCH == 0:
            self._told.put((source,))


def _end_with_parent() -> None:
    """Make this process end with its parent: one that was killed cannot say so, and nobody takes the outcome."""
    import multiprocessing

    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent:
            parent.join()
            os._exit(1)

    Thread(target=wait, name="livemood-parent", daemon=True).start()


def _begin_worker(reading: Reading, told: Any) -> None:
    _end_with_parent()

    def stop(*_: object) -> None:
        if not _at_work:
            os._exit(1)
        raise _Stopped

    global _worker
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    _worker = reading.open(), _Teller(told)


def _work(job: VideoJob) -> Outcome:
    global _at_work
    assert _worker is not None
    reader, teller = _worker
    _at_work = True
    try:
        return Outcome(job, label_video(job, reader, teller))
    except _Stopped:
        os._exit(1)  # by itself this process would go on with the next job
    except LivemoodError as error:
        return Outcome(job, None, str(error))
    finally:
        _at_work = False

"""Many videos in parallel, each in a process."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from livemood.apps.session import Session
from livemood.apps.tally import Summary
from livemood.apps.video_job import Progress, VideoJob, label_video
from livemood.core.errors import LivemoodError
from livemood.core.settings import ReaderSettings
from livemood.runtime import stopping
from livemood.runtime.paths import is_there
from livemood.runtime.workers import KILLED, end_with_parent, heed_sigterm, submit

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_FRAMES_PER_UPDATE = 5  # of progress
_CHECK_S = 0.1
# Time that a worker has to remove the files of its job when it is stopped, s.
_STOP_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    Attributes:
        job: The job.
        summary: Of the video that was read; None if it failed, or nothing was left to make.
        error: Why it failed.
        made: The files that were completed, also where it failed.
    """

    job: VideoJob
    summary: Summary | None
    error: LivemoodError | None = None
    made: Sequence[Path] = ()

    @property
    def files(self) -> Sequence[Path]:
        """The files of the job that are there."""
        return self.made if self.error else self.job.files


def label_videos(
    jobs: Sequence[VideoJob], settings: ReaderSettings, processes: int, progress: Progress
) -> Iterator[Outcome]:
    """Run jobs in ``processes`` processes; yield each outcome as it comes.

    A failing job does not stop the others. When a process is killed, unfinished jobs are run again, each in a process
    of its own, and replace what they had completed. A KeyboardInterrupt stops all and leaves no unfinished file.
    """
    import multiprocessing  # here, so that one video starts sooner
    from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing.managers import SyncManager

    ours = {path for job in jobs for path in job.files if not is_there(path)}
    context = multiprocessing.get_context("spawn")  # a forked child inherits locks of library threads, and hangs
    manager = SyncManager(ctx=context)
    # Workers notice when this process closes its end of the pipe, or is gone.
    stop_reader, stop_writer = context.Pipe(duplex=False)
    with stopping.held(), stop_reader, stop_writer:
        manager.start(_begin_manager)
        with manager:
            updates = manager.Queue()
            listener = Thread(target=_listen, args=(updates, progress), name="livemood-listener", daemon=True)
            listener.start()

            def done_in(processes: int, jobs: Sequence[VideoJob]) -> Iterator[tuple[VideoJob, Outcome | None]]:
                """Yield jobs with their outcomes; None for all unfinished jobs once a process was killed."""
                pool = ProcessPoolExecutor(processes, context, _begin_worker, (settings, updates, stop_reader))
                try:
                    futures = {submit(pool, _work, job): job for job in jobs}
                    waiting: set[Future[Outcome]] = set(futures)
                    while waiting:
                        stopping.check()
                        done, waiting = wait(waiting, _CHECK_S, FIRST_COMPLETED)
                        for future in done:
                            try:
                                yield futures[future], future.result()
                            except BrokenProcessPool:
                                yield futures[future], None
                except BaseException:
                    stop_writer.close()
                    raise
                finally:
                    pool.shutdown(cancel_futures=True)

            again: list[VideoJob] = []
            try:
                for job, outcome in done_in(processes, jobs):
                    if outcome:
                        yield outcome
                    else:
                        again.append(replace(job, again=job.again | ours.intersection(job.files)))
                for job in again:
                    for _, outcome in done_in(1, [job]):
                        yield outcome or Outcome(
                            job, None, LivemoodError(f"{job.source}: {KILLED}", "try fewer {jobs}")
                        )
            finally:
                updates.put(None)
                listener.join()


def _listen(updates: Any, progress: Progress) -> None:
    """Pass on progress of workers: (source, expected frames) at the start, (source,) for every few frames done."""
    while (item := updates.get()) is not None:
        if len(item) == 2:
            progress.begin(*item)
        else:
            progress.advance(item[0], _FRAMES_PER_UPDATE)


_worker: "tuple[Session, _WorkerProgress] | None" = None
_at_work = False


class _Stopped(LivemoodError):
    """Ends a worker's job and removes its files; a KeyboardInterrupt would keep the unfinished ones."""

    def __init__(self) -> None:
        super().__init__("stopped")


class _WorkerProgress:
    """Sends a worker's progress to the parent process, a few frames at a time."""

    def __init__(self, updates: Any) -> None:
        self._updates, self._count = updates, 0

    def begin(self, source: Path, frames: int | None) -> None:
        self._count = 0
        self._updates.put((source, frames))

    def advance(self, source: Path, frames: int = 1) -> None:
        self._count += frames
        if self._count % _FRAMES_PER_UPDATE == 0:
            self._updates.put((source,))


def _begin_manager() -> None:
    stopping.ignore_signals()
    end_with_parent()


def _begin_worker(settings: ReaderSettings, updates: Any, stop_reader: "Connection") -> None:
    def stop(*_: object) -> None:
        stopping.ask()
        if not _at_work:
            os._exit(1)

    def watch_parent() -> None:
        with suppress(OSError):
            stop_reader.poll(None)  # nothing is ever sent: returns when the other end is closed
        stop()
        ends = time.monotonic() + _STOP_LIMIT_S
        while _at_work and time.monotonic() < ends:
            time.sleep(_CHECK_S)
        os._exit(1)

    global _worker
    stopping.ignore_signals()
    signal.signal(signal.SIGTERM, stop)
    heed_sigterm()
    stopping.raise_at_checks(_Stopped)
    Thread(target=watch_parent, name="livemood-parent", daemon=True).start()
    _worker = Session(settings), _WorkerProgress(updates)


def _work(job: VideoJob) -> Outcome:
    global _at_work
    assert _worker is not None
    session, progress = _worker
    _at_work = True
    try:
        return Outcome(job, label_video(job, session, progress), None, job.made())
    except _Stopped:
        os._exit(1)  # otherwise this process would start the next job
    except LivemoodError as error:
        return Outcome(job, None, error, job.made())
    finally:
        _at_work = False

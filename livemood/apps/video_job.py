"""One video from file to file."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from livemood.apps.origins import changed
from livemood.apps.session import Session
from livemood.apps.tally import Summary
from livemood.core.errors import SinkError, VideoUnreadable, one_line_about
from livemood.core.settings import CutSettings, DrawStyle, EncodingSettings
from livemood.runtime import stopping
from livemood.runtime.atomic_io import (
    refuse_below_file,
    refuse_inputs,
    refuse_other_suffix,
    refuse_to_overwrite,
    written,
)
from livemood.runtime.interrupted import is_interrupted, mark_interrupted, unmark
from livemood.runtime.optional_deps import required
from livemood.sinks.open import STDOUT, Output, suffixes_of
from livemood.sources.base import Source

if TYPE_CHECKING:
    from livemood.reporting.merges import MergeCommand


@dataclass(frozen=True, slots=True)
class VideoJob:
    """One video and its outputs.

    Attributes:
        source: The video.
        outputs: Requested sinks; ``out`` is the labelled copy.
        cut: Which part is read, and how often it is classified.
        encoding: Of the copy.
        style: How moods are drawn.
        faceless_rows: Write a row for frames without a face too.
        force: Replace files that are there.
        report: A page about it, made of its records.
        thumbnails: Show faces on that page.
        merge_command: The command that merges tracks which may be one person, for that page.
        again: Files that are replaced without ``force`` too: an interrupt left them incomplete, or they were not there
            when the run began, and a process of it was killed.
    """

    source: Path
    outputs: tuple[Output, ...]
    cut: CutSettings = field(default_factory=CutSettings)
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    style: DrawStyle = field(default_factory=DrawStyle)
    faceless_rows: bool = False
    force: bool = False
    report: Path | None = None
    thumbnails: bool = False
    merge_command: "MergeCommand | None" = None
    again: frozenset[Path] = frozenset()

    @property
    def out(self) -> Path | None:
        """The labelled copy, if requested."""
        return self.file("out")

    @property
    def targets(self) -> list[tuple[str, Path]]:
        """Setting and path of each file of this job, the report last."""
        made = [(output.name, output.file) for output in self.outputs if output.file]
        return [*made, *([("report", self.report)] if self.report else [])]

    @property
    def files(self) -> list[Path]:
        """The files of this job, the report last."""
        return [path for _, path in self.targets]

    def file(self, kind: str) -> Path | None:
        """Return the file of a kind of sink, if requested."""
        return next((one.file for one in self.outputs if one.name == kind), None)

    def replaces(self, path: Path) -> bool:
        """Return whether a file of this job is replaced if it is there."""
        return self.force or path in self.again

    def unfinished(self) -> "VideoJob | None":
        """Return the job that makes what is missing, or incomplete after an interrupt; None if that is nothing.

        Files that are there otherwise are not its own: it neither makes nor replaces them.
        """
        again = frozenset(filter(is_interrupted, self.files))
        left = {path for path in self.files if path in again or not path.exists()}
        if self.files and not left:
            return None
        outputs = tuple(one for one in self.outputs if one.target == STDOUT or Path(one.target) in left)
        return replace(self, outputs=outputs, report=self.report if self.report in left else None, again=again)

    def made(self) -> list[Path]:
        """Return those of its files that this process has completed."""
        completed = written()
        return [path for path in self.files if path in completed]


class Progress(Protocol):
    """Receives the progress of videos."""

    def begin(self, source: Path, frames: int | None) -> None:
        """A video was opened; ``frames`` is its expected number of frames, None if unknown."""
        ...

    def advance(self, source: Path, frames: int = 1) -> None:
        """``frames`` more frames of a video are done."""
        ...


def label_video(job: VideoJob, session: Session, progress: Progress) -> Summary:
    """Run one job; an unexpected exception of a library becomes a one-line error about the video.

    Files appear under their names when they are complete. A KeyboardInterrupt finishes them up to that frame, and marks
    them as interrupted; an error removes those that are not complete.

    Raises:
        VideoUnreadable: The source holds no video.
        SinkError: Something cannot be written.
    """
    for setting, path in job.targets:
        refuse_inputs(path, setting, [job.source])
    check_job(job)
    if job.report:
        refuse_to_overwrite(job.report, "report", job.replaces(job.report))  # refused now, not after hours of work
    with one_line_about(job.source, VideoUnreadable), ExitStack() as stack:
        clip = stack.enter_context(session.open_video(job.source, job.cut.start_s, job.cut.duration_s))
        if job.report is None:
            return _label(job, clip, session, progress)
        records = job.file("records")
        kept = records is not None
        if records is None:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="livemood-"))
            records = Path(scratch) / "moods.jsonl"
            job = replace(job, outputs=(*job.outputs, Output("records", str(records))))
        try:
            summary = _label(job, clip, session, progress)
        except SinkError as error:
            if kept or str(records) not in error.what:
                raise
            raise SinkError(error.what, "add {records} with a file elsewhere, to make the report of") from error
        # The clip is still open: the copy of what came through a pipe is there until it is closed.
        _report(job, records, kept, clip.info.path if job.thumbnails else None)
    return summary


def check_job(job: VideoJob) -> None:
    """Refuse what could be made of no video, before any is read.

    Raises:
        LivemoodError: A library that writes one of its files is not installed.
        SinkError: A name ends in no form of its kind, a folder is a file, or the encoder refuses a setting.
    """
    from livemood.records.parquet import PARQUET
    from livemood.reporting.charts import PLOTLY
    from livemood.reporting.page import PAGES
    from livemood.sinks.video.writer import check_encoding

    for setting, path in job.targets:
        refuse_other_suffix(path, setting, *(PAGES if setting == "report" else suffixes_of(setting)))
        refuse_below_file(path, setting)
        if path.suffix.lower() == ".parquet":
            required("pyarrow", PARQUET)
    if job.report:
        required("plotly.offline", PLOTLY)
    if job.out:
        check_encoding(job.out, job.encoding)


def _report(job: VideoJob, records: Path, kept: bool, video: Path | None) -> None:
    from livemood.reporting.page import write_report

    assert job.report
    write_report(
        records,
        job.report,
        title=job.source.name,
        thumbnails=video,
        merge_command=job.merge_command,
        kept=kept,
        force=job.replaces(job.report),
        setting="report",
    )


def _label(job: VideoJob, clip: Source, session: Session, progress: Progress) -> Summary:
    with ExitStack() as stack:
        stack.enter_context(stopping.held())
        stack.enter_context(_marked(job))  # left after the sinks: an interrupt after that finds all complete
        encoding = replace(job.encoding, strip_metadata=job.encoding.strip_metadata or job.style.blur)
        options = changed(job.cut) | ({"faceless_rows": True} if job.faceless_rows else {})
        # The copy is opened last and closed first, so that no records stay if it fails.
        sinks = [
            stack.enter_context(
                session.open_sink(
                    output,
                    clip,
                    force=job.replaces(Path(output.target)),
                    faceless_rows=job.faceless_rows,
                    encoding=encoding,
                    options=options,
                )
            )
            for output in sorted(job.outputs, key=lambda output: output.name == "out")
        ]
        progress.begin(job.source, clip.info.frame_count)
        tally = session.run(clip, sinks, job.style, job.cut.every, lambda _: progress.advance(job.source))
    return tally.summary([*clip.warnings, *(line for sink in sinks for line in sink.warnings)])


@contextmanager
def _marked(job: VideoJob) -> Iterator[None]:
    """Mark what was made as interrupted when the block is left by an interrupt; remove marks when it ends."""
    try:
        yield
    except Exception:
        raise
    except BaseException:
        for path in job.made():
            mark_interrupted(path)
        raise
    for path in job.files:
        unmark(path)

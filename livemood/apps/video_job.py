"""One video from file to file."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from livemood.apps.session import Session
from livemood.apps.tally import Summary
from livemood.core.errors import SinkError, VideoUnreadable, one_line_about
from livemood.core.settings import CutSettings, DrawStyle, EncodingSettings
from livemood.runtime import stopping
from livemood.sinks.open import Output


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
    """

    source: Path
    outputs: tuple[Output, ...]
    cut: CutSettings = field(default_factory=CutSettings)
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    style: DrawStyle = field(default_factory=DrawStyle)
    faceless_rows: bool = False
    force: bool = False

    @property
    def out(self) -> Path | None:
        """The labelled copy, if requested."""
        return next((Path(output.target) for output in self.outputs if output.name == "out"), None)


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

    Files appear under their names when they are complete. A KeyboardInterrupt finishes them up to that frame; an error
    leaves none.

    Raises:
        VideoUnreadable: The source holds no video.
        SinkError: Something cannot be written.
    """
    with one_line_about(job.source, VideoUnreadable):
        return _label(job, session, progress)


def _label(job: VideoJob, session: Session, progress: Progress) -> Summary:
    if job.out and job.out.resolve() == job.source.resolve():
        raise SinkError(f"{job.out} is the video to be read", "choose another {out}")
    with ExitStack() as stack:
        clip = stack.enter_context(session.open_video(job.source, job.cut.start_s, job.cut.duration_s))
        stack.enter_context(stopping.held())
        encoding = replace(job.encoding, strip_metadata=job.encoding.strip_metadata or job.style.blur)
        # The copy is opened last and closed first, so that no records stay if it fails.
        sinks = [
            stack.enter_context(
                session.open_sink(output, clip, force=job.force, faceless_rows=job.faceless_rows, encoding=encoding)
            )
            for output in sorted(job.outputs, key=lambda output: output.name == "out")
        ]
        progress.begin(job.source, clip.info.frame_count)
        tally = session.run(clip, sinks, job.style, job.cut.every, lambda _: progress.advance(job.source))
    return tally.summary([*clip.warnings, *(line for sink in sinks for line in sink.warnings)])

"""One live run: a camera or another source, its outputs and its window."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from livemood.apps.live import Live
from livemood.apps.origins import changed
from livemood.apps.recorder import Recorder
from livemood.apps.session import Session
from livemood.apps.tally import Summary
from livemood.core.errors import LivemoodError, SinkError
from livemood.core.keys import View
from livemood.core.settings import CaptureSettings, DrawStyle
from livemood.runtime.atomic_io import refuse_device, refuse_inputs, refuse_other_suffix, refuse_to_overwrite
from livemood.runtime.paths import is_folder
from livemood.runtime.stopping import held
from livemood.sinks.display import check_display
from livemood.sinks.open import Output, suffixes_of
from livemood.sinks.window import Window
from livemood.sources.base import Source
from livemood.sources.lsl_markers import LslMarkers


@dataclass(frozen=True, slots=True)
class CameraJob:
    """One live run and its outputs.

    Attributes:
        source: A camera or another source, as ``livemood.sources.open.open_live`` takes it.
        outputs: Requested sinks; ``out`` is the labelled video.
        capture: What is asked of the source.
        style: How moods are drawn.
        window: Show the picture on this screen.
        mirror: Whether the window swaps left and right; None for the source's default.
        sparklines: Show the last 30 s of every face.
        calibrate_s: Calibrate to resting faces at the start, for this long, s.
        lsl_markers: Name of an LSL stream whose markers are recorded as events.
        duration_s: Stop after this time, s.
        force: Replace files that are there.
    """

    source: str
    outputs: tuple[Output, ...] = ()
    capture: CaptureSettings = field(default_factory=CaptureSettings)
    style: DrawStyle = field(default_factory=DrawStyle)
    window: bool = True
    mirror: bool | None = None
    sparklines: bool = False
    calibrate_s: float | None = None
    lsl_markers: str | None = None
    duration_s: float | None = None
    force: bool = False

    @property
    def out(self) -> Path | None:
        """The labelled video, if requested from the start."""
        return next((output.file for output in self.outputs if output.name == "out"), None)


@dataclass(frozen=True, slots=True)
class CameraRun:
    """What came of a live run.

    Attributes:
        summary: Its counts and irregularities.
        dropped: Number of frames that were captured and never read.
        files: Videos and snapshots, in order.
    """

    summary: Summary
    dropped: int
    files: Sequence[Path]


def check_camera(job: CameraJob) -> None:
    """Refuse what could not be made or shown, before anything is opened.

    Raises:
        SinkError: A file is there already, is one of the inputs or has a name of another form; the markers would be
            those of the run's own LSL stream; or there is no display.
    """
    if job.lsl_markers and Output("lsl", job.lsl_markers) in job.outputs:
        raise SinkError(f"{job.lsl_markers} is the LSL stream that this run sends", "choose another {lsl_markers}")
    inputs = _inputs(job.source)
    for output in job.outputs:
        if output.file:
            refuse_inputs(output.file, output.name, inputs)
            refuse_other_suffix(output.file, output.name, *suffixes_of(output.name))
            refuse_device(output.file, output.name)
            refuse_to_overwrite(output.file, output.name, job.force)
    if job.window:
        check_display()


def run_camera(job: CameraJob, session: Session, source: Source, on_note: Callable[[str], None]) -> CameraRun:
    """Run until the source ends, the user quits, or the time is over; of a run without a frame no file is left.

    Args:
        job: What to do.
        session: Detector and model.
        source: That of the job, open.
        on_note: Called with a line for each problem of the source and of LSL markers, also from another thread.

    Raises:
        SourceError: The source was lost for good.
        SinkError: Something could not be opened or written.
        LivemoodError: The model cannot be calibrated to resting faces.
        KeyboardInterrupt: Recordings are finished.
    """
    if job.calibrate_s is not None and (obstacle := session.pipeline().baseline.obstacle):
        raise LivemoodError(f"resting faces cannot be calibrated: {obstacle}", "leave {calibrate} out")
    with ExitStack() as stack:
        stack.enter_context(held())
        markers = stack.enter_context(LslMarkers(job.lsl_markers, on_note)).take if job.lsl_markers else tuple
        sinks = [
            stack.enter_context(session.open_sink(output, source, force=job.force, options=_options(job)))
            for output in sorted(job.outputs, key=lambda output: output.file is not None)  # no file is begun in vain
            if output.name != "out"
        ]
        if job.lsl_markers and not any(sink.takes_events for sink in sinks):
            raise SinkError(f"no output would have the markers of {job.lsl_markers}", "add {records}")
        recorder = stack.enter_context(
            Recorder(
                session.draw, lambda path: session.open_sink(Output("out", str(path)), source, force=job.force), sinks
            )
        )
        if job.out:
            recorder.start(job.out)
        screen = None
        if job.window:
            screen = stack.enter_context(Window(f"livemood: {source.name}", source.info.width, source.info.height))
        live = Live(
            session,
            source,
            recorder,
            screen,
            view=_view(job, source),
            engine=session.engine,
            calibrate_s=job.calibrate_s,
            duration_s=job.duration_s,
            markers=markers,
            on_trouble=lambda trouble: on_note(f"{source.name}: {trouble}"),
        )
        summary = live.run().summary()
    notes = [*source.warnings, *recorder.warnings, *(line for sink in sinks for line in sink.warnings)]
    return CameraRun(replace(summary, notes=notes), live.dropped, recorder.files)


def _inputs(source: str) -> Sequence[str | Path]:
    """Return the files that a source reads: the pictures of a folder, or the source itself."""
    from livemood.sources.image.scan import find_photos

    return find_photos([Path(source)]).photos if is_folder(source) else [source]


def _options(job: CameraJob) -> dict[str, object]:
    """Return the settings of the run that its records name."""
    return changed(job.capture) | ({"calibrate_s": job.calibrate_s} if job.calibrate_s else {})


def _view(job: CameraJob, source: Source) -> View:
    mirror = source.mirrored if job.mirror is None else job.mirror
    style = job.style
    return View(mirror, panel=style.panel, blur=style.blur, smile_kind=style.smile_kind, sparklines=job.sparklines)

"""``livemood camera``: moods live in a window, recorded, or for other programs to see."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.options import (
    Force,
    Json,
    LiveOutputs,
    Only,
    files_of,
    opened,
    print_json,
    refuse_idle,
    refuse_shared,
    seconds,
)
from livemood.cli.summary import note, print_summary
from livemood.cli.terminal import plain
from livemood.core.errors import LivemoodError
from livemood.core.settings import CaptureSettings, DrawStyle, ReaderSettings
from livemood.runtime.atomic_io import written
from livemood.sinks.open import Output

if TYPE_CHECKING:
    from livemood.apps.camera_job import CameraJob
    from livemood.apps.session import Session
    from livemood.sources.base import Source


def camera(
    context: typer.Context,
    outputs: LiveOutputs,
    capture: Annotated[CaptureSettings, Only("fps", "pixel_format", "loop")],
    style: DrawStyle,
    settings: ReaderSettings,
    source: Annotated[
        str, typer.Option("--source", metavar="0|PATH|URL", help="Camera index, name or device; file, folder; URL; -.")
    ] = "0",
    size: Annotated[str | None, typer.Option("--size", metavar="WxH", help="Picture size to request.")] = None,
    mirror: Annotated[bool | None, typer.Option("--mirror/--no-mirror", help="Default: on for cameras.")] = None,
    sparklines: Annotated[bool, typer.Option("--sparklines", help="Show the last 30 s of every face.")] = False,
    calibrate: Annotated[
        float | None,
        typer.Option("--calibrate", metavar="TIME", parser=seconds, help="Calibrate to resting faces at the start."),
    ] = None,
    lsl_markers: Annotated[
        str | None, typer.Option("--lsl-markers", metavar="NAME", help="Record markers of this LSL stream as events.")
    ] = None,
    window: Annotated[bool, typer.Option("--window/--no-window", help="Show the picture on this screen.")] = True,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="TIME", parser=seconds, help="Stop after this time.")
    ] = None,
    json_: Json = False,
    force: Force = False,
) -> None:
    """Show the mood of every face in front of the camera.

    Examples:
      livemood camera
      livemood camera --source 1 --out party.mp4 --records moods.jsonl
      livemood camera --source rtsp://door/live --no-window --records door.csv
      livemood camera --source clip.mp4 --loop
      livemood camera --no-window --records - | jq .label
      ffmpeg -i clip.mp4 -f rawvideo -pix_fmt bgr24 - |
        livemood camera --source - --size 1280x720

    Keys in the window:
      f full screen, m mirror, space pause, h help, q quit, Esc too
      p score panel, i ids, b blur faces, t last 30 seconds of every face
      s snapshot, r start or stop recording, e mark an event in the records
      c calibrate to resting faces for 3 s; again: off
    """
    from livemood.apps.camera_job import CameraJob, check_camera, run_camera

    if not window and not outputs:
        raise typer.BadParameter("there would be no output; add --out or --records", param_hint="--no-window")
    if calibrate is not None and calibrate < 0.5:
        raise typer.BadParameter(f"must be at least 0.5 s, got {calibrate:g}", param_hint="--calibrate")
    if calibrate is not None and settings.baseline == "off":
        raise typer.BadParameter("needs a baseline; leave --baseline off out", param_hint="--calibrate")
    if source == "-" and size is None:
        raise typer.BadParameter("raw pictures need their size, such as --size 640x480", param_hint="--size")
    _refuse_all_idle(context, source, outputs, window)
    files = files_of(outputs)
    refuse_shared(list(files.items()))
    job = CameraJob(
        source,
        outputs,
        _sized(capture, size),
        style,
        window=window,
        mirror=mirror,
        sparklines=sparklines,
        calibrate_s=calibrate,
        lsl_markers=lsl_markers,
        duration_s=duration,
        force=force,
    )
    check_camera(job)
    with opened(settings) as session, _opened_source(job, session) as live_source:
        try:
            run = run_camera(job, session, live_source, note)
        except LivemoodError:
            if made := written():
                note(f"kept: {', '.join(map(str, made))}")
            raise
    for line in run.summary.notes:
        note(line)
    if json_:
        named = {name: str(files[name]) if name in files else None for name in ("out", "records")}
        result = {"dropped": run.dropped, **named, "files": list(map(str, run.files))}
        print_json({**run.summary.to_json(), **result})
    else:
        print_summary(run.summary, {name: path for name, path in files.items() if name != "out"})
        for file in run.files:
            print(f"written: {plain(file)}")


def _refuse_all_idle(context: typer.Context, source: str, outputs: Sequence[Output], window: bool) -> None:
    """Refuse options without effect on this kind of source, or without a window or a picture."""
    from livemood.sources.open import source_kind

    kind = source_kind(source)
    idle = [name for name in ("size", "fps", "pixel_format", "loop") if name not in kind.settings]
    refuse_idle(context, idle, f"it has no effect on this source ({kind.name}); leave it out")
    if not window:
        refuse_idle(context, ["mirror", "sparklines"], "it is for the window; leave it out, or --no-window")
    if not window and {"out", "virtual_camera"}.isdisjoint(output.name for output in outputs):
        refuse_idle(context, ["panel"], "no picture is shown or kept; leave it out, or --no-window")


def _opened_source(job: "CameraJob", session: "Session") -> "Source":
    """Open the source; a wrong size or pixel format is a usage error."""
    try:
        return session.open_live(job.source, job.capture)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _sized(capture: CaptureSettings, size: str | None) -> CaptureSettings:
    if size is None:
        return capture
    left, _, right = size.lower().partition("x")
    if not (left.isdecimal() and right.isdecimal() and int(left) > 0 and int(right) > 0):
        raise typer.BadParameter(f"expected a size such as 1280x720, got {size}", param_hint="--size")
    return replace(capture, width=int(left), height=int(right))

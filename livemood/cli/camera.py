"""``livemood camera``: moods live in a window, recorded, or for other programs to see."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.options import (
    Force,
    Json,
    LiveOutputs,
    Only,
    files_of,
    made_by,
    opened,
    print_json,
    refuse_shared,
    seconds,
)
from livemood.cli.summary import note, print_summary
from livemood.cli.terminal import plain
from livemood.core.settings import CaptureSettings, DrawStyle, ReaderSettings
from livemood.runtime.paths import is_file, is_folder
from livemood.sinks.open import Output


def camera(
    outputs: LiveOutputs,
    capture: Annotated[CaptureSettings, Only("fps", "pixel_format", "loop")],
    style: DrawStyle,
    settings: ReaderSettings,
    source: Annotated[
        str, typer.Option("--source", metavar="0|PATH|URL", help="Camera index, name or device; file, folder; URL; -.")
    ] = "0",
    size: Annotated[str | None, typer.Option("--size", metavar="WxH", help="Picture size to ask for.")] = None,
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
    from livemood.apps.live import Live
    from livemood.apps.origins import changed
    from livemood.apps.recorder import Recorder
    from livemood.core.keys import View
    from livemood.runtime.atomic_io import refuse_inputs, refuse_to_overwrite
    from livemood.runtime.stopping import held
    from livemood.sinks.window import Window, check_display
    from livemood.sources.lsl_markers import LslMarkers

    files = files_of(outputs)
    out = files.get("out")
    if not window and not outputs:
        raise typer.BadParameter("nothing would be seen or kept; add --out or --records", param_hint="--no-window")
    if calibrate is not None and calibrate < 0.5:
        raise typer.BadParameter(f"takes 0.5 s at least, got {calibrate:g}", param_hint="--calibrate")
    if calibrate is not None and settings.baseline == "off":
        raise typer.BadParameter("needs a baseline; leave --baseline off out", param_hint="--calibrate")
    targets = made_by(outputs)
    refuse_shared(targets)
    inputs = _inputs(source)
    for setting, path in targets:
        refuse_inputs(path, setting, inputs)
        refuse_to_overwrite(path, setting, force)  # now, before another file is begun
    if source == "-" and size is None:
        raise typer.BadParameter("raw pictures need their size, such as --size 640x480", param_hint="--source")
    if window:
        check_display()  # before anything slow
    with ExitStack() as stack:
        session = stack.enter_context(opened(settings))
        capture = _sized(capture, size)
        try:
            live_source = stack.enter_context(session.open_live(source, capture))
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--source") from error
        if capture.loop and ("://" in source or not (is_file(source) or is_folder(source))):
            note(f"{live_source.name} is not repeated; --loop is for files and folders")
        stack.enter_context(held())
        options = changed(capture) | ({"calibrate_s": calibrate} if calibrate else {})
        sinks = [
            stack.enter_context(session.open_sink(output, live_source, force=force, options=options))
            for output in outputs
            if output.name != "out"
        ]
        recorder = Recorder(
            session.draw, lambda path: session.open_sink(Output("out", str(path)), live_source, force=force), sinks
        )
        stack.enter_context(recorder)
        if out:
            recorder.start(out)
        screen = None
        if window:
            info = live_source.info
            screen = stack.enter_context(Window(f"livemood: {live_source.name}", info.width, info.height))
        mirrored = live_source.mirrored if mirror is None else mirror
        live = Live(
            session,
            live_source,
            recorder,
            screen,
            view=View(mirrored, panel=style.panel, blur=style.blur, smile_kind=style.smile_kind, sparklines=sparklines),
            engine=session.engine,
            calibrate_s=calibrate,
            duration_s=duration,
            markers=stack.enter_context(LslMarkers(lsl_markers)).take if lsl_markers else tuple,
            on_trouble=lambda trouble: note(f"{live_source.name}: {trouble}"),
        )
        tally = live.run()
    summary = tally.summary([*recorder.warnings, *(line for sink in sinks for line in sink.warnings)])
    for line in summary.notes:
        note(line)
    records = files.get("records")
    if json_:
        written = {"out": str(out) if out else None, "records": str(records) if records else None}
        print_json({**summary.to_json(), "dropped": live.dropped, **written, "files": list(map(str, recorder.files))})
    else:
        print_summary(summary, {name: path for name, path in files.items() if name != "out"})
        for file in recorder.files:
            print(f"written: {plain(file)}")


def _inputs(source: str) -> Sequence[str | Path]:
    """Return the files that a source reads: the pictures of a folder, or the source itself."""
    from livemood.sources.image.scan import find_photos

    return find_photos([Path(source)]).photos if "://" not in source and is_folder(source) else [source]


def _sized(capture: CaptureSettings, size: str | None) -> CaptureSettings:
    if size is None:
        return capture
    left, _, right = size.lower().partition("x")
    if not (left.isdecimal() and right.isdecimal() and int(left) > 0 and int(right) > 0):
        raise typer.BadParameter(f"expected a size such as 1280x720, got {size}", param_hint="--size")
    return replace(capture, width=int(left), height=int(right))

"""``livemood camera``: moods live in a window, recorded, or for other programs to see."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.options import (
    Detector,
    DetectorChoice,
    Emotions,
    Engine,
    EngineChoice,
    Force,
    Json,
    Model,
    opened,
    print_json,
    reading,
)
from livemood.cli.summary import note, print_summary
from livemood.core.errors import SinkError

if TYPE_CHECKING:
    from livemood.core.settings import CaptureSettings
    from livemood.sinks.video.writer import VideoSink
    from livemood.sources.live import LiveSource


def camera(
    source: Annotated[
        str, typer.Option("--source", metavar="0|PATH|URL", help="Camera index, name or device; file, folder; URL; -.")
    ] = "0",
    out: Annotated[Path | None, typer.Option("--out", help="Record the labelled picture from the start.")] = None,
    records: Annotated[
        Path | None, typer.Option("--records", help="Write every face of every frame: .jsonl, .csv, .parquet.")
    ] = None,
    size: Annotated[str | None, typer.Option("--size", metavar="WxH", help="Picture size to ask for.")] = None,
    fps: Annotated[float | None, typer.Option("--fps", min=0.01, help="Pictures per second to ask for.")] = None,
    pixel_format: Annotated[
        str | None, typer.Option("--pixel-format", help="MJPG, YUYV, ...; for -: bgr24, rgb24, gray.")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin a file or folder again at its end.")] = False,
    mirror: Annotated[bool | None, typer.Option("--mirror/--no-mirror", help="Default: on for cameras.")] = None,
    panel: Annotated[bool, typer.Option("--panel", help="Draw all scores of each face as bars.")] = False,
    blur: Annotated[bool, typer.Option("--blur", help="Make faces unrecognisable; the labels stay.")] = False,
    sparklines: Annotated[bool, typer.Option("--sparklines", help="Show the last 30 s of every face.")] = False,
    calibrate: Annotated[
        float | None, typer.Option("--calibrate", metavar="S", min=0.5, help="Learn resting faces in the first S s.")
    ] = None,
    window: Annotated[bool, typer.Option("--window/--no-window", help="Show the picture on this screen.")] = True,
    virtual_camera: Annotated[
        bool, typer.Option("--virtual-camera", help="Be a camera that other programs can choose.")
    ] = False,
    duration: Annotated[float | None, typer.Option("--duration", metavar="S", help="Stop after S seconds.")] = None,
    json_: Json = False,
    force: Force = False,
    detector: Detector = DetectorChoice.auto,
    emotions: Emotions = None,
    engine: Engine = EngineChoice.litert,
    model: Model = None,
) -> None:
    """Show the mood of every face in front of the camera.

    [bold]Examples[/bold]

      livemood camera
      livemood camera --source 1 --out party.mp4 --records moods.jsonl
      livemood camera --source rtsp://door.local/live --no-window --records door.csv
      livemood camera --source clip.mp4 --loop
      ffmpeg -i clip.mp4 -f rawvideo -pix_fmt bgr24 - | livemood camera --source - --size 1280x720

    [bold]Keys in the window[/bold]

      f full screen, m mirror, space pause, h help, q quit (Esc and closing the window too)
      p score panel, i ids, b blur faces, t last 30 seconds of every face
      s snapshot, r start or stop recording, e mark an event in the records
      c calibrate to resting faces for 3 s; again: off
    """
    from livemood.apps.keys import View
    from livemood.apps.live import Live
    from livemood.apps.recorder import Recorder
    from livemood.sinks.records import open_records
    from livemood.sinks.virtual_camera import VirtualCamera
    from livemood.sinks.window import Window, check_display
    from livemood.sources.open import open_live

    if not window and not (out or records or virtual_camera):
        raise typer.BadParameter("nothing would be seen or kept; add --out or --records", param_hint="--no-window")
    if out and out.exists() and Path(source).resolve() in (out.resolve(), out.resolve().parent):
        raise SinkError(f"{out} is to be read; choose another --out")
    if window:
        check_display()  # before anything slow
    settings = _capture_settings(size, fps, pixel_format, loop)
    with ExitStack() as stack:
        if source == "-" and size is None:
            raise typer.BadParameter("raw pictures need their size, such as --size 640x480", param_hint="--source")
        try:
            live_source = stack.enter_context(open_live(source, settings))
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--source") from error
        reader = stack.enter_context(opened(reading(model, detector, engine, emotions)))
        rows = [stack.enter_context(open_records(records, reader.labels, live=True, force=force))] if records else []
        devices = [stack.enter_context(VirtualCamera(live_source.width, live_source.height))] if virtual_camera else []
        recorder = Recorder(reader.labels, lambda path: _open_video(path, live_source, force), devices, rows)
        stack.enter_context(recorder)
        if out:
            recorder.start(out)
        screen = None
        if window:
            screen = stack.enter_context(Window(f"livemood: {live_source.name}", live_source.width, live_source.height))
        view = View(live_source.mirrored if mirror is None else mirror, panel=panel, blur=blur, sparklines=sparklines)
        live = Live(
            reader,
            live_source,
            recorder,
            screen,
            view=view,
            engine=reader.engine,
            calibrate_s=calibrate,
            duration_s=duration,
            on_trouble=lambda trouble: note(f"{live_source.name}: {trouble}"),
        )
        tally = live.run()
    summary = tally.summary(recorder.warnings)
    for line in summary.notes:
        note(line)
    if json_:
        files = {"out": str(out) if out else None, "records": str(records) if records else None}
        print_json({**summary.to_json(), "dropped": live.dropped, **files, "files": list(map(str, recorder.files))})
    else:
        print_summary(summary, {"records": records})
        for file in recorder.files:
            print(f"written: {file}")


def _capture_settings(size: str | None, fps: float | None, pixel_format: str | None, loop: bool) -> "CaptureSettings":
    from livemood.core.settings import CaptureSettings

    width = height = None
    if size is not None:
        left, _, right = size.lower().partition("x")
        if not (left.isdecimal() and right.isdecimal() and int(left) > 0 and int(right) > 0):
            raise typer.BadParameter(f"expected a size such as 1280x720, got {size}", param_hint="--size")
        width, height = int(left), int(right)
    return CaptureSettings(width=width, height=height, fps=fps, pixel_format=pixel_format, loop=loop)


def _open_video(path: Path, source: "LiveSource", force: bool) -> "VideoSink":
    from livemood.core.video_info import VideoInfo
    from livemood.sinks.video.writer import VideoSink

    return VideoSink(path, VideoInfo(source.width, source.height), force=force)

"""``livemood bench``: how fast this computer is."""

from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.options import (
    Detector,
    DetectorChoice,
    Engine,
    EngineChoice,
    Json,
    Model,
    opened,
    print_json,
    reading,
)


def bench(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="A video with the faces to look for.")],
    live: Annotated[bool, typer.Option("--live", help="Time the live window, from capture to screen.")] = False,
    fps: Annotated[float, typer.Option("--fps", min=1.0, help="Pictures per second of the made-up camera.")] = 30.0,
    duration: Annotated[float, typer.Option("--duration", metavar="S", min=4.0, help="How long to run.")] = 15.0,
    json_: Json = False,
    detector: Detector = DetectorChoice.auto,
    engine: Engine = EngineChoice.litert,
    model: Model = None,
) -> None:
    """Measure how fast moods get from the camera to the screen.

    The clip plays as if a camera filmed it; each picture carries a stamp that is read again when it is on the screen.

    [bold]Examples[/bold]

      livemood bench --live samples/faces.mp4
      livemood bench --live samples/faces.mp4 --fps 60 --json
    """
    from dataclasses import asdict

    from livemood.bench import measure_live
    from livemood.sink.window import Window, check_display

    if not live:
        raise typer.BadParameter("say what to measure: --live", param_hint="--live")
    check_display()
    with opened(reading(model, detector, engine, None)) as reader, Window("livemood: bench", 1280, 720) as window:
        figures = measure_live(reader, window, clip, fps, duration)
    if json_:
        print_json(asdict(figures))
        return
    print(f"camera     {figures.captured_fps:.1f} fps, {figures.faces:.1f} faces a picture")
    print(f"on screen  {figures.shown_fps:.1f} fps, {figures.dropped} of {figures.dropped + figures.frames} dropped")
    print(f"delay      {figures.latency_p50_ms:.0f} ms at the median, {figures.latency_p95_ms:.0f} ms at 95 %")

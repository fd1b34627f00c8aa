"""``livemood bench``: how fast this computer is."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.options import Json, Only, opened, print_json, seconds
from livemood.core.counts import counted
from livemood.core.settings import ReaderSettings
from livemood.runtime.processes import usable_cores

if TYPE_CHECKING:
    from livemood.bench.offline import VideoFigures

_SHORTEST_S = 4.0
_FPS, _DURATION_S = 30.0, 15.0  # of the live picture
_INSTEAD = "leave {live} out to time a video without one"


def bench(
    settings: Annotated[ReaderSettings, Only("detector", "engine", "model")],
    clip: Annotated[Path | None, typer.Argument(metavar="[CLIP]", help="A video with faces; else the sample.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Time the live window, from capture to screen.")] = False,
    fps: Annotated[
        float | None,
        typer.Option(
            "--fps", min=1.0, show_default=f"{_FPS:g}", help="With --live: pictures per second of the simulated camera."
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration",
            metavar="TIME",
            parser=seconds,
            show_default=f"{_DURATION_S:g}",
            help="With --live: how long to run.",
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Measure how fast this computer labels a video, or the live picture.

    A video is labelled into a temporary folder: from file to file with all threads, stage by stage on one thread, then
    without labels, and without writing.

    With --live the clip is played like a camera; each picture has its number encoded in it, which is read again on the
    screen.

    Examples:
      livemood bench
      livemood bench holiday.mp4 --json
      livemood bench --live samples/faces.mp4 --fps 60
    """
    for name, value in {"--fps": fps, "--duration": duration}.items():
        if value is not None and not live:
            raise typer.BadParameter("is for the live picture; add --live", param_hint=name)
    if duration is not None and duration < _SHORTEST_S:
        raise typer.BadParameter(f"must be at least {_SHORTEST_S:g} s, got {duration:g}", param_hint="--duration")
    clip = clip or _sample()
    if live:
        _bench_live(settings, clip, fps or _FPS, duration or _DURATION_S, json_)
    else:
        _bench_video(settings, clip, json_)


def _sample() -> Path:
    sample = Path(__file__).parents[2] / "samples" / "faces.mp4"
    if not sample.is_file():
        raise typer.BadParameter("the sample is in the repository only; give a video", param_hint="CLIP")
    return sample


def _bench_live(settings: ReaderSettings, clip: Path, fps: float, duration: float, json_: bool) -> None:
    from livemood.bench.live import measure_live
    from livemood.sinks.display import check_display
    from livemood.sinks.window import Window

    check_display(_INSTEAD)
    with opened(settings) as session, Window("livemood: bench", 1280, 720, _INSTEAD) as window:
        figures = measure_live(session, window, clip, fps, duration)
    if json_:
        print_json(asdict(figures))
        return
    print(f"camera     {figures.captured_fps:.1f} fps, {figures.faces:.1f} faces per picture")
    print(f"on screen  {figures.shown_fps:.1f} fps, {figures.dropped} of {figures.dropped + figures.frames} dropped")
    print(f"delay      {figures.latency_p50_ms:.0f} ms at the median, {figures.latency_p95_ms:.0f} ms at 95 %")


def _bench_video(settings: ReaderSettings, clip: Path, json_: bool) -> None:
    from livemood.bench.offline import measure_video

    with opened(settings) as session:
        figures = measure_video(session, clip, settings)
    if json_:
        print_json(asdict(figures))
        return
    _print_stages(figures)
    whole = {
        "from file to file": figures.fps,
        "decode and encode only": figures.decode_encode_fps,
        "decode and detect only": figures.decode_detect_fps,
        "detect to smooth only": figures.detect_classify_fps,
        "search, classify only": figures.search_classify_fps,
    }
    print()
    for name, rate in whole.items():
        print(f"{name:24} {rate:7.1f} fps")
    print(f"{'CPU time from file to file':26}{figures.cpu_ms:6.2f} ms per frame, of all threads")
    print(f"{'time / slowest part alone':26}{figures.slowdown:6.2f} x")
    print(f"{'time / search, classify':26}{figures.search_slowdown:6.2f} x")
    print(f"{'first labelled picture':24} {figures.first_frame_s:7.2f} s after the start of a process")
    if figures.peak_rss_mb is not None:
        print(f"{'peak memory':24} {figures.peak_rss_mb:7.0f} MB")


def _print_stages(figures: "VideoFigures") -> None:
    cores = counted(usable_cores(), "core")
    print(f"{figures.width}x{figures.height}, {figures.frames} frames, {figures.faces:.1f} faces per frame, {cores}")
    print()
    print("ms per frame    mean     p50     p95")
    for name, stage in figures.stages.items():
        print(f"{name:10} {stage.mean_ms:9.2f} {stage.p50_ms:7.2f} {stage.p95_ms:7.2f}")

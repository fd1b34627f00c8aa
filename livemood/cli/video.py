"""``livemood video``: a labelled copy of a video, its records, and a summary."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    open_reader,
    print_json,
)

if TYPE_CHECKING:
    from livemood.app import Summary
    from livemood.source.video import VideoSource


def video(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Video file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Labelled video; IN-moods.mp4 by default.")] = None,
    records: Annotated[
        Path | None, typer.Option("--records", help="Also write every face of every frame: .jsonl, .csv, .parquet.")
    ] = None,
    panel: Annotated[bool, typer.Option("--panel", help="Draw all scores of each face as bars.")] = False,
    blur: Annotated[bool, typer.Option("--blur", help="Make faces unrecognisable; the labels stay.")] = False,
    json_: Json = False,
    force: Force = False,
    detector: Detector = DetectorChoice.auto,
    emotions: Emotions = None,
    engine: Engine = EngineChoice.litert,
    model: Model = None,
) -> None:
    """Draw the mood of every face on every frame of a video.

    Size, frame count, timing and sound stay as they are.

    [bold]Examples[/bold]

      livemood video clip.mp4 --out labeled.mp4
      livemood video clip.mp4 --records moods.jsonl --panel
      livemood video clip.mp4 --emotions happy,sad --json
    """
    from livemood.app import label_frames
    from livemood.draw import DrawStyle
    from livemood.sink.records import open_records
    from livemood.sink.video import VideoSink
    from livemood.source.video import VideoSource

    out = out or source.with_name(f"{source.stem}-moods.mp4")
    style = DrawStyle(show_panel=panel, blur_faces=blur)
    with ExitStack() as stack:
        clip = stack.enter_context(VideoSource(source))
        reader = stack.enter_context(open_reader(model, detector, engine, emotions))
        copy = stack.enter_context(VideoSink(out, clip.info, force=force))
        rows = [stack.enter_context(open_records(records, reader.labels, force=force))] if records else []
        bar = stack.enter_context(_Bar(clip))
        tally = label_frames(reader, clip, [copy], rows, style, bar.advance)
    summary = tally.summary([*clip.warnings, *copy.warnings])
    for note in summary.notes:
        print(f"livemood: note: {note}", file=sys.stderr)
    if json_:
        print_json({**summary.to_json(), "out": str(out), "records": str(records) if records else None})
    else:
        print_summary(summary, out, records)


def print_summary(summary: "Summary", out: Path | None, records: Path | None) -> None:
    """Print one screen about a run on stdout."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    speed = summary.frames / summary.elapsed_s if summary.elapsed_s else 0.0
    console.print(
        f"{summary.frames} frames in {summary.elapsed_s:.1f} s ({speed:.0f} fps), "
        f"{summary.faces} faces of {summary.tracks} {'person' if summary.tracks == 1 else 'people'}",
        highlight=False,
    )
    if summary.shares:
        table = Table("label", "share of faces", box=None, header_style="dim")
        for label, share in summary.shares.items():
            table.add_row(label, f"{share:6.1%}")
        console.print(table)
    else:
        console.print("No face was found.")
    for name, path in (("video", out), ("records", records)):
        if path:
            print(f"{name}: {path}")


class _Bar:
    """A progress bar on stderr, with frames per second and the time left; silent where stderr is no terminal."""

    def __init__(self, clip: "VideoSource") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[fps]} fps"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task(clip.path.name, total=clip.frame_count, fps="-")

    def advance(self, _: Any) -> None:
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=1, fps=f"{speed:.0f}" if speed else "-")

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

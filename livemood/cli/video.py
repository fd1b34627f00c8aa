"""``livemood video``: labelled copies of videos, their records, and a summary."""

import re
import sys
import tempfile
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.bars import progress_bars
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
from livemood.cli.summary import note, print_outcomes, print_summary
from livemood.runtime.processes import usable_cores

if TYPE_CHECKING:
    from livemood.apps.video_job import Reading, VideoJob


# A hundred years of video; what is far beyond does not fit a container's clock.
_LONGEST_S = 3e9


class CodecChoice(StrEnum):
    """Picture codecs."""

    h264 = "h264"
    h265 = "h265"
    vp9 = "vp9"
    av1 = "av1"


def seconds(text: str | float) -> float:
    """Parse 65, 1:05, 1:02:03 or 4.5 into seconds; a default comes as the number it is."""
    text = str(text)
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text):
        raise typer.BadParameter(f"{text!r} is not a time; write seconds, 1:05 or 1:02:03")
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    if total > _LONGEST_S:
        raise typer.BadParameter(f"{text!r} is longer than any video")
    return total


def video(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Video files.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Labelled video: .mp4 .mkv .mov .webm .gif; IN-moods.mp4 by default.")
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            "--records", help="Every face of every frame: .jsonl, .csv or .parquet; with --out-dir an ending."
        ),
    ] = None,
    faceless_rows: Annotated[
        bool, typer.Option("--faceless-rows", help="A row for frames without a face too.")
    ] = False,
    subtitles: Annotated[
        Path | None, typer.Option("--subtitles", help="Label changes as .srt or .vtt; with --out-dir an ending.")
    ] = None,
    markers: Annotated[
        Path | None, typer.Option("--markers", help="Label changes for editors: .edl, .csv, .fcpxml, .otio, .eaf, ...")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="A page about it: .html (extra: report).")] = None,
    thumbnails: Annotated[bool, typer.Option("--thumbnails", help="Show faces in the report.")] = False,
    start: Annotated[
        float, typer.Option("--start", parser=seconds, metavar="TIME", help="Begin here: 65 or 1:05.")
    ] = 0,
    duration: Annotated[
        float | None, typer.Option("--duration", parser=seconds, metavar="TIME", help="Length of the cut.")
    ] = None,
    every: Annotated[
        int, typer.Option("--every", min=1, help="Classify every Nth frame; all are written.", metavar="N")
    ] = 1,
    codec: Annotated[CodecChoice | None, typer.Option("--codec", help="By default h264, in .webm vp9.")] = None,
    crf: Annotated[int | None, typer.Option("--crf", help="Quality: less is better and larger.")] = None,
    preset: Annotated[str | None, typer.Option("--preset", help="Speed of the encoder, in its own words.")] = None,
    panel: Annotated[bool, typer.Option("--panel", help="All scores as bars, where there is room.")] = False,
    blur: Annotated[bool, typer.Option("--blur", help="Make faces unrecognisable; the labels stay.")] = False,
    out_dir: Annotated[Path | None, typer.Option("--out-dir", help="Folder for the copies of many videos.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Videos at the same time.", metavar="N")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Skip videos whose files are there already.")] = False,
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

      livemood video clip.mp4 --records moods.jsonl --report moods.html --panel

      livemood video talk.mkv --start 1:05 --duration 30 --emotions happy,sad --json

      livemood video *.mp4 --out-dir labeled/ --jobs 2 --records .csv --resume
    """
    from livemood.apps.video_job import VideoJob
    from livemood.overlay.annotator import DrawStyle

    if thumbnails and not report:
        raise typer.BadParameter("faces are shown in a report; add --report", param_hint="--thumbnails")
    if thumbnails and blur:
        raise typer.BadParameter(
            "would show the faces that --blur hides; leave one of the two out", param_hint="--thumbnails"
        )
    if duration == 0:
        raise typer.BadParameter("a cut is longer than 0 s", param_hint="--duration")
    how = reading(model, detector, engine, emotions)
    job = VideoJob(
        source=sources[0],
        out=out or sources[0].with_name(f"{sources[0].stem}-moods.mp4"),
        records=records,
        subtitles=subtitles,
        markers=markers,
        faceless_rows=faceless_rows,
        start_s=start,
        duration_s=duration,
        every=every,
        codec=codec.value if codec else None,
        crf=crf,
        preset=preset,
        style=DrawStyle(show_panel=panel, blur_faces=blur),
        force=force,
    )
    if len(sources) == 1 and not out_dir:
        _one(job, how, report, thumbnails, json_)
    else:
        if not out_dir or out or report:
            raise typer.BadParameter(
                "many videos need --out-dir, and take neither --out nor --report", param_hint="IN..."
            )
        _many(_jobs(job, sources, out_dir), how, jobs, resume, json_)


def _one(job: "VideoJob", how: "Reading", report: Path | None, thumbnails: bool, json_: bool) -> None:
    from livemood.apps.video_job import label_video
    from livemood.runtime.atomic_io import refuse_to_overwrite

    if report:  # said now, not after hours of work
        from livemood.reporting.charts import PLOTLY
        from livemood.runtime.optional_deps import required

        required("plotly.offline", PLOTLY)
        refuse_to_overwrite(report, "--report", job.force)
    with tempfile.TemporaryDirectory() as scratch:
        if report and not job.records:
            job, kept = replace(job, records=Path(scratch) / "moods.jsonl"), None
        else:
            kept = job.records
        with opened(how) as reader, progress_bars(1) as bars:
            summary = label_video(job, reader, bars)
        if report:
            from livemood.reporting.page import write_report

            assert job.records
            shown = job.source if thumbnails else None
            write_report(job.records, report, title=job.source.name, thumbnails=shown, force=job.force)
    for line in summary.notes:
        note(line)
    files = {"out": job.out, "records": kept, "subtitles": job.subtitles, "markers": job.markers, "report": report}
    if json_:
        print_json(summary.to_json() | {name: str(path) if path else None for name, path in files.items()})
    else:
        print_summary(summary, files)


def _jobs(job: "VideoJob", sources: list[Path], folder: Path) -> list["VideoJob"]:
    """Spread one job over many videos: copies and records are named after them."""
    taken: dict[Path, Path] = {}
    found = []
    for source in sources:
        out = folder / f"{source.stem}.mp4"
        if out in taken:
            raise typer.BadParameter(f"{source} and {taken[out]} would both become {out}", param_hint="--out-dir")
        if out.resolve() == source.resolve():
            raise typer.BadParameter(f"{source} would become its own copy; use another folder", param_hint="--out-dir")
        taken[out] = source
        rows, cues = _ending(job.records, out, "--records"), _ending(job.subtitles, out, "--subtitles")
        marks = _ending(job.markers, out, "--markers")
        found.append(replace(job, source=source, out=out, records=rows, subtitles=cues, markers=marks))
    return found


def _ending(asked: Path | None, out: Path, option: str) -> Path | None:
    if asked is None:
        return None
    if asked.suffix or asked.name != str(asked) or not asked.name.startswith("."):
        raise typer.BadParameter(f"with --out-dir give just an ending such as .csv, got {asked}", param_hint=option)
    return out.with_suffix(asked.name)


def _unfinished(jobs: list["VideoJob"]) -> list["VideoJob"]:
    """Return the jobs of which a file is missing; what an earlier run has left of theirs is then replaced."""
    left = []
    for job in jobs:
        there = [path.exists() for path in (job.out, job.records, job.subtitles, job.markers) if path]
        if not all(there):
            left.append(replace(job, force=job.force or any(there)))
    return left


def _many(jobs: list["VideoJob"], how: "Reading", processes: int, resume: bool, json_: bool) -> None:
    from livemood.apps.video_job import Outcome, label_videos

    waiting = _unfinished(jobs) if resume else jobs
    done = {job.source: Outcome(job, None) for job in jobs}
    with opened(how):  # a wrong model or option is said once, before any process is started
        pass
    with progress_bars(len(waiting)) as bars:
        for outcome in label_videos(waiting, how, min(processes, usable_cores()), bars):
            bars.end(outcome.job.source)
            done[outcome.job.source] = outcome
    outcomes = list(done.values())
    for outcome in outcomes:
        for line in outcome.summary.notes if outcome.summary else []:
            note(line)
    print_outcomes(outcomes, json_)
    failed = [outcome.error for outcome in outcomes if outcome.error]
    for line in failed:
        print(f"livemood: {line}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)

"""``livemood video``: labelled copies of videos, their records, and a summary."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.bars import progress_bars
from livemood.cli.options import Force, Json, VideoOutputs, files_of, opened, option_name, print_json
from livemood.cli.summary import note, print_outcomes, print_summary
from livemood.core.settings import CutSettings, DrawStyle, EncodingSettings, ReaderSettings
from livemood.runtime.processes import usable_cores
from livemood.sinks.open import Output

if TYPE_CHECKING:
    from livemood.apps.video_job import VideoJob


def video(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Video files; - for stdin.")],
    outputs: VideoOutputs,
    cut: CutSettings,
    encoding: EncodingSettings,
    style: DrawStyle,
    how: ReaderSettings,
    faceless_rows: Annotated[
        bool, typer.Option("--faceless-rows", help="A row for frames without a face too.")
    ] = False,
    report: Annotated[Path | None, typer.Option("--report", help="A page about it: .html (extra: report).")] = None,
    thumbnails: Annotated[bool, typer.Option("--thumbnails", help="Show faces in the report.")] = False,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out-dir", help="Folder for many videos; the files beside a copy are then given as endings."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Videos at the same time.", metavar="N")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Skip videos whose files are there already.")] = False,
    json_: Json = False,
    force: Force = False,
) -> None:
    """Draw the mood of every face on every frame of a video.

    Size, frame count, timing and sound stay as they are. The copy is --out; where nothing at all is asked for, it is
    IN-moods.mp4. Records, subtitles, markers or a report alone need no copy, and take less time.

    Examples:
      livemood video clip.mp4 --out labeled.mp4
      livemood video clip.mp4 --records moods.jsonl --report moods.html
      livemood video talk.mkv --start 1:05 --duration 30 --emotions happy,sad
      livemood video clip.mp4 --records - | head -3
      livemood video *.mp4 --out-dir labeled/ --jobs 2 --records .csv --resume
    """
    from livemood.apps.video_job import VideoJob
    from livemood.sources.video.spool import is_pipe

    if thumbnails and not report:
        raise typer.BadParameter("faces are shown in a report; add --report", param_hint="--thumbnails")
    if thumbnails and style.blur:
        raise typer.BadParameter(
            "would show the faces that --blur hides; leave one of the two out", param_hint="--thumbnails"
        )
    if cut.duration_s == 0:
        raise typer.BadParameter("a cut is longer than 0 s", param_hint="--duration")
    given = {output.name: output for output in outputs}
    job = VideoJob(sources[0], tuple(outputs), cut, encoding, style, faceless_rows, force)
    if len(sources) == 1 and not out_dir:
        if not outputs and not report:
            if is_pipe(sources[0]):
                raise typer.BadParameter("a pipe has no name to call the copy after; add --out", param_hint="IN...")
            copy = sources[0].with_name(f"{sources[0].stem}-moods.mp4")
            job = replace(job, outputs=(Output("out", str(copy)),))
        _one(job, how, report, thumbnails, json_)
    else:
        if not out_dir or "out" in given or report:
            raise typer.BadParameter(
                "many videos need --out-dir, and take neither --out nor --report", param_hint="IN..."
            )
        if piped := [source for source in sources if is_pipe(source)]:
            raise typer.BadParameter(f"{piped[0]} is a pipe; many videos need to be files", param_hint="IN...")
        _many(_jobs(job, sources, out_dir), how, jobs, resume, json_)


def _one(job: "VideoJob", how: ReaderSettings, report: Path | None, thumbnails: bool, json_: bool) -> None:
    from livemood.apps.video_job import label_video
    from livemood.runtime.atomic_io import refuse_other_ending, refuse_to_overwrite

    if report:  # said now, not after hours of work
        from livemood.reporting.charts import PLOTLY
        from livemood.reporting.page import PAGES
        from livemood.runtime.optional_deps import required

        required("plotly.offline", PLOTLY)
        refuse_other_ending(report, "report", *PAGES)
        refuse_to_overwrite(report, "report", job.force)
    files = files_of(job.outputs)
    with tempfile.TemporaryDirectory() as scratch:
        records = files.get("records")
        if report and not records:
            records = Path(scratch) / "moods.jsonl"
            job = replace(job, outputs=(*job.outputs, Output("records", str(records))))
        with opened(how) as session, progress_bars(1) as bars:
            summary = label_video(job, session, bars)
        if report:
            from livemood.reporting.page import write_report

            assert records
            shown = job.source if thumbnails else None
            write_report(records, report, title=job.source.name, thumbnails=shown, force=job.force)
    for line in summary.notes:
        note(line)
    written = {name: files.get(name) for name in ("out", "records", "subtitles")} | files | {"report": report}
    if json_:
        print_json(summary.to_json() | {name: str(path) if path else None for name, path in written.items()})
    else:
        print_summary(summary, written)


def _jobs(job: "VideoJob", sources: list[Path], folder: Path) -> list["VideoJob"]:
    """Spread one job over many videos: copies and what lies beside them are named after them."""
    taken: dict[Path, Path] = {}
    found = []
    for source in sources:
        out = folder / f"{source.stem}.mp4"
        if out in taken:
            raise typer.BadParameter(f"{source} and {taken[out]} would both become {out}", param_hint="--out-dir")
        if out.resolve() == source.resolve():
            raise typer.BadParameter(f"{source} would become its own copy; use another folder", param_hint="--out-dir")
        taken[out] = source
        beside = (Output(asked.name, str(_ending(asked, out))) for asked in job.outputs)
        found.append(replace(job, source=source, outputs=(Output("out", str(out)), *beside)))
    return found


def _ending(asked: Output, out: Path) -> Path:
    ending = Path(asked.target)
    if ending.suffix or ending.name != asked.target or not ending.name.startswith("."):
        raise typer.BadParameter(
            f"with --out-dir give just an ending such as .csv, got {asked.target}", param_hint=option_name(asked.name)
        )
    return out.with_suffix(ending.name)


def _unfinished(jobs: list["VideoJob"]) -> list["VideoJob"]:
    """Return the jobs of which a file is missing; what an earlier run has left of theirs is then replaced."""
    left = []
    for job in jobs:
        there = [Path(output.target).exists() for output in job.outputs]
        if not all(there):
            left.append(replace(job, force=job.force or any(there)))
    return left


def _many(jobs: list["VideoJob"], how: ReaderSettings, processes: int, resume: bool, json_: bool) -> None:
    from livemood.apps.video_batch import Outcome, label_videos
    from livemood.runtime.atomic_io import note_written

    waiting = _unfinished(jobs) if resume else jobs
    done = {job.source: Outcome(job, None) for job in jobs}
    with opened(how):  # a wrong model or option is said once, before any process is started
        pass
    with progress_bars(len(waiting)) as bars:
        for outcome in label_videos(waiting, how, min(processes, usable_cores()), bars):
            bars.end(outcome.job.source)
            done[outcome.job.source] = outcome
            for output in outcome.job.outputs if outcome.summary else ():
                note_written(Path(output.target))
    outcomes = list(done.values())
    for outcome in outcomes:
        for line in outcome.summary.notes if outcome.summary else []:
            note(line)
    print_outcomes(outcomes, json_)
    failed = [outcome.error.line(option_name) for outcome in outcomes if outcome.error]
    for line in failed:
        print(f"livemood: {line}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)

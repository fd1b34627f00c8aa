"""``livemood video``: labelled copies of videos, their records, reports, and a summary."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from livemood.cli.bars import progress_bars
from livemood.cli.options import (
    Force,
    Json,
    VideoOutputs,
    files_of,
    heads_of,
    opened,
    option_name,
    print_json,
    refuse_idle,
    refuse_shared,
)
from livemood.cli.summary import line_about_many, note, note_skipped, print_outcomes, print_summary
from livemood.cli.terminal import plain, tell
from livemood.core.errors import LivemoodError
from livemood.core.labels import EMOTION
from livemood.core.settings import CutSettings, DrawStyle, EncodingSettings, ReaderSettings
from livemood.runtime.paths import is_folder
from livemood.runtime.processes import usable_cores
from livemood.sinks.open import Output

if TYPE_CHECKING:
    from livemood.apps.video_batch import Outcome
    from livemood.apps.video_job import VideoJob
    from livemood.apps.video_table import Listed
    from livemood.sources.image.scan import Skipped
    from livemood.sources.video.scan import Clip

# Settings of what copies look like.
_OF_COPIES: Final = [field.name for kind in (EncodingSettings, DrawStyle) for field in fields(kind)]


def video(
    context: typer.Context,
    inputs: Annotated[list[str], typer.Argument(metavar="IN...", help="Video files, or folders of them; - for stdin.")],
    outputs: VideoOutputs,
    cut: CutSettings,
    encoding: EncodingSettings,
    style: DrawStyle,
    settings: ReaderSettings,
    faceless_rows: Annotated[
        bool, typer.Option("--faceless-rows", help="Write a row for frames without a face too.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Page about the video: .html (extra: report).")
    ] = None,
    thumbnails: Annotated[bool, typer.Option("--thumbnails", help="Show faces in the report.")] = False,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            "--out-dir",
            help="Folder for copies of many videos. Other outputs are then given as a suffix such as .csv, for files "
            "beside the copies, or as a folder.",
        ),
    ] = None,
    summary: Annotated[Path | None, typer.Option("--summary", help="CSV with a row for each video.")] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Number of videos processed in parallel.", metavar="N")
    ] = 1,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Make only what is missing, or incomplete after an interrupt; keep the rest."),
    ] = False,
    json_: Json = False,
    force: Force = False,
) -> None:
    """Draw the mood of every face on every frame of a video.

    Size, frame count, timing and sound do not change. The copy is --out, or IN-moods.mp4 if no output is given.
    Records, subtitles, markers or a report alone need no copy, and take less time. Of a folder, every video is read,
    and results are written into the same subfolders.

    Examples:
      livemood video clip.mp4 --out labeled.mp4
      livemood video clip.mp4 --records moods.jsonl --report moods.html
      livemood video talk.mkv --start 1:05 --duration 30 --emotions happy,sad
      livemood video clip.mp4 --records - | head -3
      livemood video *.mp4 --out-dir labeled/ --jobs 2 --records .csv --resume
      livemood video study/ --records moods/ --report pages/ --summary all.csv
    """
    from livemood.apps.video_job import VideoJob
    from livemood.apps.video_table import SETTING
    from livemood.runtime.atomic_io import refuse_file_as_folder, refuse_other_suffix, refuse_to_overwrite
    from livemood.runtime.storage import is_url
    from livemood.sources.video.scan import COPY_ENDING, find_videos
    from livemood.sources.video.spool import is_pipe

    sources = [Path(one) for one in inputs]
    if addresses := [one for one in inputs if is_url(one)]:
        raise typer.BadParameter(
            f"{addresses[0]} is not a file; livemood camera --source reads streams", param_hint="IN..."
        )
    if thumbnails and not report:
        raise typer.BadParameter("needs a report; add --report", param_hint="--thumbnails")
    if thumbnails and style.blur:
        raise typer.BadParameter(
            "would show the faces that --blur hides; leave one of the two out", param_hint="--thumbnails"
        )
    if cut.duration_s == 0:
        raise typer.BadParameter("must be longer than 0 s", param_hint="--duration")
    makes = {output.name for output in outputs}
    if not ("out" in makes or out_dir) and (makes or report or summary):
        refuse_idle(context, _OF_COPIES, "no copy is made; add --out or --out-dir, or leave this out")
    if not ("records" in makes or report):
        refuse_idle(context, ["faceless_rows"], "no records are made; add --records, or leave this out")
    if summary:
        refuse_other_suffix(summary, SETTING, ".csv")
        refuse_to_overwrite(summary, SETTING, _replaces(summary, force, resume))
    if out_dir:
        refuse_file_as_folder(out_dir, "out_dir")
    job = VideoJob(sources[0], tuple(outputs), cut, encoding, style, faceless_rows, force, report, thumbnails)
    if report:
        from livemood.cli.merge import merge_command

        job = replace(job, merge_command=merge_command())
    if len(sources) == 1 and not out_dir and not is_folder(sources[0]):
        if not outputs and not report and not summary:
            if is_pipe(sources[0]):
                raise typer.BadParameter("the copy of a pipe needs a name; add --out", param_hint="IN...")
            copy = sources[0].with_name(f"{sources[0].stem}{COPY_ENDING}.mp4")
            job = replace(job, outputs=(Output("out", str(copy)),))
        _one(job, settings, summary, resume, json_)
        return
    if any(output.name == "out" for output in outputs):
        raise typer.BadParameter("is for one video; many need --out-dir", param_hint="--out")
    if not (out_dir or outputs or report or summary):
        raise typer.BadParameter(
            "many videos need --out-dir, or a folder for --records or --report", param_hint="IN..."
        )
    if piped := [source for source in sources if is_pipe(source)]:
        raise typer.BadParameter(f"{piped[0]} is a pipe; many videos need to be files", param_hint="IN...")
    found = find_videos(sources, [out_dir] if out_dir else [])
    planned = _planned(job, found.clips, [source for source in sources if is_folder(source)], out_dir, summary)
    _tell_skipped(found.skipped)
    _many(planned, found.clips, settings, jobs, resume, summary, json_)


def _one(job: "VideoJob", settings: ReaderSettings, summary_file: Path | None, resume: bool, json_: bool) -> None:
    from livemood.apps.video_batch import Outcome
    from livemood.apps.video_job import check_job, label_video
    from livemood.apps.video_table import SETTING, Listed

    refuse_shared([*job.targets, (SETTING, summary_file)])
    files = files_of(job.outputs)
    written = {name: files.get(name) for name in ("out", "records", "subtitles")} | files | {"report": job.report}
    rest, summary = job.unfinished() if resume else job, None
    if rest:
        check_job(rest)
        try:
            with opened(settings) as session, progress_bars(1) as bars:
                summary = label_video(rest, session, bars)
        except LivemoodError:
            if made := rest.made():
                note(f"complete, and kept: {_names(made)}")
            raise
    outcome = Outcome(job, summary)
    try:
        if summary_file:
            _tabulate(summary_file, [Listed("", outcome)], settings, job.force, resume)
            written["summary"] = summary_file
    finally:
        for line in summary.notes if summary else []:
            note(line)
        if json_:
            print_json((summary.to_json() if summary else {"skipped": True}) | _texts(written))
        elif summary:
            print_summary(summary, written)
        else:
            print_outcomes([outcome], json_=False)


def _texts(files: Mapping[str, Path | None]) -> dict[str, str | None]:
    return {name: str(path) if path else None for name, path in files.items()}


def _names(files: Sequence[Path]) -> str:
    return ", ".join(map(str, files))


def _replaces(summary: Path, force: bool, resume: bool) -> bool:
    """Return whether a table that is there may be replaced: when the run is gone on with, only one of its own kind."""
    from livemood.apps.video_table import is_video_table

    return force or (resume and is_video_table(summary))


def _tabulate(summary: Path, videos: Sequence["Listed"], settings: ReaderSettings, force: bool, resume: bool) -> None:
    from livemood.apps.video_table import write_video_table

    labels = heads_of(settings)[EMOTION]
    write_video_table(summary, videos, labels, phrase=line_about_many, force=_replaces(summary, force, resume))


def _planned(
    job: "VideoJob", clips: Sequence["Clip"], folders: Sequence[Path], out_dir: Path | None, summary: Path | None
) -> list["VideoJob"]:
    """Return the job of each video; outputs that are not for many videos are a usage error."""
    from livemood.apps.video_plan import PlanConflict, spread

    try:
        planned = spread(job, clips, folders, out_dir, summary)
    except PlanConflict as error:
        hint = "IN..." if error.setting == "inputs" else option_name(error.setting)
        raise typer.BadParameter(error.line(option_name), param_hint=hint) from error
    for one in planned:
        refuse_shared(one.targets)
    return planned


def _many(
    jobs: Sequence["VideoJob"],
    clips: Sequence["Clip"],
    settings: ReaderSettings,
    processes: int,
    resume: bool,
    summary: Path | None,
    json_: bool,
) -> None:
    from livemood.apps.video_batch import Outcome, label_videos
    from livemood.apps.video_job import check_job
    from livemood.apps.video_table import Listed
    from livemood.runtime.atomic_io import note_written

    whole = {job.source: job for job in jobs}
    waiting = [rest for job in jobs if (rest := job.unfinished())] if resume else jobs
    if waiting:
        try:
            check_job(waiting[0])  # what is wrong with it is wrong with all
        except LivemoodError as error:
            tell(line_about_many(error))
            raise typer.Exit(1) from error
    done = {job.source: Outcome(job, None) for job in jobs}
    left = {job.source for job in waiting}
    with opened(settings):  # a wrong model or option is reported once, before any process is started
        pass

    def tabulate() -> None:
        if summary:
            folders = {clip.path: str(clip.place.parent) if clip.place.parent.name else "" for clip in clips}
            listed = [Listed(folders[source], one) for source, one in done.items() if source not in left]
            _tabulate(summary, listed, settings, jobs[0].force, resume)

    try:
        with progress_bars(len(waiting)) as bars:
            for outcome in label_videos(waiting, settings, min(processes, usable_cores()), bars):
                source = outcome.job.source
                bars.end(source)
                done[source] = replace(outcome, job=whole[source])
                left.discard(source)
                for path in outcome.made:
                    note_written(path)
    except KeyboardInterrupt:
        if len(left) < len(jobs):
            tabulate()
        raise
    _print_results(list(done.values()), json_)
    tabulate()
    if summary and not json_:
        print(f"summary: {plain(summary)}")
    if any(outcome.error for outcome in done.values()):
        raise typer.Exit(1)


def _print_results(outcomes: Sequence["Outcome"], json_: bool) -> None:
    for outcome in outcomes:
        for line in outcome.summary.notes if outcome.summary else []:
            note(line)
    print_outcomes(outcomes, json_)
    for outcome in outcomes:
        if outcome.error:
            kept = f"; kept: {_names(outcome.made)}" if outcome.made else ""
            tell(line_about_many(outcome.error) + kept)


def _tell_skipped(skipped: Sequence["Skipped"]) -> None:
    for one in skipped:
        if one.kind == "made by livemood" and is_folder(one.path):
            note(f"{one.path} is for the copies; nothing in it was read")
    note_skipped(skipped)

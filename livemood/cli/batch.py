"""``livemood batch``: very many photos and videos into one Parquet data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livemood.cli.bars import counting_bar
from livemood.cli.options import Json, Only, heads_of, print_json
from livemood.cli.summary import note
from livemood.cli.terminal import INTERRUPTED, plain, tell
from livemood.core.counts import counted
from livemood.core.errors import LivemoodError
from livemood.core.settings import EngineChoice, ReaderSettings
from livemood.runtime.atomic_io import note_written
from livemood.runtime.processes import usable_cores
from livemood.runtime.storage import is_url

if TYPE_CHECKING:
    from livemood.apps.batch.dataset import Part
    from livemood.apps.batch.run import BatchJob

_STATUS = "status"


def _share(text: str) -> tuple[int, int]:
    """Parse a share such as ``3/8`` into its number, counted from 1, and the number of shares."""
    first, _, second = text.partition("/")
    if first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second):
        return int(first), int(second)
    raise typer.BadParameter(f"{text} is not a share of the inputs; write 1/8 to 8/8")


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders, globs, lists of paths (.csv, .tsv, .parquet, .txt), URLs; or: status DATASET.",
        ),
    ],
    settings: Annotated[ReaderSettings, Only("detector", "emotions", "prior", "model", "baseline")],
    out: Annotated[str | None, typer.Option("--out", metavar="DATASET", help="Folder or URL of the data set.")] = None,
    engine: Annotated[
        EngineChoice, typer.Option("--engine", help="local: processes on this machine; ray: Ray (extra: ray).")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="HOST:PORT", help="Ray cluster; by default Ray starts on this machine."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, metavar="N", help="Processes; all cores by default.")
    ] = None,
    shard: Annotated[
        Any,  # a pair, which typer would take for two arguments
        typer.Option("--shard", parser=_share, metavar="I/N", help="Only this share of the inputs, such as 3/8."),
    ] = "1/1",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Read failed inputs again.")] = False,
    labelled: Annotated[
        str | None, typer.Option("--labelled", metavar="DIR", help="Folder for labelled copies of videos.")
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, metavar="N", help="Classify every Nth frame of a video.")] = 1,
    json_: Json = False,
) -> None:
    """Process many photos and videos into one Parquet data set; a second run reads only what is missing.

    Examples:
      livemood batch archive/ --out moods/ --jobs 8
      livemood batch list.csv --out moods/ --shard $SLURM_ARRAY_TASK_ID/100
      livemood batch s3://bucket/photos/ --out s3://bucket/moods --engine ray
      livemood batch status moods/
    """
    if inputs[0] == _STATUS and out is None and len(inputs) == 2:
        _print_status(inputs[1], json_)
        return
    if out is None and inputs[0] == _STATUS:
        raise typer.BadParameter(
            "status takes one data set, such as livemood batch status moods/", param_hint="INPUT..."
        )
    if out is None:
        raise typer.BadParameter("the data set to write is missing; add --out DATASET", param_hint="--out")
    if address and engine != "ray":
        raise typer.BadParameter("is for a Ray cluster; add --engine ray", param_hint="--address")
    from livemood.apps.batch.run import BatchJob

    job = BatchJob(inputs, out, settings, part=shard, every=every, labelled=labelled, retry_failed=retry_failed)
    heads_of(job.reader)  # a wrong choice of emotions is refused before anything else
    _run(job, engine, jobs, address, json_)


def _run(job: "BatchJob", choice: EngineChoice, jobs: int | None, address: str | None, json_: bool) -> None:
    from livemood.apps.batch.dataset import Contents
    from livemood.apps.batch.engines import open_engine
    from livemood.apps.batch.run import note_nothing_to_do, plan, run

    cores = jobs or usable_cores()
    planned = plan(job, cores)
    if planned.unreadable:
        first = planned.unreadable[0]
        note(f"{counted(len(planned.unreadable), 'folder')} could not be read, such as {first}; check the permissions")
    if not planned.todo and not planned.stale:
        note_nothing_to_do(job, planned)
        has = f"{plain(job.out)} has all {len(planned.inputs)} inputs" if planned.inputs else "this share has no inputs"
        told = {"inputs": len(planned.inputs), "read": 0, "failed": planned.failed, "faces": 0}
        print_json(told) if json_ else print(f"nothing to do: {has}")
        _tell_failed(planned.failed)
        return
    if planned.again:
        again = counted(planned.again, "input")
        note(f"{again} to read again: they failed, or changed, or have no labelled copy, or the model changed")
    made = Contents()
    try:
        with open_engine(choice, jobs, address) as engine, counting_bar(len(planned.inputs), "inputs") as bar:
            bar.advance(planned.done)

            def on_part(part: "Part") -> None:
                made.add(part)
                bar.advance(len(part.inputs), len(part.failed))

            run(job, planned, engine, on_part)
    except KeyboardInterrupt:
        done = planned.done + made.inputs
        tell(f"{done} of {len(planned.inputs)} inputs are in {job.out}; run the same command to continue")
        if made.inputs:
            note_written(job.out if is_url(job.out) else Path(job.out))
        raise typer.Exit(INTERRUPTED) from None
    failed = planned.failed + made.failed
    if json_:
        print_json({"inputs": len(planned.inputs), "read": made.inputs, "failed": failed, "faces": made.faces})
    else:
        read, faces = counted(made.inputs, "input"), counted(made.faces, "face")
        print(f"{read} read, {made.failed} failed, {faces}; {planned.done} were there already")
        print(f"data set: {plain(job.out)}")
    _tell_failed(failed)


def _tell_failed(failed: int) -> None:
    """End with exit code 1 if some of the inputs could not be read, by this run or an earlier one."""
    if failed:
        why = "column error of the data set says why, --retry-failed reads them again"
        tell(f"{counted(failed, 'input')} could not be read; {why}")
        raise typer.Exit(1)


def _print_status(dataset: str, json_: bool) -> None:
    from livemood.apps.batch.dataset import contents, read_parts, read_run_infos
    from livemood.runtime.storage import Store

    store = Store(dataset, "out")
    runs = read_run_infos(store)
    found = contents(read_parts(store))
    if not found.parts and not runs:
        raise LivemoodError(f"{dataset} contains no data set of livemood batch")
    if json_:
        print_json({**found.to_json(), "runs": runs})
        return
    inputs, parts = counted(found.inputs, "input"), counted(found.parts, "part")
    print(f"{inputs} in {parts}: {counted(found.faces, 'face')}, {counted(found.failed, 'input')} failed")
    if found.frames:
        rate = found.cpu_s / found.frames
        print(f"photos and frames: {found.frames}, {found.cpu_s:.0f} CPU seconds, {rate * 1000:.1f} ms each")
    for made, count in found.readings.most_common():
        print(
            f"{counted(count, 'input')} by livemood {made.version}, model {plain(made.model)} {made.sha256[:12]} "
            f"({made.settings})"
        )
    for name, run in runs.items():
        planned, end = run.get("inputs_planned", "?"), run.get("finished", "not yet")
        print(f"{plain(name)}: inputs planned: {planned}, started {run.get('started')}, finished {end}")

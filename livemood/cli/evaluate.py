"""``livemood evaluate``: measure a bundle on labelled pictures."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livemood.cli.command_lines import card_command
from livemood.cli.data_options import Class, FindFaces, GroupBy, Heads, Votes, class_names
from livemood.cli.figures import print_table
from livemood.cli.options import Force, Json, Only, print_json
from livemood.cli.summary import note
from livemood.cli.terminal import tell
from livemood.cli.training import notes
from livemood.core.counts import counted
from livemood.core.errors import SinkError
from livemood.core.settings import ReaderSettings, SplitChoice

if TYPE_CHECKING:
    from livemood.datasets.dataset import Dataset
    from livemood.evaluation.run import EvaluationJob


def evaluate(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="Bundle folder; 'default' is the one that is shipped.")
    ],
    reader: Annotated[ReaderSettings, Only("prior")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Labelled pictures, as for livemood train.")],
    split: Annotated[
        SplitChoice, typer.Option("--split", help="Pictures to measure on; all if the model was not trained on them.")
    ] = "test",
    votes: Votes = None,
    heads: Heads = None,
    find_faces: FindFaces = False,
    group_by: GroupBy = None,
    class_: Class = None,
    groups: Annotated[
        Path | None, typer.Option("--groups", metavar="CSV", help="Table of file and attributes, such as file,age.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="BUNDLE", help="Compare with this bundle by a paired test.")
    ] = None,
    smiles: Annotated[
        Path | None, typer.Option("--smiles", metavar="ZIP", help="Measure on GENKI-4K's whole photos too.")
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option("--people", metavar="ZIP", help="Measure on people's neutral and smiling photos too, by group."),
    ] = None,
    stress: Annotated[
        bool,
        typer.Option(
            "--stress", help="Measure under 27 corruptions: light, blur, noise, roll, masks, ...; takes minutes."
        ),
    ] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write a web page with tables and pictures.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Write MODEL_CARD.md and its pictures into BUNDLE.")] = False,
    json_: Json = False,
    force: Force = False,
) -> None:
    """Measure an emotion model on labelled pictures: accuracy, classes, calibration, robustness, groups, speed.

    The model runs as in serving. If the data has fewer classes than the model, it chooses among these only.

    Examples:
      livemood evaluate default ferplus.zip
      livemood evaluate models/mine faces/ --against models/emotion
    """
    from livemood.bundles.manifest import named_bundle
    from livemood.datasets.open import DataSource
    from livemood.evaluation.card import CARD
    from livemood.evaluation.run import EvaluationJob
    from livemood.evaluation.tables import tables
    from livemood.reporting.page import PAGES
    from livemood.runtime.atomic_io import refuse_inputs, refuse_other_suffix, refuse_to_overwrite
    from livemood.runtime.optional_deps import need

    need("scipy")
    if html:
        refuse_other_suffix(html, "html", *PAGES)
        refuse_inputs(html, "html", filter(None, (data, votes, heads, groups, smiles, people)))
        refuse_to_overwrite(html, "html", force)
    folder = named_bundle(bundle)
    if card and (folder / CARD).exists() and not force:
        raise SinkError(f"{folder / CARD} is there already", "use {force}, or leave {card} out")
    job = EvaluationJob(
        bundle=folder,
        data=DataSource(data, votes, heads, find_faces, group_by, class_names(class_)),
        split=split,
        groups=groups,
        against=named_bundle(against) if against else None,
        smiles=smiles,
        people=people,
        stress=stress,
        prior=reader.prior,
    )
    report = _measured(job)
    # Results are printed first, in case writing the files fails.
    if json_:
        print_json(report)
    else:
        for table in tables(report):
            print_table(table)
    _warn(report)
    _write(report, folder, html, card)


def _measured(job: "EvaluationJob") -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    from livemood.evaluation.run import Watcher, evaluate

    def on_data(dataset: "Dataset") -> None:
        progress.stop()
        for line in notes(dataset, job.data.find_faces):
            note(line)

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("cutting faces", total=None)
        watcher = Watcher(lambda done, total: progress.update(task, completed=done, total=total), on_data, note)
        return evaluate(job, watcher)


def _write(report: Mapping[str, Any], folder: Path, html: Path | None, card: bool) -> None:
    if html:
        from livemood.evaluation.page import write_html

        write_html(report, html)
    if card:
        from livemood.evaluation.card import write_card

        write_card(folder, report, card_command(report))


def _warn(report: Mapping[str, Any]) -> None:
    """Print what else to know of the pictures."""
    if copied := report.get("copies", {}).get("exact"):
        tell(
            f"{copied} of {report['pictures']} pictures are also in train; "
            "their accuracy is too high if the model was trained on them; livemood train leaves such pictures out"
        )
    if report["skipped"]:
        tell(f"left out {counted(report['skipped'], 'file')}")

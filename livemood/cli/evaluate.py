"""``livemood evaluate``: measure a bundle on labelled pictures."""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livemood.cli.command_lines import card_command
from livemood.cli.data_options import Class, GroupBy, Heads, class_names
from livemood.cli.figures import print_table
from livemood.cli.options import Force, Json, print_json
from livemood.cli.training import notes
from livemood.core.counts import counted

if TYPE_CHECKING:
    from livemood.core.crop_spec import CropSpec
    from livemood.datasets.dataset import Dataset
    from livemood.datasets.samples import Collection


class SplitChoice(StrEnum):
    """Pictures to measure on."""

    train = "train"
    valid = "valid"
    test = "test"
    all = "all"


def evaluate(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="Bundle folder; 'default' is the one that is shipped.")
    ],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Labelled pictures, as for livemood train.")],
    split: Annotated[
        SplitChoice, typer.Option("--split", help="Pictures to measure on; all for data never trained on.")
    ] = SplitChoice.test,
    votes: Annotated[Path | None, typer.Option("--votes", help="FER+'s fer2013new.csv, for a fer2013.csv.")] = None,
    heads: Heads = None,
    find_faces: Annotated[
        bool, typer.Option("--find-faces", help="The pictures are whole photos: cut out the largest face.")
    ] = False,
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

    The model runs as in serving. If the data has fewer classes than the model, it chooses among those.

    Examples:
      livemood evaluate default ferplus.zip
      livemood evaluate models/mine faces/ --against models/emotion
    """
    from livemood.bundles.manifest import named_bundle, read_bundle
    from livemood.core.errors import ModelIncompatible, SinkError
    from livemood.datasets.class_names import ClassNames
    from livemood.datasets.open import open_collection
    from livemood.evaluation.card import CARD
    from livemood.evaluation.evaluate import compare, examine
    from livemood.evaluation.groups import read_groups
    from livemood.evaluation.people import check_people, examine_people
    from livemood.evaluation.smiles import check_smiles, examine_smiles
    from livemood.runtime.atomic_io import refuse_to_overwrite
    from livemood.runtime.optional_deps import need

    need("scipy")
    if html:
        refuse_to_overwrite(html, "html", force)
    folder = named_bundle(bundle)
    if card and (folder / CARD).exists() and not force:
        raise SinkError(f"{folder / CARD} is there already; use --force, or leave --card out")
    model = read_bundle(folder)
    against = named_bundle(against) if against else None
    other = read_bundle(against) if against else None
    if other and other.crop != model.crop:
        raise ModelIncompatible(
            f"{against} takes {other.crop.size_px}-px {other.crop.colour} crops, {folder} {model.crop.size_px}-px "
            f"{model.crop.colour} ones; only models of the same crop can be compared picture by picture"
        )
    if smiles:
        check_smiles(model, smiles)
    if people:
        check_people(model, people)
    table = read_groups(groups) if groups else {}
    collection = open_collection(data, votes, ClassNames(model.labels, class_names(class_)), group_by, heads)
    for one in (model, other) if other else (model,):
        if unknown := [label for label in collection.labels if label not in one.labels]:
            raise ModelIncompatible(
                f"{one.name} does not know {unknown[0]}, a class of {data}, only {', '.join(one.labels)}",
                "leave that class out, or say what it is with {class}, such as {0}={1}",
                unknown[0],
                one.labels[0],
            )
    if split is SplitChoice.all:
        collection = replace(collection, samples=tuple(replace(s, split="test") for s in collection.samples))
    name = "test" if split is SplitChoice.all else split.value
    with tempfile.TemporaryDirectory() as scratch:
        dataset = _cut(collection, model.crop, Path(scratch), name, find_faces)
        pictures = dataset.splits[name]  # type: ignore[index]
        for line in notes(dataset, find_faces):
            print(f"livemood: {line}", file=sys.stderr)
        report = examine(folder, dataset, pictures, table)
        for attribute in (a for a in table if a not in report["groups"]):
            print(f"livemood: {attribute} in {groups} is empty for all labelled pictures: left out", file=sys.stderr)
        if against:
            report["against"] = compare(folder, against, pictures)
        if stress:
            from livemood.evaluation.robustness import flips, stress_crops

            report["stress"] = {"crops": stress_crops(folder, pictures), "flips": flips(folder, pictures)}
    report = {
        "bundle": model.name,
        "data": data.name,
        "votes": votes.name if votes else None,
        "heads_table": heads.name if heads else None,
        "find_faces": find_faces,
        "group_by": group_by,
        "class": class_names(class_),
        "split": split.value,
        **report,
        "skipped": len(dataset.skipped),
    }
    if smiles:
        report["smiles"] = examine_smiles(folder, smiles)
        if stress:
            from livemood.evaluation.robustness import stress_photos

            report["stress"]["photos"] = stress_photos(folder, smiles)
    if people:
        report["people"] = examine_people(folder, people)
    # Results are printed first, in case writing the files fails.
    if json_:
        print_json(report)
    else:
        _print(report)
    _write(report, folder, html, card)


def _cut(collection: "Collection", spec: "CropSpec", folder: Path, split: str, find_faces: bool) -> "Dataset":
    from rich.console import Console
    from rich.progress import Progress

    from livemood.datasets.load import load
    from livemood.detection.combined import FaceDetector

    progress = Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with progress, FaceDetector("fast") as detector:
        task = progress.add_task("cutting faces", total=None)
        return load(
            collection,
            spec,
            detector,
            folder,
            find_faces=find_faces,
            cut=(split,),  # type: ignore[arg-type]
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def _write(report: Mapping[str, Any], folder: Path, html: Path | None, card: bool) -> None:
    if html:
        from livemood.evaluation.page import write_html

        write_html(report, html)
    if card:
        from livemood.evaluation.card import write_card

        write_card(folder, report, card_command(report))


def _print(report: Mapping[str, Any]) -> None:
    from livemood.evaluation.tables import tables

    for table in tables(report):
        print_table(table)
    copies = report["copies"]
    if copies["exact"]:
        print(
            f"livemood: {copies['exact']} of {report['pictures']} pictures stand in train too; "
            "livemood train leaves those out of train, others may not",
            file=sys.stderr,
        )
    if report["skipped"]:
        print(f"livemood: left out {counted(report['skipped'], 'file')}", file=sys.stderr)

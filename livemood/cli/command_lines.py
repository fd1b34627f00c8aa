"""Command lines that repeat a recorded job, with file names but without folders."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from livemood.cli.options import option_name


def train_command(record: Mapping[str, Any]) -> str | None:
    """Return the command of a training run.

    Args:
        record: The job as it was recorded when the run began; empty where none was.
    """
    from livemood.training.settings import TrainSettings, usual

    if not record:
        return None
    settings, unsaid = record["settings"], asdict(usual(fine_tuning=bool(record["from"])))
    words = ["livemood", "train", record["data"], "--out", "BUNDLE", *_source_options(record)]
    for option, names in (("--from", record["from"]), ("--teacher", record["teachers"])):
        for name in names:
            words += [option, name]
    for name in (field.name for field in fields(TrainSettings) if "help" in field.metadata):
        value, option = settings[name], option_name(name)
        if value != unsaid[name]:
            said = f"{value:.0f}s" if name.endswith("_s") else str(value)
            words += [f"--no-{option[2:]}"] if value is False else [option, said]
    return shlex.join(words)


def card_command(report: Mapping[str, Any]) -> str:
    """Return the command that measures a model again and writes its card."""
    from livemood.bundles.manifest import bundle_name

    words = ["livemood", "evaluate", "BUNDLE", report["data"], "--split", report["split"]]
    words += _source_options({**report, "heads": report.get("heads_table")})
    words += ["--prior", report["prior"]] if report["prior"] != "training" else []
    words += ["--groups", report["groups_table"]] if report.get("groups_table") else []
    words += ["--against", bundle_name(Path(report["against"]["bundle"]))] if report.get("against") else []
    words += ["--smiles", report["smiles"]["file"]] if report.get("smiles") else []
    words += ["--people", report["people"]["file"]] if report.get("people") else []
    words += ["--stress"] if "stress" in report else []
    return shlex.join([*words, "--card"])


def _source_options(record: Mapping[str, Any]) -> list[str]:
    """Return the options that say how labelled pictures are read, from ``DataSource.record``."""
    words = []
    for name in ("votes", "heads", "find_faces", "group_by"):
        if value := record.get(name):
            words += [option_name(name)] if value is True else [option_name(name), value]
    for name, label in record.get("class", {}).items():
        words += ["--class", f"{name}={label}"]
    return words

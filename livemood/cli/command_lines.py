"""Command lines that repeat a recorded job, with file names but without folders."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from livemood.cli.options import option_name

_TRAINING = (
    *("preset", "epochs", "batch", "learning_rate", "ema_decay", "distil_weight", "blends", "precision", "seed"),
    "early_stop",
)


def train_command(record: Mapping[str, Any]) -> str | None:
    """Return the command of a training run.

    Args:
        record: The job as it was recorded when the run began; empty where none was.
    """
    from livemood.training.settings import usual

    if not record:
        return None
    settings, unsaid = record["settings"], asdict(usual(fine_tuning=bool(record["from"])))
    words = ["livemood", "train", record["data"], "--out", "BUNDLE", *_source_options(record)]
    for option, names in (("--from", record["from"]), ("--teacher", record["teachers"])):
        for name in names:
            words += [option, name]
    for name in _TRAINING:
        if settings[name] != unsaid[name]:
            words += [f"--{name.replace('_', '-')}", str(settings[name])]
    if settings["time_budget_s"]:
        words += ["--time-budget", f"{settings['time_budget_s']:.0f}s"]
    words += [] if settings["class_balance"] else ["--no-class-balance"]
    return shlex.join(words)


def card_command(report: Mapping[str, Any]) -> str:
    """Return the command that measures a model again and writes its card."""
    words = ["livemood", "evaluate", "BUNDLE", report["data"], "--split", report["split"]]
    words += _source_options({**report, "heads": report.get("heads_table")})
    words += ["--smiles", "smiles.zip"] if report.get("smiles") else []
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

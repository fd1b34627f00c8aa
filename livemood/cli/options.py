"""Options that several commands share, and what they are turned into."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from livemood.apps.reader import MoodReader
    from livemood.apps.video_job import Reading


class DetectorChoice(StrEnum):
    """Which face networks look at a frame."""

    auto = "auto"
    near = "near"
    far = "far"


class EngineChoice(StrEnum):
    """What runs the emotion model."""

    litert = "litert"
    keras = "keras"


Model = Annotated[Path | None, typer.Option("--model", help="Bundle folder of another emotion model.")]
Detector = Annotated[
    DetectorChoice, typer.Option("--detector", help="auto: both ranges; near: close faces; far: small faces.")
]
Engine = Annotated[
    EngineChoice, typer.Option("--engine", help="litert starts at once; keras runs the .keras file (slow start).")
]
Emotions = Annotated[
    str | None,
    typer.Option("--emotions", metavar="A,B,...", help="Choose between these only, such as happy,sad."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]


def option_name(setting: str) -> str:
    """Return the option by which a setting is given, such as ``--pixel-format``."""
    return f"--{setting.replace('_', '-')}"


def reading(model: Path | None, detector: DetectorChoice, engine: EngineChoice, emotions: str | None) -> "Reading":
    """Return how the options want faces to be read."""
    from livemood.apps.video_job import Reading

    chosen = None if emotions is None else tuple(name.strip() for name in emotions.split(",") if name.strip())
    return Reading(model, detector.value, engine.value, chosen)


@contextmanager
def opened(how: "Reading") -> "Iterator[MoodReader]":
    """Open the models; a wrong choice of emotions is a usage error."""
    from livemood.core.errors import LivemoodError

    try:
        reader = how.open()
    except ValueError as error:
        if isinstance(error, LivemoodError):
            raise
        raise typer.BadParameter(str(error), param_hint="--emotions") from error
    with reader:
        yield reader


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=2))

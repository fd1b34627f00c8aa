"""Options of the commands that read labelled pictures."""

from pathlib import Path
from typing import Annotated

import typer

Votes = Annotated[Path | None, typer.Option("--votes", help="FER+'s fer2013new.csv, for a fer2013.csv.")]
FindFaces = Annotated[
    bool, typer.Option("--find-faces", help="The pictures are whole photos: cut out the largest face.")
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="COLUMN|PATTERN",
        help="Keep pictures of one group in one split: a column of index.csv, or a regular expression whose first "
        r"group in a picture's path names it, such as '(S\d+)_'. Near-copies and sequences are always kept together.",
    ),
]
Class = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="NAME=LABEL", help="Rename a class folder, such as 1=surprise; repeatable."),
]
Heads = Annotated[
    Path | None,
    typer.Option(
        "--heads", metavar="CSV", help="Labels of further heads: a table of file, head, label, as in a heads.csv."
    ),
]


def class_names(pairs: list[str] | None) -> dict[str, str]:
    """Parse the values of ``--class``."""
    found: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, label = pair.partition("=")
        if not (name.strip() and equals and label.strip()):
            raise typer.BadParameter(f"{pair!r} is not NAME=LABEL, such as suprise=surprise", param_hint="--class")
        if found.setdefault(name.strip(), label.strip()) != label.strip():
            raise typer.BadParameter(
                f"{name.strip()} is renamed twice, to {found[name.strip()]} and {label.strip()}; give one",
                param_hint="--class",
            )
    return found

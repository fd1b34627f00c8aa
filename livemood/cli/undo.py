"""``livemood undo``: take back what ``livemood image --sort-into`` did."""

from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.terminal import tell


def undo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that photos were sorted into.")],
) -> None:
    """Undo a sorting: moved photos are moved back, copies and links are removed.

    Nothing is lost: a copy that differs from its original, or whose original is gone, is kept, and so is a photo if
    another file is now at its old path.

    Examples:
      livemood undo sorted/
    """
    from livemood.sinks.undo_sorting import undo as take_back

    done = kept = 0
    for one in take_back(folder):
        if one.kept:
            kept += 1
            tell(one.kept)
        else:
            done += 1
    print(f"{done} undone" + (f", {kept} not changed" if kept else ""))
    if kept:
        raise typer.Exit(1)

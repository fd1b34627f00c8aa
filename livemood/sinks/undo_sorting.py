"""Undo the sorting of photos into folders."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from livemood.core.errors import LivemoodError
from livemood.runtime.atomic_io import claimed_folder, make_room
from livemood.runtime.paths import is_file, real_path
from livemood.sinks.sorted_folder import MANIFEST, Step, move, read_steps, remove_empty, same_content, write_steps


@dataclass(frozen=True, slots=True)
class Undone:
    """The outcome of undoing one step; ``kept`` says why it was not undone, None if it was."""

    step: Step
    kept: str | None = None


def undo(folder: Path) -> Iterator[Undone]:
    """Undo the steps of a sorted folder, last step first; empty folders and an empty log are removed.

    A photo that was moved is moved back, unless its old path is taken by another one. A copy or link is removed, unless
    it or its original was changed, or it is the only one left. Steps that were not undone stay in the log; one of which
    there is nothing to undo, as it was never done, is left out.

    Raises:
        LivemoodError: The folder has no log, or a damaged one.
        SinkError: The log cannot be written, or another run sorts into the folder.
    """
    if not is_file(folder / MANIFEST):
        raise LivemoodError(f"{folder} has no {MANIFEST}", "name a folder that photos were sorted into")
    with claimed_folder(folder, None):
        steps = read_steps(folder)
        undone: set[int] = set()
        try:
            for place in reversed(range(len(steps))):
                done = os.path.lexists(folder / steps[place].target)
                kept = _undo(folder, steps[place])
                if kept is None:
                    undone.add(place)
                if done or kept:
                    yield Undone(steps[place], kept)
        finally:
            left = [step for place, step in enumerate(steps) if place not in undone]
            if not left:
                with suppress(OSError):
                    (folder / MANIFEST).unlink()
                    folder.rmdir()
            elif undone:
                write_steps(folder, left)


def _undo(folder: Path, step: Step) -> str | None:
    """Undo one step; return why it was not undone, None if it was."""
    source, target = Path(step.source), folder / step.target
    try:
        if not os.path.lexists(target):
            if step.how == "move" and not os.path.lexists(source):
                return f"{target} and {source} are not there any more"
        elif step.how == "move" and not os.path.lexists(source):
            make_room(source, None, force=False)
            move(target, source, step.link)
        elif kept := _why_kept(step, source, target):
            return kept
        else:
            target.unlink()
    except LivemoodError as error:  # what it advises is for sorting
        return f"{target} stays: {error.what}"
    except OSError as error:
        return f"{target} stays: {error.filename or target}: {error.strerror or error}"
    remove_empty(target.parent, folder)
    return None


def _why_kept(step: Step, source: Path, target: Path) -> str | None:
    """Return why a sorted photo is not removed; None if all of it is at its old path too."""
    if source.exists() and _is_spare(step, source, target):
        return None
    if step.how == "move":
        return f"{source} is there already; {target} stays where it is"
    if not source.exists():
        return f"{target} stays: {source} is not there any more"
    if step.fits(source) and not step.fits(target):
        return f"{target} was changed, and stays"
    return f"{target} stays: {source} is not the same any more"


def _is_spare(step: Step, source: Path, target: Path) -> bool:
    if real_path(source) == real_path(target):
        return target.is_symlink()  # else the old path leads to the sorted photo
    unchanged = step.how != "move" and step.fits(source) and step.fits(target)
    return unchanged or same_content(source, target)

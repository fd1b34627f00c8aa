"""The state of a run, and its files: checkpoint, history, settings."""

import csv
import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from livemood.core.errors import DatasetError, SinkError
from livemood.datasets.files import stored_arrays
from livemood.runtime.atomic_io import note_written, replacing

Weights = Sequence[npt.NDArray[Any]]
End = Literal["", "interrupted", "early stop", "loss not a number"]

JOB = "job.json"
"""File with the settings of a run."""

_JOB_PARTS = {"data", "votes", "heads", "find_faces", "group_by", "class", "from", "teachers", "settings"}
_CHECKPOINT, _HISTORY = "checkpoint.npz", "history.csv"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of a run's history; losses in nats, times in wall seconds since the run began."""

    epoch: int
    learning_rate: float
    loss: float
    valid_nll: float
    valid_accuracy: float
    elapsed_s: float


@dataclass(slots=True)
class Run:
    """The state of a run besides its arrays. ``ended`` is the reason if it ended early."""

    epoch: int = 0
    elapsed_s: float = 0.0
    best_nll: float = math.inf
    best_epoch: int = 0
    history: list[Epoch] = field(default_factory=list)
    ended: End = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Progress of a run, reported after each step."""

    epoch: int
    fraction: float
    loss: float
    images_per_s: float


def has_checkpoint(work: Path) -> bool:
    """Return whether a run can be resumed."""
    return (work / _CHECKPOINT).exists()


def save_job(work: Path, record: Mapping[str, Any]) -> None:
    """Write the settings of a run; an interrupted write leaves the last ones intact.

    Raises:
        SinkError: The file cannot be written.
    """
    with _replacing(work / JOB, "fix that, then try again") as part:
        part.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    note_written(work)


def restore_job(work: Path) -> dict[str, Any]:
    """Read what ``save_job`` wrote.

    Raises:
        DatasetError: It is damaged.
    """
    file = work / JOB
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        if missing := _JOB_PARTS - set(record):
            raise ValueError(f"it lacks {min(missing)}")
    except (OSError, TypeError, ValueError, RecursionError) as error:
        raise DatasetError(f"{file} is not a record of a run ({error})", "remove {0} to begin again", work) from error
    return dict(record)


def save(work: Path, state: Run, steps: int, groups: Mapping[str, Weights]) -> None:
    """Write the checkpoint and ``history.csv``; an interrupted write leaves the last ones intact.

    Raises:
        SinkError: A file cannot be written.
    """
    arrays: dict[str, Any] = {f"{name}_{place}": a for name, group in groups.items() for place, a in enumerate(group)}
    remedy = "fix that, then continue with {resume}"
    with _replacing(work / _CHECKPOINT, remedy) as part, part.open("wb") as stream:
        np.savez(stream, steps=steps, state=json.dumps(asdict(state)), **arrays)
    with _replacing(work / _HISTORY, remedy) as part, part.open("w", newline="", encoding="utf-8") as lines:
        rows = csv.DictWriter(lines, [column.name for column in fields(Epoch)])
        rows.writeheader()
        rows.writerows(asdict(line) for line in state.history)


@contextmanager
def _replacing(file: Path, remedy: str) -> Iterator[Path]:
    """Yield a temporary name, as ``replacing`` does; an OSError becomes a ``SinkError`` with a remedy."""
    try:
        with replacing(file) as part:
            yield part
    except OSError as error:
        raise SinkError(f"{file} could not be written ({error.strerror or error})", remedy) from error


def restore(work: Path, counts: Mapping[str, int]) -> tuple[Run, int, dict[str, Weights]] | None:
    """Read what ``save`` wrote; None where there is nothing.

    Args:
        work: Folder of the run.
        counts: How many arrays each group has.

    Raises:
        DatasetError: The checkpoint is damaged or of another network.
    """
    file = work / _CHECKPOINT
    if not file.exists():
        return None
    try:
        with stored_arrays(file) as data:
            saved = json.loads(str(data["state"]))
            state = Run(**{**saved, "history": [Epoch(**line) for line in saved["history"]], "ended": ""})
            groups: dict[str, Weights] = {
                name: [data[f"{name}_{place}"] for place in range(count)] for name, count in counts.items()
            }
            return state, int(data["steps"]), groups
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{file} is not a checkpoint of this run ({error})", "remove it to begin again") from error

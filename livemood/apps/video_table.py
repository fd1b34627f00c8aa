"""A table over many videos: the outcome and the figures of each."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from livemood.apps.tally import Summary
from livemood.apps.video_batch import Outcome
from livemood.core.errors import LivemoodError
from livemood.core.labels import UNSURE
from livemood.core.text_tables import NOT_UTF8, table_line
from livemood.records import read
from livemood.runtime.atomic_io import atomic_write

SETTING: Final = "summary"
_COLUMNS: Final = ("folder", "video", "state", "error", "copy", "records", "report")
_COUNTS: Final = ("frames", "faces", "people", "end_s", "elapsed_s")


@dataclass(frozen=True, slots=True)
class Listed:
    """A video of the table.

    Attributes:
        folder: Its folder relative to the given one, such as ``P01``; empty if the video itself was given.
        outcome: How it ended.
    """

    folder: str
    outcome: Outcome


def is_video_table(path: Path) -> bool:
    """Return whether a file begins as a table of videos does, and not as one of another program."""
    with suppress(OSError), path.open("rb") as file:
        head = ",".join([*_COLUMNS, *_COUNTS]).encode()
        return file.read(len(head)) == head
    return False


def write_video_table(
    path: Path,
    videos: Sequence[Listed],
    labels: Sequence[str],
    *,
    phrase: Callable[[LivemoodError], str] = str,
    force: bool = False,
) -> None:
    """Write a CSV with a row for each video.

    The figures of a video that an earlier run processed are counted from its records, if there are any.

    Args:
        path: The file.
        videos: In order.
        labels: Emotions of the model, in order.
        phrase: Returns the text of an error.
        force: Replace a file that is there.

    Raises:
        SinkError: It is there already or cannot be written.
    """
    shown = (*labels, UNSURE)
    with (
        atomic_write(path, SETTING, force) as part,
        part.open("w", encoding="utf-8", errors=NOT_UTF8, newline="") as file,
    ):
        file.write(table_line([*_COLUMNS, *_COUNTS, *(f"share_{label}" for label in shown)]))
        for one in videos:
            file.write(table_line([*_outcome_cells(one, phrase), *_figure_cells(one.outcome, shown)]))


def _outcome_cells(one: Listed, phrase: Callable[[LivemoodError], str]) -> list[str]:
    outcome = one.outcome
    job = outcome.job
    state = "failed" if outcome.error else "read" if outcome.summary else "there already"
    files = [str(file) if file in outcome.files else "" for file in (job.out, job.file("records"), job.report)]
    return [one.folder, str(job.source), state, phrase(outcome.error) if outcome.error else "", *files]


def _figure_cells(outcome: Outcome, labels: Sequence[str]) -> list[Any]:
    if outcome.summary:
        return _figures(outcome.summary, labels)
    records = outcome.job.file("records")
    if outcome.error is None and records and records.exists():
        with suppress(LivemoodError):
            return _figures_of_records(records, labels)
    return [""] * (len(_COUNTS) + len(labels))


def _figures(summary: Summary, labels: Sequence[str]) -> list[Any]:
    counts = [summary.frames, summary.faces, summary.tracks, round(summary.duration_s, 6), summary.elapsed_s]
    return [*counts, *_shares(summary.shares, summary.faces, labels)]


def _figures_of_records(records: Path, labels: Sequence[str]) -> list[Any]:
    people: set[int] = set()
    counts: Counter[str] = Counter()
    for record in read(records):
        if record.track is not None:
            people.add(record.track)
            counts[str(record.label)] += 1
    faces = counts.total()
    shares = {label: round(count / faces, 4) for label, count in counts.items()}
    # Frames without a face have no rows, so the number of frames and the time of the last one are not known.
    return ["", faces, len(people), "", "", *_shares(shares, faces, labels)]


def _shares(shares: Mapping[str, float], faces: int, labels: Sequence[str]) -> list[Any]:
    return [shares.get(label, 0.0) if faces else "" for label in labels]

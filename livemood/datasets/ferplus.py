"""FER+ in the layout that its generator writes: folders of pictures, each with a ``label.csv`` of votes.

Faces by Goodfellow et al., "Challenges in representation learning", 2013; votes by Barsoum et al., "Training deep
networks for facial expression recognition with crowd-sourced label distribution", 2016.
"""

from collections.abc import Sequence

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.datasets.files import Files, decode
from livemood.datasets.samples import FER2013_HEAD, FER2013_LABELS, Collection, Sample, SplitName

_FOLDERS: dict[str, SplitName] = {"FER2013Train": "train", "FER2013Valid": "valid", "FER2013Test": "test"}
_COLUMNS = 12  # name, box, eight emotions, unknown, not-a-face
_MAX_VOTES = 1_000_000
_VOTES = 10


def tables(files: Files) -> list[str]:
    """Return the FER+ label tables among the files; a ``label.csv`` with other columns does not count."""
    named = [name for name in files.names if name.rpartition("/")[2] == "label.csv"]
    return [name for name in named if _folder(name) in _FOLDERS or len(next(files.rows(name), [])) == _COLUMNS]


def _folder(table: str) -> str:
    return table.rpartition("/")[0].rpartition("/")[2]


def from_folders(files: Files) -> Collection:
    """Read the layout of the FER+ project's generator, and ``fer2013_labels.csv`` if it is beside it.

    Raises:
        DatasetError: A table has other columns, is in a folder of another name, or names missing pictures.
    """
    own: dict[str, str] = {}
    for name in files.names:
        if name.endswith("fer2013_labels.csv"):
            own = {row[0]: row[2] for row in files.rows(name) if len(row) > 2}
    samples = []
    for table in tables(files):
        folder = table.rpartition("/")[0]
        split = _FOLDERS.get(_folder(table))
        if split is None:
            raise DatasetError(f"{table} lies in none of {', '.join(_FOLDERS)}", "keep the FER+ folder names")
        for number, row in enumerate(files.rows(table), 1):
            if not row:
                continue
            votes = read_votes(row[2:_COLUMNS])
            if votes is None:
                raise DatasetError(
                    f"{table} line {number}: expected name, box and ten vote counts, got {','.join(row)[:80]!r}"
                )
            label = own.get(row[0], "")
            others = {FER2013_HEAD: label} if label in FER2013_LABELS else {}
            samples.append(Sample(f"{folder}/{row[0]}" if folder else row[0], split, votes, others=others))
    here = set(files.names)
    missing = sum(sample.file not in here for sample in samples)
    if missing * 2 > len(samples):
        raise DatasetError(
            f"{files.path}: votes do not match the pictures, {missing} of {len(samples)} that label.csv names are "
            "not there",
            "give votes and pictures of the same set",
        )
    return Collection(
        {EMOTION: EMOTIONS, FER2013_HEAD: FER2013_LABELS},
        tuple(samples),
        lambda sample: decode(files.read(sample.file)),
    )


def read_votes(cells: Sequence[str], none_too: bool = False) -> tuple[int, ...] | None:
    """Return ten vote counts; None if a cell is invalid, or all are 0 and ``none_too`` is false."""
    try:
        votes = tuple(int(cell) for cell in cells)
    except ValueError:
        return None
    good = len(votes) == _VOTES and min(votes) >= 0 and max(votes) <= _MAX_VOTES
    return votes if good and (any(votes) or none_too) else None

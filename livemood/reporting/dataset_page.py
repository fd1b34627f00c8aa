"""One page about a data set of many photos and videos: counts by label and size, and what failed."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from livemood.core.errors import LivemoodError
from livemood.records.inputs import PART, open_part
from livemood.records.parquet import PARQUET
from livemood.reporting.document import asset, document
from livemood.reporting.page import PAGES
from livemood.reporting.tables import Table
from livemood.runtime.atomic_io import atomic_write, refuse_other_suffix, refuse_to_overwrite
from livemood.runtime.optional_deps import required
from livemood.runtime.storage import Store

_SETTING: Final = "out"
_COLUMNS: Final = ("path", "frame", "faces", "error", "track", "label", "confidence")
_STRONGEST: Final = 10
_FAILED: Final = 50
_LONGEST: Final = 100
_CROWD: Final = 5


@dataclass(slots=True)
class _Counts:
    """Sums over all rows, accumulated part by part in constant memory."""

    inputs: int = 0
    faces: int = 0
    faceless: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    inputs_with: Counter[str] = field(default_factory=Counter)
    crowds: Counter[str] = field(default_factory=Counter)
    confidence: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    strongest: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    failed: list[tuple[str, str]] = field(default_factory=list)
    failures: int = 0
    videos: list[tuple[str, int, Counter[str]]] = field(default_factory=list)


@dataclass(slots=True)
class _Input:
    """Sums over the rows of one input."""

    labels: Counter[str] = field(default_factory=Counter)
    best: dict[str, float] = field(default_factory=dict)
    frames: set[int] = field(default_factory=set)
    most: int = 0
    error: str | None = None


def write_dataset_report(dataset: str, out: Path, *, force: bool = False) -> None:
    """Write a page about a data set that ``livemood batch`` made.

    Args:
        dataset: Its folder or URL.
        out: The page to write.
        force: Replace a page that is there.

    Raises:
        LivemoodError: The folder is not a data set or cannot be read, or pyarrow is not installed.
        SinkError: The page has another suffix, is there already or cannot be written.
    """
    refuse_other_suffix(out, _SETTING, *PAGES)
    refuse_to_overwrite(out, _SETTING, force)
    store = Store(dataset, _SETTING)
    counts = _counted(store)
    name = store.root.rpartition("/")[2] if store.is_remote else Path(dataset).resolve().name
    page = document(
        f"Moods in {name}",
        f"{counts.inputs:,} photos and videos, {counts.faces:,} faces; {counts.faceless:,} without a face, "
        f"{counts.failures:,} could not be read",
        "\n".join([asset("meaning.html"), *(f"<h2>{table.title}</h2>\n{table.html()}" for table in _tables(counts))]),
        "<p>Every row of the data set was counted once. In a video, a face counts once in every frame. An input counts "
        "as showing an emotion if at least one face has that label in at least one frame.</p>",
    )
    with atomic_write(out, _SETTING, force) as part:
        part.write_text(page, encoding="utf-8", newline="\n")


def _counted(store: Store) -> _Counts:
    parquet = required("pyarrow.parquet", PARQUET)
    counts = _Counts()
    for name in store.names():
        if not fnmatchcase(name, PART.format("*")):
            continue
        inputs: dict[str, _Input] = defaultdict(_Input)
        with open_part(store, name) as file, parquet.ParquetFile(file) as part:
            if not set(_COLUMNS).issubset(part.schema_arrow.names):
                raise LivemoodError(f"{store.root}/{name} is not part of a livemood data set")
            for batch in part.iter_batches(columns=_COLUMNS):
                for row in batch.to_pylist():
                    _count(inputs[row["path"]], row, counts)
        for path, one in inputs.items():
            _close(path, one, counts)
    if not counts.inputs:
        raise LivemoodError(f"{store.root} contains no data set of livemood batch")
    return counts


def _count(one: _Input, row: dict[str, Any], counts: _Counts) -> None:
    one.error = one.error or row["error"]
    one.most = max(one.most, row["faces"] or 0)
    if row["track"] is None:
        return
    label, confidence = str(row["label"]), float(row["confidence"])
    one.labels[label] += 1
    one.frames.add(row["frame"])
    one.best[label] = max(one.best.get(label, 0.0), confidence)
    counts.confidence[label] += confidence


def _close(path: str, one: _Input, counts: _Counts) -> None:
    """Add the sums of an input whose rows have all been seen."""
    counts.inputs += 1
    counts.faces += one.labels.total()
    counts.faceless += not one.labels and one.error is None
    counts.labels += one.labels
    counts.inputs_with.update(one.labels.keys())
    counts.crowds[str(one.most) if one.most < _CROWD else f"{_CROWD} and more"] += one.error is None
    for label, confidence in one.best.items():
        counts.strongest[label] = sorted([*counts.strongest[label], (-confidence, path)])[:_STRONGEST]
    if one.error:
        counts.failures += 1
        if len(counts.failed) < _FAILED:
            counts.failed.append((path, one.error))
    if len(one.frames) > 1:
        counts.videos.append((path, len(one.frames), one.labels))
        if len(counts.videos) > 2 * _LONGEST:
            counts.videos = sorted(counts.videos, key=lambda video: -video[1])[:_LONGEST]


def _tables(counts: _Counts) -> list[Table]:
    found = [
        Table(
            "Emotions",
            ("label", "faces", "share of faces", "photos and videos with it", "mean confidence"),
            tuple(
                (
                    label,
                    f"{count:,}",
                    f"{count / counts.faces:.1%}",
                    f"{counts.inputs_with[label]:,}",
                    f"{counts.confidence[label] / count:.0%}",
                )
                for label, count in counts.labels.most_common()
            ),
        ),
        Table(
            "Faces at a time",
            ("most faces at once", "photos and videos"),
            tuple((number, f"{count:,}") for number, count in sorted(counts.crowds.items()) if count),
        ),
        Table(
            "Strongest",
            ("label", "confidence", "photo or video"),
            tuple(
                (label, f"{-confidence:.0%}", path)
                for label in counts.labels
                for confidence, path in counts.strongest[label]
            ),
            texts=(0, 2),
        ),
    ]
    if counts.videos:
        longest = sorted(counts.videos, key=lambda video: (-video[1], video[0]))[:_LONGEST]
        rows = tuple((path, f"{frames:,}", f"{labels.total():,}", _shares(labels)) for path, frames, labels in longest)
        found.append(Table("Videos", ("video", "frames with a face", "faces", "labels"), rows, texts=(0, 3)))
    if counts.failed:
        note = f"The first {_FAILED} of {counts.failures:,}." if counts.failures > _FAILED else ""
        found.append(Table("Not read", ("photo or video", "why"), tuple(counts.failed), note, texts=(0, 1)))
    return found


def _shares(labels: Counter[str]) -> str:
    return ", ".join(f"{label} {count / labels.total():.0%}" for label, count in labels.most_common(3))

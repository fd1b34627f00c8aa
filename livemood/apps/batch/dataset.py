"""A data set of Parquet files ("parts"). The footer of each lists its inputs, so that rows and list stay consistent."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from livemood.apps.batch.inputs import InputFile
from livemood.core.errors import LivemoodError, SourceError
from livemood.core.labels import EMOTION
from livemood.core.text_tables import NOT_UTF8
from livemood.records.inputs import PART, Heads, open_part
from livemood.records.parquet import PARQUET
from livemood.records.schema import heads_of_columns
from livemood.runtime.optional_deps import required
from livemood.runtime.storage import MANIFEST_FOLDER, Store

FOOTER: Final = "livemood.batch"
"""Key of a part's list of inputs in the metadata of its file."""

_NAME_LENGTH: Final = 24
_READERS: Final = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """How a part was made.

    Attributes:
        version: Of livemood.
        model: Name of the bundle.
        sha256: Of its weights.
        settings: All other settings that change the rows, as text.
    """

    version: str
    model: str
    sha256: str
    settings: str

    @property
    def key(self) -> str:
        """Hash of everything that changes the rows of an input; livemood's version is not part of it."""
        return hashlib.sha256(f"{self.sha256} {self.settings}".encode()).hexdigest()[:_NAME_LENGTH]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the data set.

    Attributes:
        name: Of the file.
        reading: How it was made.
        inputs: Its photos and videos.
        heads: Labels by head, as its columns have them.
        failed: Paths of those that could not be read.
        faces: Rows with a face.
        frames: Photos that could be read, or frames of a video.
        cpu_s: CPU time of reading it, s.
    """

    name: str
    reading: Reading
    inputs: tuple[InputFile, ...]
    heads: Heads
    failed: frozenset[str] = frozenset()
    faces: int = 0
    frames: int = 0
    cpu_s: float = 0.0

    def footer(self) -> str:
        """Return the entry for the file's metadata."""
        inputs = [[one.path, one.size, one.stamp] for one in self.inputs]
        counts = {"faces": self.faces, "frames": self.frames, "seconds": round(self.cpu_s, 3)}
        return json.dumps({**asdict(self.reading), **counts, "inputs": inputs, "failed": sorted(self.failed)})


def part_name(inputs: Sequence[InputFile], reading: Reading) -> str:
    """Return the file name of a part, a hash of its inputs and of how they are read."""
    text = "\n".join(f"{one.path}\0{one.size}\0{one.stamp}" for one in inputs)
    digest = hashlib.sha256(f"{reading.key}\n{text}".encode(errors=NOT_UTF8)).hexdigest()
    return PART.format(digest[:_NAME_LENGTH])


def read_part(store: Store, name: str) -> Part:
    """Read the footer of one file.

    Raises:
        LivemoodError: It is damaged, or not part of a livemood data set.
    """
    with open_part(store, name) as file:
        metadata = required("pyarrow.parquet", PARQUET).read_metadata(file)
    try:
        data = json.loads((metadata.metadata or {})[FOOTER.encode()])
        inputs = tuple(InputFile(str(path), int(size), str(stamp)) for path, size, stamp in data["inputs"])
        reading = Reading(*(str(data[key]) for key in ("version", "model", "sha256", "settings")))
        counts = int(data["faces"]), int(data["frames"]), float(data["seconds"])
        emotions, others = heads_of_columns(metadata.schema.names)
        return Part(name, reading, inputs, {EMOTION: emotions, **others}, frozenset(map(str, data["failed"])), *counts)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LivemoodError(f"{store.root}/{name} is not part of a livemood data set", "use another {out}") from error


def read_parts(store: Store) -> Iterator[Part]:
    """Read the footers of all parts, several at a time, without those that another run removes meanwhile."""
    names = [name for name in store.names() if fnmatchcase(name, PART.format("*"))]
    with ThreadPoolExecutor(_READERS if store.is_remote else 1) as pool:
        yield from filter(None, pool.map(lambda name: _read_if_there(store, name), names))


def _read_if_there(store: Store, name: str) -> Part | None:
    try:
        return read_part(store, name)
    except SourceError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def remove_inputs(store: Store, name: str, paths: Collection[str]) -> None:
    """Remove the rows of some inputs from a part, in one step; a part without inputs left is deleted.

    Another run, of other inputs of the part, may do the same: each waits for the other, and reads what is left.
    """
    with store.changing():
        part = _read_if_there(store, name)
        if part is not None:
            _remove(store, part, paths)


def _remove(store: Store, part: Part, paths: Collection[str]) -> None:
    kept = tuple(one for one in part.inputs if one.path not in paths)
    if not kept:
        store.remove(part.name)
        return
    arrow, parquet = required("pyarrow", PARQUET), required("pyarrow.parquet", PARQUET)
    compute = required("pyarrow.compute", PARQUET)
    with open_part(store, part.name) as file:
        table = parquet.read_table(file)
    # A part of several inputs holds photos only, with one frame each, in this order. Names say less: some are escaped.
    counts = table.column("faces").to_pylist()
    stays: list[bool] = []
    for one in part.inputs:
        stays += [one.path not in paths] * max(counts[len(stays)], 1)
    table = table.filter(arrow.array(stays))
    faces = int(compute.count(table.column("track")).as_py())
    photos = part.frames - sum(one.path in paths and one.path not in part.failed for one in part.inputs)
    remaining = replace(part, inputs=kept, failed=part.failed - frozenset(paths), faces=faces, frames=photos)
    metadata = {**(table.schema.metadata or {}), FOOTER.encode(): remaining.footer().encode()}
    table = table.replace_schema_metadata(metadata)
    with store.replacing(part.name) as scratch, scratch.open("wb") as sink:  # pyarrow takes no names that are not UTF-8
        parquet.write_table(table, sink, compression="zstd")


@dataclass(slots=True)
class Contents:
    """Totals of a data set, over its parts.

    Attributes:
        parts: Number of files.
        inputs: Number of photos and videos.
        failed: Number of those that could not be read.
        faces: Rows with a face.
        frames: Photos and frames.
        cpu_s: CPU time of reading it, s.
        readings: Number of inputs by how they were read.
    """

    parts: int = 0
    inputs: int = 0
    failed: int = 0
    faces: int = 0
    frames: int = 0
    cpu_s: float = 0.0
    readings: Counter[Reading] = field(default_factory=Counter)

    def add(self, part: Part) -> None:
        """Count one part."""
        self.parts += 1
        self.inputs += len(part.inputs)
        self.failed += len(part.failed)
        self.faces += part.faces
        self.frames += part.frames
        self.cpu_s += part.cpu_s
        self.readings[part.reading] += len(part.inputs)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        counts = {name: getattr(self, name) for name in ("parts", "inputs", "failed", "faces", "frames")}
        made = [{**asdict(reading), "inputs": count} for reading, count in self.readings.most_common()]
        return {**counts, "cpu_seconds": round(self.cpu_s, 1), "made_by": made}


def contents(parts: Iterable[Part]) -> Contents:
    """Return the totals of parts."""
    found = Contents()
    for part in parts:
        found.add(part)
    return found


def write_run_info(store: Store, name: str, data: dict[str, Any]) -> None:
    """Write a file of the data set's manifest.

    Raises:
        SinkError: It cannot be written.
    """
    with store.replacing(f"{MANIFEST_FOLDER}/{name}.json") as scratch:
        scratch.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def read_run_infos(store: Store) -> dict[str, dict[str, Any]]:
    """Return the files of the data set's manifest, by name, without those of other programs."""
    found: dict[str, dict[str, Any]] = {}
    for name in store.names(MANIFEST_FOLDER):
        if name.endswith(".json"):
            with store.open(f"{MANIFEST_FOLDER}/{name}") as file, suppress(ValueError, RecursionError):
                data = json.loads(file.read())
                if isinstance(data, dict) and "livemood" in data:
                    found[name.removesuffix(".json")] = data
    return found

"""Records of a collection: rows of one photo after another; an interrupted file can be resumed."""

import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from livemood.core.errors import LivemoodError, SinkError
from livemood.core.labels import EMOTION
from livemood.core.text_tables import NOT_UTF8, json_line, table_line, utf8
from livemood.records import PARQUET, VERSION, Origin, read_origin
from livemood.records.files import SUFFIXES
from livemood.records.inputs import Group, Heads, columns, kind, read_groups, to_json, to_rows, whole_until
from livemood.records.origin import METADATA, is_sidecar, sidecar
from livemood.records.parquet import arrow_schema, arrow_table
from livemood.records.reading import header_of
from livemood.runtime.atomic_io import (
    atomic_write,
    claimed,
    hidden_beside,
    note_written,
    refuse_device,
    refuse_other_suffix,
    refuse_to_overwrite,
    unwritable,
)
from livemood.runtime.closeable import Closeable
from livemood.runtime.optional_deps import required
from livemood.runtime.paths import bytes_of, is_folder, is_there
from livemood.sinks.records import write_origin

_SETTING: Final = "records"
_ROW_GROUP: Final = 8192
_REMEDY: Final = f"use {{resume}} to continue it, {{force}} or another {{{_SETTING}}}"


class CollectionRecords(Closeable):
    """Writes the rows of one photo after another to a CSV, JSONL or Parquet file; a context manager.

    The rows of each photo are flushed at once, so that they survive a killed process. A Parquet file is readable only
    when it is complete: until then, its rows are in a hidden JSONL file beside it, which is converted on ``close``, and
    with which a run can be resumed after a killed process. The file of rows is locked against other runs until then.

    Args:
        path: Ends in .jsonl, .csv or .parquet.
        heads: Labels by head of the model.
        force: Replace a file that is there, or rows that a killed process left.
        resume: Append to a file that is there.
        origin: Model and settings of this run; a file that is appended to keeps the origin it has.
        photos: Paths of the photos of this run: a Parquet file, which holds UTF-8 only, may have some of them escaped.

    Attributes:
        done: Paths whose photos the file held when it was opened, in their order.

    Raises:
        SinkError: The file or its rows are there already, another run writes it, or it cannot be written.
        LivemoodError: It is not such a file, or of a model with other emotions or heads, or has other columns.
    """

    def __init__(
        self,
        path: Path,
        heads: Heads,
        *,
        force: bool = False,
        resume: bool = False,
        origin: Origin | None = None,
        photos: Iterable[str] = (),
    ) -> None:
        refuse_other_suffix(path, _SETTING, *SUFFIXES)
        self.path, self._heads = path, heads
        self.done: dict[str, None] = {}
        self._empty = True
        self._packed = path.suffix.lower() == ".parquet"
        if self._packed:
            required("pyarrow.parquet", PARQUET)
        self._rows_file = journal_of(path) if self._packed else path
        if is_folder(path):
            raise SinkError(f"{path} is a folder", f"give {{{_SETTING}}} a file")
        refuse_device(path, _SETTING)
        if is_there(path) and not force and not resume:
            raise SinkError(f"{path} is there already", _REMEDY)
        self._origin, self._beside = origin, sidecar(path) if path.suffix.lower() == ".csv" else None
        if origin and self._beside:
            refuse_to_overwrite(self._beside, _SETTING, force or is_sidecar(self._beside))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as locks, ExitStack() as on_failure:
                self._claim(locks, on_failure, force, resume, photos)
                self._file: BinaryIO | None = self._opened()
                on_failure.pop_all()
                self._locks = locks.pop_all()
        except LivemoodError:
            raise
        except OSError as error:
            raise unwritable(path, _SETTING, error) from error

    def _claim(self, locks: ExitStack, on_failure: ExitStack, force: bool, resume: bool, photos: Iterable[str]) -> None:
        """Lock the file of rows; remove it, or make it of a Parquet file, if need be."""
        rows = self._rows_file
        locks.enter_context(claimed(rows, self.path, _SETTING))
        empty = not bytes_of(rows)
        if resume and not empty:
            return
        if not empty and not force and holds_photos(rows):
            raise SinkError(f"{self.path} was not completed, {rows} contains its rows", _REMEDY)
        on_failure.callback(self._discard)
        if resume and self._packed and self.path.exists():
            _unpack(self.path, rows, photos)
        elif empty:
            return
        else:
            rows.unlink()
        locks.enter_context(claimed(rows, self.path, _SETTING))  # another file under the same name

    def _opened(self) -> BinaryIO:
        rows = self._rows_file
        if rows.suffix.lower() == ".csv" and rows.exists():
            self._cut_half_header(rows)
        if bytes_of(rows):
            heads, end = whole_until(rows)
            self._refuse_others(heads)
            os.truncate(rows, end)
            self.done = dict.fromkeys(entry.path for entry, _ in read_groups(rows))
            self._empty = not self.done
        if bytes_of(rows):
            self._compare(read_origin(rows))
        else:
            self._begin()
        return rows.open("ab")

    def _refuse_others(self, heads: Heads) -> None:
        """Raise if the file is of another model, or new rows would not fit its columns, or lose some of them."""
        if heads and heads != self._heads:
            same = tuple(heads.get(EMOTION, ())) == tuple(self._heads[EMOTION])
            what, found = ("model outputs", heads) if same else ("emotions", heads.get(EMOTION, ()))
            raise LivemoodError(
                f"{self.path} contains other {what} ({', '.join(found)})", f"use another {{{_SETTING}}}"
            )
        if self.path.suffix.lower() == ".jsonl" or not self.path.exists():
            return
        theirs, ours = tuple(header_of(self.path)), columns(self._heads)
        if set(theirs) <= set(ours) if self._packed else theirs == ours:
            return
        others = ", ".join(sorted(set(theirs) ^ set(ours))) or "in another order"
        raise LivemoodError(f"{self.path} has other columns than new rows ({others})", f"use another {{{_SETTING}}}")

    def _begin(self) -> None:
        """Write what comes before the rows."""
        if self._origin and self._beside:  # first, so that there are no rows without it
            write_origin(self._beside, self._origin)
        if self._rows_file.suffix.lower() == ".csv":
            begun = _csv_lines([columns(self._heads)])
        else:
            begun = self._origin.line().encode(errors=NOT_UTF8) if self._origin else b""
        with self._rows_file.open("ab") as file:
            file.write(begun)

    def _compare(self, earlier: Origin | None) -> None:
        """Warn if the file was started with another model or other settings."""
        now = self._origin
        if now and earlier and (earlier.sha256, earlier.options) != (now.sha256, now.options):
            warnings.warn(
                f"{self.path} was started with another model or other settings, which its origin still states",
                stacklevel=2,
            )

    def _cut_half_header(self, rows: Path) -> None:
        header = _csv_lines([columns(self._heads)])
        with rows.open("rb") as file:
            begun = file.read(len(header))
        if begun != header and header.startswith(begun):
            os.truncate(rows, 0)

    def _discard(self) -> None:
        """Remove what was begun."""
        self._rows_file.unlink(missing_ok=True)
        if self._beside and is_sidecar(self._beside):
            self._beside.unlink()

    def write(self, group: Group) -> None:
        """Write the rows of one photo.

        Raises:
            SinkError: The disk is full or gone.
        """
        if self._file is None:
            raise ValueError(f"{self.path} is closed")
        if self._rows_file.suffix.lower() == ".csv":
            data = _csv_lines(to_rows(group, self._heads))
        else:
            data = "".join(map(json_line, to_json(group))).encode(errors=NOT_UTF8)
        try:
            self._file.write(data)
            self._file.flush()
            self._empty = False
            note_written(self._rows_file)
        except OSError as error:
            raise unwritable(self.path, _SETTING, error) from error

    def groups(self) -> Iterator[Group]:
        """Yield every photo that the file holds, with its faces."""
        return read_groups(self._rows_file if self._file else self.path)

    def __exit__(self, *raised: object) -> None:
        """Finish the file; after an error or an interrupt, a file without any photo is removed."""
        if raised[0] and self._empty and self._file:
            with self._locks:
                with suppress(OSError):  # of a full disk, which was reported before
                    self._file.close()
                self._file = None
                self._discard()
        else:
            self.close()

    def close(self) -> None:
        """Finish the file; a second call does nothing.

        Raises:
            SinkError: The disk is full or gone; a Parquet file's rows then stay where they are, for ``resume``.
        """
        file, self._file = self._file, None
        if file is None:
            return
        with self._locks:
            try:
                file.close()
            except OSError as error:
                raise unwritable(self.path, _SETTING, error) from error
            if self._packed:
                self._pack()

    def _pack(self) -> None:
        """Make the Parquet file of its rows, and remove these."""
        with atomic_write(self.path, _SETTING, force=True) as part:
            origin = read_origin(self._rows_file)
            more = {METADATA: json.dumps(origin.to_json())} if origin else {}
            write_parquet(part, read_groups(self._rows_file), self._heads, lambda: more)
        with suppress(OSError):
            self._rows_file.unlink()


def journal_of(path: Path) -> Path:
    """Return the path of the JSONL file that holds the rows of a Parquet file until it is closed."""
    return hidden_beside(path, "rows.jsonl")


def files_of(path: Path) -> list[Path]:
    """Return the paths of all files that are written for records."""
    beside = {".csv": sidecar, ".parquet": journal_of}.get(path.suffix.lower())
    return [path, beside(path)] if beside else [path]


def holds_photos(path: Path) -> bool:
    """Return whether there are records under ``path``, complete or not, that hold a photo."""
    for file in (path, journal_of(path)):
        with suppress(OSError, LivemoodError):
            if any(True for _ in read_groups(file)):
                return True
    return False


def write_parquet(
    target: Path, groups: Iterator[Group], heads: Heads, metadata: Callable[[], dict[str, str]] | None = None
) -> None:
    """Write photos, or frames of a video, as one Parquet file, in flat memory.

    Args:
        target: The file to make.
        groups: What to write.
        heads: Labels by head of the model.
        metadata: Returns further entries for the file's metadata; called when all groups are written.
    """
    parquet = required("pyarrow.parquet", PARQUET)
    schema = arrow_schema(((name, kind(name)) for name in columns(heads)), {"livemood.records": str(VERSION)})
    rows: list[tuple[Any, ...]] = []

    dictionary = ["path", "error", "label"]
    with (
        target.open("wb") as sink,  # pyarrow takes no names that are not UTF-8
        parquet.ParquetWriter(sink, schema, compression="zstd", use_dictionary=dictionary) as file,
    ):

        def flush() -> None:
            file.write_table(arrow_table(rows, schema))
            rows.clear()

        for entry, faces in groups:
            encoded = replace(entry, path=utf8(entry.path), error=entry.error and utf8(entry.error))
            rows += to_rows((encoded, faces), heads)
            if len(rows) >= _ROW_GROUP:
                flush()
        if rows:
            flush()
        if metadata:
            file.add_key_value_metadata(metadata())


def _unpack(path: Path, rows: Path, photos: Iterable[str]) -> None:
    """Write the rows of a Parquet file as JSONL; photos whose names it holds escaped get those back."""
    origin = read_origin(path)
    names = {utf8(photo): photo for photo in photos}
    with atomic_write(rows, _SETTING, force=True) as part, part.open("wb") as file:
        file.write(origin.line().encode() if origin else b"")
        for entry, faces in read_groups(path):
            for row in to_json((replace(entry, path=names.get(entry.path, entry.path)), faces)):
                file.write(json_line(row).encode(errors=NOT_UTF8))


def _csv_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    return "".join(map(table_line, rows)).encode(errors=NOT_UTF8)

"""Records: every face of every frame as a row of a JSONL, CSV or Parquet file, whose schema is docs/records.md."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final

from livemood.core.labels import EMOTION
from livemood.core.text_tables import json_line, table_line
from livemood.core.types import Frame, Image, Mood
from livemood.records.origin import METADATA, Origin, is_sidecar, sidecar
from livemood.records.parquet import PARQUET, arrow_schema, arrow_table
from livemood.records.schema import REASON, VERSION, Cell, Heads, Record, columns, kind, to_json, to_row
from livemood.runtime.atomic_io import atomic_write, refuse_other_suffix, unwritable
from livemood.runtime.optional_deps import required
from livemood.sinks.base import Sink, SinkContext
from livemood.sinks.file_sink import FileSink, live_file
from livemood.sinks.open import STDOUT
from livemood.sinks.record_stream import RecordStream
from livemood.sinks.rows import event_row, face_rows

_SETTING: Final = "records"
# Rows per row group: few enough for constant memory, enough to compress well.
_ROW_GROUP: Final = 2048

_Add = Callable[[Sequence[Record]], None]
_Heads = tuple[tuple[str, ...], Heads]


class RecordSink(FileSink):
    """Writes the moods of each frame as rows; made by ``open_records``."""

    takes_events = True

    def __init__(
        self,
        path: Path,
        labels: Sequence[str],
        others: Heads,
        faceless_rows: bool,
        live: bool,
        force: bool,
        origin: Origin | None,
        setting: str,
    ) -> None:
        super().__init__(path, live)
        self._setting = setting
        refuse_other_suffix(path, setting, *_WRITERS)
        writer = _WRITERS[path.suffix.lower()]
        self._faceless_rows = faceless_rows
        live = live and writer is not _parquet
        opened = live_file if live else atomic_write
        with ExitStack() as stack:
            if writer is _csv:  # entered first, so that it appears or goes last
                beside = sidecar(path)
                if origin:
                    write_origin(stack.enter_context(opened(beside, setting, force or is_sidecar(beside))), origin)
                elif is_sidecar(beside):
                    stack.enter_context(_removed(beside))
            target = stack.enter_context(opened(path, setting, force))
            self._add = stack.enter_context(writer(target, (tuple(labels), others), live, origin))
            self._open = stack.pop_all()

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Write one row for each face of the frame.

        Raises:
            SinkError: The disk is full or gone.
        """
        self._keep(face_rows(frame, moods, self._faceless_rows))

    def mark(self, frame: Frame, event: int, name: str = "") -> None:
        """Write a row for an event that was marked at a frame.

        Raises:
            SinkError: The disk is full or gone.
        """
        self._keep([event_row(frame, event, name)])

    def copy(self, records: Sequence[Record]) -> None:
        """Write rows as they are.

        Raises:
            SinkError: The disk is full or gone.
        """
        self._keep(records)

    def _keep(self, records: Sequence[Record]) -> None:
        self._begin_frame()
        try:
            self._add(records)
        except OSError as error:
            raise unwritable(self.path, self._setting, error) from error


def open_records(
    path: str | Path,
    labels: Sequence[str],
    faceless_rows: bool = False,
    *,
    others: Heads | None = None,
    live: bool = False,
    force: bool = False,
    origin: Origin | None = None,
    setting: str = _SETTING,
) -> RecordSink:
    """Open a record file for writing.

    Args:
        path: Ends in .jsonl, .csv or .parquet.
        labels: Emotions of the moods' scores, in order.
        faceless_rows: Write a row for a frame without faces too.
        others: Labels of the model's further heads, by name.
        live: Write JSONL and CSV under their own name from the start and flush every row, so that a killed process
            loses none. Parquet cannot be read before it is complete, so it appears at the end either way.
        force: Replace a file that is there.
        origin: Who makes the records, and of what; kept with them. A CSV file has it in ``NAME.csv.json`` beside it.
        setting: Which setting named the file, for the remedy of an error.

    Raises:
        SinkError: Another suffix, the file is there already, or it cannot be written.
        LivemoodError: A .parquet file without pyarrow installed.
    """
    return RecordSink(Path(path), labels, others or {}, faceless_rows, live, force, origin, setting)


def open_sink(target: str, context: SinkContext) -> Sink:
    """Open the records of a run; ``-`` is stdout."""
    if target == STDOUT:
        return RecordStream(context)
    others = {name: labels for name, labels in context.heads.items() if name != EMOTION}
    return open_records(
        target,
        context.labels,
        context.faceless_rows,
        others=others,
        live=context.live,
        force=context.force,
        origin=context.origin,
    )


def write_origin(path: Path, origin: Origin) -> None:
    """Write who made a CSV file, and of what, into the file beside it."""
    path.write_text(json.dumps(origin.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


@contextmanager
def _removed(beside: Path) -> Iterator[None]:
    """Remove the origin of an earlier CSV file when the one without an origin is complete."""
    yield
    beside.unlink(missing_ok=True)


@contextmanager
def _jsonl(path: Path, heads: _Heads, live: bool, origin: Origin | None) -> Iterator[_Add]:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(origin.line() if origin else "")

        def add(records: Sequence[Record]) -> None:
            file.writelines(json_line(to_json(record)) for record in records)
            if live:
                file.flush()

        add(())
        yield add


@contextmanager
def _csv(path: Path, heads: _Heads, live: bool, origin: Origin | None) -> Iterator[_Add]:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(table_line(columns(*heads)))

        def add(records: Sequence[Record]) -> None:
            file.writelines(table_line(to_row(record, *heads)) for record in records)
            if live:
                file.flush()

        add(())
        yield add


@contextmanager
def _parquet(path: Path, heads: _Heads, live: bool, origin: Origin | None) -> Iterator[_Add]:
    parquet = required("pyarrow.parquet", PARQUET)
    said = {"livemood.records": str(VERSION), **({METADATA: json.dumps(origin.to_json())} if origin else {})}
    schema = arrow_schema(((name, kind(name)) for name in columns(*heads)), said)
    rows: list[tuple[Cell, ...]] = []

    dictionary = ["label", REASON, *heads[1]]
    with (
        path.open("wb") as sink,  # pyarrow takes no names that are not UTF-8
        parquet.ParquetWriter(sink, schema, compression="zstd", use_dictionary=dictionary) as file,
    ):

        def write_group() -> None:
            group = [*rows]
            rows.clear()
            file.write_table(arrow_table(group, schema))

        def add(records: Sequence[Record]) -> None:
            rows.extend(to_row(record, *heads) for record in records)
            if len(rows) >= _ROW_GROUP:
                write_group()

        try:
            yield add
        finally:
            if rows:
                write_group()


_WRITERS: Final[dict[str, Callable[[Path, _Heads, bool, Origin | None], AbstractContextManager[_Add]]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
SUFFIXES: Final = tuple(_WRITERS)
"""Of the files that it writes."""

"""Records on stdout, for other programs to read in real time: one JSON object per line."""

import os
import select
import time
from collections.abc import Sequence
from typing import Final

from livemood.core.errors import SinkError
from livemood.core.text_tables import json_line
from livemood.core.types import Frame, Image, Mood
from livemood.records.schema import Record, to_json
from livemood.runtime import stopping
from livemood.runtime.outbox import Outbox
from livemood.sinks.base import Sink, SinkContext
from livemood.sinks.rows import event_row, face_rows

# Number of queued frames: some seconds.
_WAITING: Final = 256
# Bytes that a pipe takes at once when it is ready; None on Windows, which cannot tell whether one is.
_READY: Final[int | None] = getattr(select, "PIPE_BUF", None)
_POLL_S: Final = 0.1
# How long a run over a file that was interrupted waits for the reader, s.
_LAST_S: Final = 1.0


class RecordStream(Sink):
    """Writes rows to file descriptor 1, each frame's at once.

    In a live run, the oldest queued frames are dropped when the reader is slow; a run over a file waits for it, but
    once it was interrupted only for a second. When the reader has closed the pipe, the run is stopped
    (``livemood.runtime.stopping``). Any other failure is an error.

    Args:
        context: Of the run.

    Raises:
        SinkError: There is no stdout.
    """

    takes_events = True

    def __init__(self, context: SinkContext) -> None:
        try:
            self._file = os.fdopen(os.dup(1), "wb", buffering=0)
        except OSError as error:
            raise SinkError("there is no stdout to write records to", "use {records} with a file") from error
        self._faceless_rows = context.faceless_rows
        self._outbox = Outbox(self._send, _WAITING, "livemood-stdout") if context.live else None
        self._is_gone = False

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Write one line for each face of the frame.

        Raises:
            SinkError: Stdout is a file on a disk that is full or gone.
        """
        self._take(face_rows(frame, moods, self._faceless_rows))

    def mark(self, frame: Frame, event: int, name: str = "") -> None:
        """Write a line for an event.

        Raises:
            SinkError: Stdout is a file on a disk that is full or gone.
        """
        self._take([event_row(frame, event, name)])

    def close(self) -> None:
        """Write the queued rows, for at most one second.

        Raises:
            SinkError: Stdout is a file on a disk that is full or gone; unless ``write`` or ``mark`` has raised it.
        """
        if self._outbox:
            self._outbox.close()
            if dropped := self._outbox.dropped:
                self.warnings = [f"the reader of stdout was too slow; {dropped} frames were left out"]
            if not self._outbox.is_done:
                return  # its thread holds the file
        self._file.close()
        self._raise()

    def _take(self, records: Sequence[Record]) -> None:
        if not records or self._is_gone:
            return
        lines = "".join(json_line(to_json(record)) for record in records).encode()
        if self._outbox:
            self._outbox.put(lines)
            self._raise()
            return
        try:
            self._send(lines)
        except ConnectionError:
            self._is_gone = True
        except SinkError:
            self._is_gone = True
            raise

    def _raise(self) -> None:
        """Raise the error that ended the sending, once; not if the reader has closed the pipe."""
        error = self._outbox.error if self._outbox else None
        if error and not isinstance(error, ConnectionError) and not self._is_gone:
            self._is_gone = True
            raise error

    def _send(self, lines: bytes) -> None:
        while lines:
            self._wait_for_reader()
            try:
                # None if another program has made the pipe non-blocking, and it is full.
                lines = lines[self._file.write(_at_once(lines)) or 0 :]
            except ConnectionError:  # the reader has closed the pipe
                stopping.ask(stopping.OutputClosed)
                raise
            except OSError as error:
                raise SinkError(f"stdout could not be written ({error.strerror or error})") from error

    def _wait_for_reader(self) -> None:
        """Wait until the reader takes more.

        Raises:
            ConnectionError: The run was interrupted, and the reader took nothing since.
        """
        ends: float | None = None
        while _READY and not select.select((), [self._file], (), _POLL_S)[1]:
            if self._outbox is None and stopping.is_ending():
                ends = ends or time.monotonic() + _LAST_S
                if time.monotonic() > ends:
                    raise ConnectionError


def _at_once(lines: bytes) -> bytes:
    """Return as many of the lines as can be written without waiting, or a part of a longer one."""
    if _READY is None or len(lines) <= _READY:
        return lines
    return lines[: lines.rfind(b"\n", 0, _READY) + 1 or _READY]

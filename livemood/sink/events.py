"""Moments that someone marked during a live run, as a CSV beside the records."""

import csv
from datetime import datetime
from pathlib import Path

from livemood.files import refuse_to_overwrite, unwritable
from livemood.values import Frame

_OPTION = "--records"


class EventLog:
    """Writes one row (event, frame, time_s, clock) for each mark; the file appears with the first.

    Rows are joined to records by ``frame``; ``clock`` is the local date and time. Each row is on the disk at once.

    Args:
        records: The records' path; events go to ``NAME-events.csv`` beside it.
        force: Replace a file that is there.

    Attributes:
        path: The CSV.

    Raises:
        SinkError: The file is there already.
    """

    def __init__(self, records: Path, *, force: bool = False) -> None:
        self.path = records.with_name(f"{records.stem}-events.csv")
        refuse_to_overwrite(self.path, _OPTION, force)
        self._count = 0

    def mark(self, frame: Frame) -> None:
        """Write one row.

        Raises:
            SinkError: The file cannot be written.
        """
        try:
            with self.path.open("a" if self._count else "w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file)
                if not self._count:
                    rows.writerow(("event", "frame", "time_s", "clock"))
                self._count += 1
                clock = datetime.now().isoformat(timespec="milliseconds")
                rows.writerow((self._count, frame.index, round(frame.time_s, 6), clock))
        except OSError as error:
            raise unwritable(self.path, _OPTION, error) from error

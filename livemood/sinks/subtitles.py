"""Subtitles of label changes, as SubRip (.srt) or WebVTT (.vtt) cues."""

import html
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from livemood.core.types import Frame, Image, Mood
from livemood.runtime.atomic_io import atomic_write, refuse_other_suffix
from livemood.sinks.base import SinkContext
from livemood.sinks.file_sink import FileSink
from livemood.sinks.intervals import Interval, LabelIntervals, person

_SETTING: Final = "subtitles"
SUFFIXES: Final = (".srt", ".vtt")
"""Suffixes of the file, one for each format."""
# Tolerance for rounding of float times, ms.
_ROUNDING_MS: Final = 0.001


class SubtitleSink(FileSink):
    """Writes a cue for every interval in which no label changes.

    A cue has one line per person, so that cues never overlap. The file appears when it is closed.

    Args:
        path: Ends in .srt or .vtt.
        start_s: Start of the video that they belong to, s.
        force: Replace a file that is there.

    Raises:
        SinkError: Another suffix, the file is there already, or it cannot be written.
    """

    def __init__(self, path: str | Path, *, start_s: float = 0.0, force: bool = False) -> None:
        super().__init__(Path(path))
        self._start_s = start_s
        refuse_other_suffix(self.path, _SETTING, *SUFFIXES)
        with ExitStack() as stack:
            part = stack.enter_context(atomic_write(self.path, _SETTING, force))
            self._shown = stack.enter_context(_subtitles(part, self.path.suffix.lower()))
            self._open = stack.pop_all()

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Add the labels of one frame; times never decrease."""
        self._begin_frame()
        self._shown.show({mood.track.id: mood.label for mood in moods}, frame.time_s - self._start_s)


def open_sink(target: str, context: SinkContext) -> SubtitleSink:
    """Open the subtitles of a run; their times are those of the labelled copy."""
    return SubtitleSink(target, start_s=context.info.start_s, force=context.force)


def _cues(shown: LabelIntervals) -> Iterator[tuple[int, int, str]]:
    """Yield start and end in ms and the text of each cue, in order and without overlap."""
    changes: list[tuple[int, bool, Interval]] = []
    for interval in shown.intervals():
        start, end = _ms(interval.start_s), _ms(interval.end_s)
        if start < end:
            changes += [(start, True, interval), (end, False, interval)]
    labels: dict[int, str] = {}
    since = 0
    for now, group in groupby(sorted(changes, key=itemgetter(0, 1)), key=itemgetter(0)):
        if labels:
            yield since, now, "\n".join(f"{person(track)}: {labels[track]}" for track in sorted(labels))
        for _, begins, interval in group:  # ends come before beginnings
            if begins:
                labels[interval.track] = interval.label
            else:
                del labels[interval.track]
        since = now


def _ms(time_s: float) -> int:
    """Return a frame's time rounded down to whole ms, so that a player shows the cue from that frame on."""
    return math.floor(time_s * 1000 + _ROUNDING_MS)


@contextmanager
def _subtitles(path: Path, suffix: str) -> Iterator[LabelIntervals]:
    """Yield the collector of intervals; its cues are written at the end."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        shown = LabelIntervals()
        yield shown
        if suffix == ".vtt":
            file.write("WEBVTT\n\n")
        for number, (start, end, text) in enumerate(_cues(shown), 1):
            if suffix == ".vtt":
                file.write(f"{_clock(start, '.')} --> {_clock(end, '.')}\n{html.escape(text, quote=False)}\n\n")
            else:
                file.write(f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n\n")


def _clock(time_ms: int, mark: str) -> str:
    seconds, rest = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{rest:03}"

"""Subtitles: who looks how and for how long, as SubRip (.srt) or WebVTT (.vtt) cues."""

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from livemood.core.errors import SinkError
from livemood.core.types import Frame, Mood
from livemood.runtime.atomic_io import atomic_write
from livemood.sinks.records import FileSink

_SETTING: Final = "subtitles"
_SUFFIXES: Final = (".srt", ".vtt")
# A face that is back so soon, looking the same, keeps its cue: a blinking subtitle cannot be read.
_BRIDGED_S: Final = 0.5
_LONE_FRAME_S: Final = 1.0


class SubtitleSink(FileSink):
    """Writes a cue for every stretch of time in which the labels of all people stay as they are.

    A cue has one line per person, so that people seen together never fight for the same place on the screen. The file
    appears when it is closed.

    Args:
        path: Ends in .srt or .vtt.
        start_s: Time of the frame at which the film that they belong to begins, s.
        force: Replace a file that is there.

    Raises:
        SinkError: Another suffix, the file is there already, or it cannot be written.
    """

    def __init__(self, path: str | Path, *, start_s: float = 0.0, force: bool = False) -> None:
        super().__init__(Path(path))
        self._start_s = start_s
        if self.path.suffix.lower() not in _SUFFIXES:
            raise SinkError(f"{path} ends in no form of subtitles; use {' or '.join(_SUFFIXES)}")
        with ExitStack() as stack:
            part = stack.enter_context(atomic_write(self.path, _SETTING, force))
            self._spans = stack.enter_context(_subtitles(part, self.path.suffix.lower()))
            self._open = stack.pop_all()

    def write(self, frame: Frame, moods: Sequence[Mood]) -> None:
        """Take the labels of one frame; its time is never before the last one's."""
        self._check_open()
        self._spans.show({mood.track.id: mood.label for mood in moods}, frame.time_s - self._start_s)


@dataclass(slots=True)
class _Span:
    """One person with one label, from the first frame that shows it to the first that does not; None: still on."""

    track: int
    label: str
    start_s: float
    end_s: float | None = None


class _Spans:
    """Collects the spans of everyone, frame by frame."""

    def __init__(self) -> None:
        self._all: list[_Span] = []
        self._latest: dict[int, _Span] = {}
        self._now_s: float | None = None
        self._step_s = 0.0

    def show(self, labels: Mapping[int, str], now_s: float) -> None:
        """Take the label of each person seen at ``now_s``."""
        if self._now_s is not None and now_s > self._now_s:
            self._step_s = now_s - self._now_s
        self._now_s = now_s
        for track, span in self._latest.items():
            if span.end_s is None and labels.get(track) != span.label:
                span.end_s = now_s
        for track, label in labels.items():
            last = self._latest.get(track)
            if last and last.label == label and (last.end_s is None or now_s - last.end_s <= _BRIDGED_S):
                last.end_s = None
            else:
                self._latest[track] = _Span(track, label, now_s)
                self._all.append(self._latest[track])

    def cues(self) -> Iterator[tuple[int, int, str]]:
        """Yield start and end in ms and the text of each cue, in order and without overlap."""
        # The last frame stays on the screen for as long as the one before it.
        last_s = (self._now_s or 0.0) + (self._step_s or _LONE_FRAME_S)
        changes: list[tuple[int, bool, _Span]] = []
        for span in self._all:
            start, end = (
                round(time_s * 1000) for time_s in (span.start_s, last_s if span.end_s is None else span.end_s)
            )
            if start < end:
                changes += [(start, True, span), (end, False, span)]
        shown: dict[int, str] = {}
        since = 0
        for now, group in groupby(sorted(changes, key=itemgetter(0, 1)), key=itemgetter(0)):
            if shown:
                yield since, now, "\n".join(f"person {track}: {shown[track]}" for track in sorted(shown))
            for _, begins, span in group:  # ends come before beginnings
                if begins:
                    shown[span.track] = span.label
                else:
                    del shown[span.track]
            since = now


@contextmanager
def _subtitles(path: Path, suffix: str) -> Iterator[_Spans]:
    """Yield the collector of spans; its cues are written at the end."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        spans = _Spans()
        yield spans
        if suffix == ".vtt":
            file.write("WEBVTT\n\n")
        for number, (start, end, text) in enumerate(spans.cues(), 1):
            if suffix == ".vtt":
                file.write(f"{_clock(start, '.')} --> {_clock(end, '.')}\n{html.escape(text, quote=False)}\n\n")
            else:
                file.write(f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n\n")


def _clock(time_ms: int, mark: str) -> str:
    seconds, rest = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{rest:03}"

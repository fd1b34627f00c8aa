"""Label changes as markers for editing programs and annotation tools, in the format of the suffix."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from livemood.core.counts import counted
from livemood.core.text_tables import one_line
from livemood.core.types import Frame, Image, Mood
from livemood.runtime.atomic_io import atomic_write, refuse_other_suffix
from livemood.sinks.base import SinkContext
from livemood.sinks.file_sink import FileSink
from livemood.sinks.intervals import LabelIntervals
from livemood.sinks.markers.base import Clip, Event, Markers, clip_of
from livemood.sinks.markers.boris import to_boris
from livemood.sinks.markers.csv import to_csv
from livemood.sinks.markers.eaf import to_eaf
from livemood.sinks.markers.edl import to_edl
from livemood.sinks.markers.fcpxml import to_fcpxml
from livemood.sinks.markers.otio import to_otio
from livemood.sinks.markers.textgrid import to_textgrid

FORMS: Final[Mapping[str, Callable[[Markers], str]]] = {
    ".edl": to_edl,
    ".csv": to_csv,
    ".fcpxml": to_fcpxml,
    ".otio": to_otio,
    ".eaf": to_eaf,
    ".textgrid": to_textgrid,
    ".boris": to_boris,
}
"""Writer of each marker format, by suffix; a new format is one file and one line here."""

SUFFIXES: Final = tuple(FORMS)
"""Of the files that it writes."""
_SETTING: Final = "markers"
_WITH_TIMECODE: Final = (".edl", ".csv")


class MarkerSink(FileSink):
    """Collects label changes and events; the file appears when it is closed.

    Control characters in labels and names become spaces.

    Args:
        path: Its suffix is one of ``FORMS``, in any case.
        clip: The video that the markers belong to.
        end_s: When the video's last frame ends, s on the clock of the labels, where these may end before; 0 otherwise.
        live: Keep the markers so far when an error ends the run.
        force: Replace a file that is there.
        setting: Which setting named the file, for the remedy of an error.

    Raises:
        SinkError: Another suffix, the file is there already, or it cannot be written.
    """

    takes_events = True

    def __init__(
        self,
        path: str | Path,
        clip: Clip,
        *,
        end_s: float = 0.0,
        live: bool = False,
        force: bool = False,
        setting: str = _SETTING,
    ) -> None:
        super().__init__(Path(path), live)
        refuse_other_suffix(self.path, setting, *SUFFIXES)
        suffix = self.path.suffix.lower()
        form = FORMS[suffix]
        if suffix in _WITH_TIMECODE and (base := clip.base.counted) != clip.base:
            self.warnings = [
                f"{self.path} is for a timeline of {counted(base.nominal, 'frame')} per second, "
                f"because timecode cannot count {float(clip.base.rate):.5g}"
            ]
            clip = replace(clip, base=base)
        self._shown, self._least_end_s = LabelIntervals(), end_s
        self._events: list[Event] = []
        with ExitStack() as stack:
            part = stack.enter_context(atomic_write(self.path, setting, force))
            stack.enter_context(self._written(part, clip, form))
            self._open = stack.pop_all()

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Take the labels of one frame; its time is never before the last one's."""
        self.show({mood.track.id: mood.label for mood in moods}, frame.time_s)

    def mark(self, frame: Frame, event: int, name: str = "") -> None:
        """Take an event that was marked at a frame."""
        self.note(event, frame.time_s, name)

    def show(self, labels: Mapping[int, str], time_s: float) -> None:
        """Add labels by track at a time, s, never decreasing."""
        self._begin_frame()
        self._shown.show({track: one_line(label) for track, label in labels.items()}, time_s)

    def note(self, event: int, time_s: float, name: str = "") -> None:
        """Add an event by its number, time (s) and name, if it has one."""
        self._begin_frame()
        self._events.append(Event(event, time_s, one_line(name)))

    @contextmanager
    def _written(self, part: Path, clip: Clip, form: Callable[[Markers], str]) -> Iterator[None]:
        yield
        end_s = max(self._shown.end_s, self._least_end_s)
        markers = Markers(clip, self._shown.intervals(), self._events, end_s)
        part.write_text(form(markers), encoding="utf-8", newline="\n")


def open_sink(target: str, context: SinkContext) -> MarkerSink:
    """Open the markers of a run; they belong to the whole source, cut or not, or to a live run's own clock."""
    return MarkerSink(target, clip_of(context.info, Path(target).stem), live=context.live, force=context.force)

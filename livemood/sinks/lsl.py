"""Moods as a Lab Streaming Layer stream, to be recorded together with other devices."""

from collections.abc import Sequence
from math import inf, nan
from typing import Any, Final

from livemood.core.counts import counted
from livemood.core.errors import SinkError
from livemood.core.types import Frame, Image, Mood
from livemood.runtime.native_output import native_stderr_held
from livemood.runtime.optional_deps import LSL, required
from livemood.sinks.base import Sink, SinkContext

SLOTS: Final = 4
"""Number of people that a stream has channels for."""

_TYPE: Final = "Expression"
# A slot is free for another person after its own was missed for longer, s.
_KEPT_S: Final = 2.0


class LslSink(Sink):
    """An outlet with, for each of ``SLOTS`` people, the smoothed score of each emotion and the number of the track.

    A person keeps a slot while they are tracked. The channels of a slot without a face are NaN. Timestamps are capture
    times on LSL's clock.

    Args:
        name: Of the stream.
        labels: Emotions, in order.

    Raises:
        LivemoodError: pylsl is not installed.
        SinkError: The stream cannot be opened.
    """

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        if not name.strip():
            raise SinkError("an LSL stream needs a name", "use {lsl} with one")
        self._lsl: Any = required("pylsl", LSL)
        self._labels = tuple(labels)
        self._slots: list[tuple[int, float] | None] = [None] * SLOTS  # track, and when it was seen last
        self._left_out: set[int] = set()
        self._offset_s = inf
        self._width = 1 + len(self._labels)  # of a slot: the track and its scores
        try:
            with native_stderr_held():
                info = self._lsl.StreamInfo(name, _TYPE, SLOTS * self._width, self._lsl.IRREGULAR_RATE, "float32", "")
                self._describe(info)
                self._outlet: Any = self._lsl.StreamOutlet(info)
        except (RuntimeError, OSError) as error:
            raise SinkError(f"the LSL stream {name} could not be opened ({error})") from error

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Send one sample."""
        sample = [nan] * (SLOTS * self._width)
        for mood in moods:
            slot = self._slot(mood.track.id, frame.time_s)
            if slot is None:
                self._left_out.add(mood.track.id)
                continue
            self._slots[slot] = mood.track.id, frame.time_s
            start = slot * self._width
            sample[start : start + self._width] = [mood.track.id, *(mood.scores[label] for label in self._labels)]
        # The frame with the least delay gives the best estimate of the offset between the clocks.
        self._offset_s = min(self._offset_s, self._lsl.local_clock() - frame.time_s)
        self._outlet.push_sample(sample, frame.time_s + self._offset_s)

    def close(self) -> None:
        """Close the outlet; a second call does nothing."""
        self._outlet = None
        if self._left_out:
            people = counted(len(self._left_out), "person", "people")
            self.warnings = [f"{people} left out: the LSL stream has {SLOTS} slots"]

    def _slot(self, track: int, now_s: float) -> int | None:
        """Return the slot of a person, or the first free one; None if none is free."""
        free: int | None = None
        for place, held in enumerate(self._slots):
            if held and held[0] == track:
                return place
            if free is None and (held is None or now_s - held[1] > _KEPT_S):
                free = place
        return free

    def _describe(self, info: Any) -> None:
        about = info.desc()
        about.append_child_value("manufacturer", "livemood")
        about.append_child_value("note", "What an expression looks like, not what someone feels")
        channels = about.append_child("channels")
        for slot in range(1, SLOTS + 1):
            for name, unit in (("track", "id"), *((label, "probability") for label in self._labels)):
                channel = channels.append_child("channel")
                channel.append_child_value("label", f"person{slot}_{name}")
                channel.append_child_value("unit", unit)
                channel.append_child_value("type", _TYPE)


def open_sink(target: str, context: SinkContext) -> LslSink:
    """Open an outlet."""
    return LslSink(target, context.labels)

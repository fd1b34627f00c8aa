"""Sound and subtitles of files whose clock begins again midway, as where two recordings were joined."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from av.packet import Packet
from av.stream import Stream

# A step further ahead than this, s, is one to another clock, as for the source.
_LONGEST_S = 3600
# A step of sound or subtitles that goes back by more than this, s, is one to another clock.
_BACK_S = Fraction(1, 5)
# So much later than the picture, s, every stream has passed a seam.
_LATEST_S = 1
# No frame of H.264 or H.265 is shown more than so many frames before one that is decoded earlier.
_REORDERED = 16
# So many packets are read ahead to find a seam of the picture.
_AHEAD = 1000


@dataclass(frozen=True, slots=True)
class _Seam:
    """A step of the picture to another clock: its own time, s, from there on, and what is added to it."""

    time: Fraction
    shift: Fraction


@dataclass(slots=True)
class _Progress:
    """Of one stream: when its last packet began and ended by its own clock, s, and the seams it has passed."""

    last: Fraction | None = None
    end: Fraction = Fraction(0)
    passed: int = 0
    shift: Fraction = Fraction(0)


class Seams:
    """Yields the packets of other streams than the picture, each with what is to be added to its time, s.

    The picture goes on at its usual interval after a seam. Other streams are shifted by as much, so that they stay in
    step with it; a stream whose own clock begins again, but not that of the picture, goes on after its last packet.

    Args:
        packets: Of the picture and other streams, in the file's order.
        picture: Index of the picture's stream.
        interval: Usual time between frames, s.
        broadcast: Whether a clock may also leap ahead, that of one stream begin again alone, and a stream reach a seam
            later than the picture. In other files, a leap ahead is a pause, a packet that comes too early is merely out
            of order, and all that lies behind a seam in the file belongs to the second recording.
    """

    def __init__(
        self, packets: Iterator[Packet[Stream]], picture: int, interval: Fraction, broadcast: bool = True
    ) -> None:
        self._packets, self._picture, self._interval = packets, picture, interval
        self._broadcast = broadcast
        self._longest_s = _LONGEST_S if broadcast else inf
        self._latest_s = _LATEST_S if broadcast else -inf
        # After a seam of these, FFmpeg gives the decoding times of B-frames in the order of presentation.
        self._back_s = interval if broadcast else max(_REORDERED * interval, Fraction(1))
        self._ahead: deque[Packet[Stream]] = deque()
        self._streams: defaultdict[int, _Progress] = defaultdict(_Progress)
        self._seams: list[_Seam] = []
        self._shift = Fraction(0)
        self._decoded: Fraction | None = None
        self._shown = Fraction(0)
        self._broken = False

    def __iter__(self) -> Iterator[tuple[Packet[Stream], Fraction]]:
        while packet := self._ahead.popleft() if self._ahead else self._next():
            yield packet, self._shift_of(packet)

    def _next(self) -> Packet[Stream] | None:
        for packet in self._packets:
            if packet.stream_index != self._picture:
                return packet
            self._see(packet)
        return None

    def _see(self, packet: Packet[Stream]) -> None:
        """Take a packet of the picture; after a seam, the first frame that can be decoded is a key frame."""
        decoded, shown = _time(packet, packet.dts), _time(packet, packet.pts)
        if decoded is None or shown is None:
            return
        if self._decoded is not None:
            self._broken |= not -self._back_s <= decoded - self._decoded <= self._longest_s
        self._decoded = decoded
        if not self._broken:
            self._shown = max(self._shown, shown)
        elif packet.is_keyframe:
            follows = self._shown + self._shift + self._interval
            own_is_fine = -2 * self._interval <= shown - follows <= self._longest_s
            self._shift = Fraction(0) if own_is_fine else follows - shown
            self._seams.append(_Seam(shown, self._shift))
            self._shown, self._broken = shown, False

    def _shift_of(self, packet: Packet[Stream]) -> Fraction:
        stream = self._streams[packet.stream_index]
        time = _time(packet, packet.pts if packet.dts is None else packet.dts)
        if time is None:
            return stream.shift
        if stream.last is not None and not -_BACK_S <= time - stream.last <= self._longest_s:
            while len(self._seams) == stream.passed and len(self._ahead) < _AHEAD and (later := self._next()):
                self._ahead.append(later)
            if len(self._seams) > stream.passed:
                self._pass(stream)
            elif self._broadcast:
                stream.shift += stream.end - time
        elif len(self._seams) > stream.passed and self._shown > self._seams[-1].time + self._latest_s:
            self._pass(stream)
        stream.last, stream.end = time, time + (packet.duration or 0) * (packet.time_base or Fraction(0))
        return stream.shift

    def _pass(self, stream: _Progress) -> None:
        stream.shift = self._seams[stream.passed].shift
        stream.passed += 1


def _time(packet: Packet[Stream], ticks: int | None) -> Fraction | None:
    return None if ticks is None or packet.time_base is None else ticks * packet.time_base

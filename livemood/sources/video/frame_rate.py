"""How many frames a second a file really holds: what it says, held against the frames that lie in it.

Browsers write 1000 into their recordings, FFmpeg takes raw DV for 60,000, and any raw stream for 25, whatever its
header says.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

from av.packet import Packet
from av.video.stream import VideoStream

LOOKED_AT = 100
"""Packets of the beginning that ``frame_rate`` is best shown."""

_USUAL = Fraction(25)
# Rates that pictures are made at; times with few digits hide them.
_COMMON = tuple(Fraction(rate) for rate in (24, 25, 30, 50, 60, 120)) + tuple(
    Fraction(rate * 1000, 1001) for rate in (24, 30, 60, 120)
)
# So near are they to what times of few digits show, and to what muxers make of them.
_SEEN, _WRITTEN = Fraction(1, 200), Fraction(1, 10_000)
# What a file says may be so many times what its first frames show, or they what it says: they are not all of it.
_BELIEVED = Fraction(3, 2)
# Ticks a second that are enough for any player.
_FINE = 10_000
# Above this, times with few digits tell no rate to the fraction.
_SLOW = 10
# A pause in a recording says nothing about its rate.
_PAUSE = 4


def frame_rate(stream: VideoStream, beginning: Sequence["Packet[VideoStream]"]) -> Fraction:
    """Return a stream's usual frames per second.

    Args:
        stream: Says one thing or another.
        beginning: Its first packets, in the file's order.
    """
    said = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate and rate > 0]
    if stream.average_rate and is_counted(stream):
        return stream.average_rate
    seen = _seen(stream.time_base or Fraction(1, 1000), beginning)
    if seen is None:
        return said[-1] if said else _USUAL
    nearest = min(said, key=lambda rate: abs(rate - seen), default=seen)
    if seen / _BELIEVED <= nearest <= seen * _BELIEVED:
        return _common(nearest, _WRITTEN) or nearest
    return _common(seen, _SEEN) or (Fraction(round(seen)) if seen > _SLOW else seen)


def is_counted(stream: VideoStream) -> bool:
    """Tell whether the container has counted and timed all frames, so that its average is the truth."""
    return bool(stream.frames and stream.duration and stream.average_rate)


def clock_of(rate: Fraction) -> Fraction:
    """Return a unit of time, s, of which the interval between frames is a whole multiple."""
    unit = Fraction(1, rate.numerator)
    return unit if rate.numerator >= _FINE else unit / 1000


def _seen(tick: Fraction, packets: Iterable["Packet[VideoStream]"]) -> Fraction | None:
    """Return the rate that packets show by their times, in the order of decoding, or else by their durations."""
    packets = [packet for packet in packets if packet.size]
    times = [packet.pts if packet.dts is None else packet.dts for packet in packets]
    known = sorted({time for time in times if time is not None})
    gaps = [later - sooner for sooner, later in pairwise(known)]
    if len(gaps) < 2:
        gaps = [packet.duration for packet in packets if packet.duration]
    if not gaps:
        return None
    usual = [gap for gap in gaps if gap <= _PAUSE * median(gaps)]
    return 1 / (Fraction(sum(usual), len(usual)) * tick)


def _common(rate: Fraction, slack: Fraction) -> Fraction | None:
    """Return the rate that pictures are usually made at nearest to another, if there is one so near."""
    nearest = min(_COMMON, key=lambda common: abs(common - rate))
    return nearest if abs(nearest - rate) <= rate * slack else None

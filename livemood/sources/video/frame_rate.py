"""The actual frame rate of a file: the stated rate, checked against the times of its first frames.

Browsers write 1000 into their recordings; FFmpeg reports 60,000 for raw DV, and 25 for any raw stream, whatever its
header says.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

from av.packet import Packet
from av.video.stream import VideoStream

EXAMINED = 100
"""Number of packets from the beginning that ``frame_rate`` should get."""

_USUAL = Fraction(25)
# Common rates; times with few digits only approximate them.
_COMMON = tuple(Fraction(rate) for rate in (24, 25, 30, 50, 60, 120)) + tuple(
    Fraction(rate * 1000, 1001) for rate in (24, 30, 60, 120)
)
# Relative tolerance around a common rate: of rates measured from times with few digits, and of stated rates.
_MEASURED, _STATED = Fraction(1, 200), Fraction(1, 10_000)
# Largest ratio between the stated and the measured rate: the first frames are only a sample.
_PLAUSIBLE = Fraction(3, 2)
# Ticks a second that are enough for any player.
_FINE = 10_000
# Above this rate, times with few digits do not determine a fraction.
_SLOW = 10
# Gaps longer than this multiple of the median are pauses of the recording.
_PAUSE = 4


def frame_rate(stream: VideoStream, beginning: Sequence["Packet[VideoStream]"]) -> Fraction:
    """Return a stream's usual frames per second.

    Args:
        stream: States its rates.
        beginning: Its first packets, in the file's order.
    """
    stated = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate and rate > 0]
    if stream.average_rate and is_counted(stream):
        return stream.average_rate
    measured = _measured(stream.time_base or Fraction(1, 1000), beginning)
    if measured is None:
        return stated[-1] if stated else _USUAL
    nearest = min(stated, key=lambda rate: abs(rate - measured), default=measured)
    if measured / _PLAUSIBLE <= nearest <= measured * _PLAUSIBLE:
        return _common(nearest, _STATED) or nearest
    return _common(measured, _MEASURED) or (Fraction(round(measured)) if measured > _SLOW else measured)


def is_counted(stream: VideoStream) -> bool:
    """Return whether the container states number and duration of its frames, so that its average is exact."""
    return bool(stream.frames and stream.duration and stream.average_rate)


def clock_of(rate: Fraction) -> Fraction:
    """Return a unit of time, s, of which the interval between frames is a whole multiple."""
    unit = Fraction(1, rate.numerator)
    return unit if rate.numerator >= _FINE else unit / 1000


def _measured(tick: Fraction, packets: Iterable["Packet[VideoStream]"]) -> Fraction | None:
    """Return the rate of packets by their decoding times, or else by their durations."""
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
    """Return the common rate nearest to ``rate``, if it is within the relative tolerance ``slack``."""
    nearest = min(_COMMON, key=lambda common: abs(common - rate))
    return nearest if abs(nearest - rate) <= rate * slack else None

"""Frames, seconds and timecode of one clip."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

# Usual rates are multiples of 1/2, or such a multiple in 1.001 s; the relative tolerance for measured ones.
_SLOW: Final = Fraction(1001, 1000)
_NEAR: Final = Fraction(3, 10_000)
# Final Cut's fractions have 32 bits.
_LARGEST_DIVISOR: Final = 10_000
_DROPPING: Final = (Fraction(30000, 1001), Fraction(60000, 1001))
_TIMECODE: Final = re.compile(r"(\d{1,2}):(\d\d):(\d\d)([:;.,])(\d{2,3})")


def usual_rate(measured: Fraction) -> Fraction:
    """Return the usual rate that a measured one is near, in frames per second, or the measured one."""
    usual = [Fraction(round(2 * measured * second), 2) / second for second in (1, _SLOW)]
    best = min(usual, key=lambda rate: abs(rate - measured))
    return best if abs(best - measured) <= best * _NEAR else measured.limit_denominator(_LARGEST_DIVISOR)


@dataclass(frozen=True, slots=True)
class Timebase:
    """Frame rate and timecode of a clip.

    Attributes:
        rate: Frames per second, exact.
        first_frame: Frame number of the first frame's timecode; 0 for 00:00:00:00.
        drop: Whether it is drop-frame timecode, which skips numbers to stay in step with real time (29.97 and 59.94
            only).
    """

    rate: Fraction
    first_frame: int = 0
    drop: bool = False

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"a clip has a rate above 0, got {self.rate}")
        if self.drop and self.rate not in _DROPPING:
            raise ValueError(f"drop-frame timecode is for 29.97 and 59.94 frames per second, not {float(self.rate):g}")

    @property
    def nominal(self) -> int:
        """Frames that timecode counts in a second: 24 of 23.976, 30 of 29.97, 13 of 12.5."""
        return max(math.floor(self.rate + Fraction(1, 2)), 1)

    @property
    def counted(self) -> "Timebase":
        """The timebase whose timecode keeps to the clock: this one, or at a rate such as 12.5 the nearest whole one."""
        exact = self.rate in (self.nominal, self.nominal / _SLOW)
        return self if exact else replace(self, rate=Fraction(self.nominal))

    def frame(self, time_s: float) -> int:
        """Return the index of the frame shown at ``time_s``, s after the first frame, which is 0."""
        return max(round(Fraction(time_s) * self.rate), 0)

    def seconds(self, frames: int) -> Fraction:
        """Return the duration of ``frames`` frames, s."""
        return frames / self.rate

    def timecode(self, frame: int) -> str:
        """Return the timecode of a frame counted from the clip's first: 01:00:00:00, or 01:00:00;00 for drop-frame."""
        number = self.first_frame + frame
        if self.drop:
            number += self._left_out(number)
        seconds, rest = divmod(number, self.nominal)
        minutes = seconds // 60
        mark = ";" if self.drop else ":"
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds % 60:02}{mark}{rest:02}"

    def _left_out(self, number: int) -> int:
        """Return how many timecodes are skipped before a frame's."""
        dropped = self.nominal // 15  # in every minute but each tenth
        per_minute = self.nominal * 60 - dropped
        tens, rest = divmod(number, per_minute * 10 + dropped)
        return 9 * dropped * tens + dropped * max((rest - dropped) // per_minute, 0)


def timebase(rate: Fraction, timecode: str | None = None) -> Timebase:
    """Return the timebase of a clip.

    Args:
        rate: Frames per second; near a usual rate, that is used.
        timecode: Of the first frame: 01:00:00:00, or 01:00:00;00 for drop-frame. None means 0, as drop-frame at 29.97
            and 59.94.

    Raises:
        ValueError: The timecode is invalid, or does not exist at this rate.
    """
    rate = usual_rate(rate)
    if timecode is None:
        return Timebase(rate, 0, rate in _DROPPING)
    match = _TIMECODE.fullmatch(timecode)
    if match is None:
        raise ValueError(f"{timecode!r} is not a timecode; write 01:00:00:00, or 01:00:00;00 for drop-frame")
    base = Timebase(rate, 0, match[4] in ";,")
    return Timebase(rate, _number([int(match[place]) for place in (1, 2, 3, 5)], base, timecode), base.drop)


def _number(parts: Sequence[int], base: Timebase, text: str) -> int:
    hours, minutes, seconds, frames = parts
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base.nominal:
        raise ValueError(f"{text!r} is not a timecode at {float(base.rate):.5g} frames per second")
    all_minutes = hours * 60 + minutes
    number = (all_minutes * 60 + seconds) * base.nominal + frames
    if base.drop:
        dropped = base.nominal // 15
        if frames < dropped and seconds == 0 and minutes % 10:
            raise ValueError(f"{text!r} is left out of drop-frame timecode; the next is {text[:-2]}{dropped:02}")
        number -= dropped * (all_minutes - all_minutes // 10)
    return number

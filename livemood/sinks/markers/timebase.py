"""Frames, seconds and timecode of one clip."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

# Rates that editing programs know. A measured one so near to one of them is that one.
_STANDARD: Final = tuple(
    Fraction(rate, divisor)
    for rate, divisor in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1),
        (60000, 1001), (60, 1), (100, 1), (120000, 1001), (120, 1),
    )
)  # fmt: skip
_NEAR: Final = Fraction(3, 10_000)
_DROPPING: Final = (Fraction(30000, 1001), Fraction(60000, 1001))
_TIMECODE: Final = re.compile(r"(\d{1,2}):(\d\d):(\d\d)([:;.,])(\d{2,3})")


def standard_rate(measured: Fraction) -> Fraction:
    """Return the rate that an editing program would give a clip of so many frames per second."""
    best = min(_STANDARD, key=lambda rate: abs(rate - measured))
    return best if abs(best - measured) <= best * _NEAR else Fraction(max(round(measured), 1))


@dataclass(frozen=True, slots=True)
class Timebase:
    """How a clip counts its frames.

    Attributes:
        rate: Frames per second, exactly.
        first_frame: Number that the timecode gives the clip's first frame; 0 for 00:00:00:00.
        drop: Whether the timecode leaves out numbers so as to keep to the clock (29.97 and 59.94 only).
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
        """Frames that timecode counts in a second: 24 of 23.976, 30 of 29.97."""
        return round(self.rate)

    def frame(self, time_s: float) -> int:
        """Return the frame that is shown from ``time_s`` on, s after the first; 0 is the first."""
        return max(round(Fraction(time_s) * self.rate), 0)

    def seconds(self, frames: int) -> Fraction:
        """Return how long so many frames last, s."""
        return frames / self.rate

    def timecode(self, frame: int) -> str:
        """Return the timecode of a frame counted from the clip's first, as 01:00:00:00 or, dropping, 01:00:00;00."""
        number = self.first_frame + frame
        if self.drop:
            number += self._left_out(number)
        seconds, rest = divmod(number, self.nominal)
        minutes = seconds // 60
        mark = ";" if self.drop else ":"
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds % 60:02}{mark}{rest:02}"

    def _left_out(self, number: int) -> int:
        """Return how many timecodes were left out before a frame's."""
        dropped = self.nominal // 15  # in every minute but each tenth
        per_minute = self.nominal * 60 - dropped
        tens, rest = divmod(number, per_minute * 10 + dropped)
        return 9 * dropped * tens + dropped * max((rest - dropped) // per_minute, 0)


def timebase(rate: Fraction, timecode: str | None = None) -> Timebase:
    """Return how a clip counts its frames.

    Args:
        rate: Frames per second as measured; the nearest standard rate is taken.
        timecode: Of the first frame: 01:00:00:00, or 01:00:00;00 for drop-frame. Without one it is 0, dropping where
            the rate is 29.97 or 59.94, as there the timecode would leave the clock.

    Raises:
        ValueError: A timecode that is none, or that the rate does not have.
    """
    rate = standard_rate(rate)
    if timecode is None:
        return Timebase(rate, 0, rate in _DROPPING)
    match = _TIMECODE.fullmatch(timecode)
    if match is None:
        raise ValueError(f"{timecode!r} is no timecode; write 01:00:00:00, or 01:00:00;00 for drop-frame")
    base = Timebase(rate, 0, match[4] in ";,")
    return Timebase(rate, _number([int(match[place]) for place in (1, 2, 3, 5)], base, timecode), base.drop)


def _number(parts: Sequence[int], base: Timebase, text: str) -> int:
    hours, minutes, seconds, frames = parts
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base.nominal:
        raise ValueError(f"{text!r} is no timecode at {float(base.rate):.5g} frames per second")
    all_minutes = hours * 60 + minutes
    number = (all_minutes * 60 + seconds) * base.nominal + frames
    if base.drop:
        dropped = base.nominal // 15
        if frames < dropped and seconds == 0 and minutes % 10:
            raise ValueError(f"{text!r} is left out of drop-frame timecode; the next is {text[:-2]}{dropped:02}")
        number -= dropped * (all_minutes - all_minutes // 10)
    return number

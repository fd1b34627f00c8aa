"""Times of frames, repaired where a file's own are missing or run backwards."""

from fractions import Fraction

_LONGEST_S = 3600


class Timeline:
    """Gives each frame its time, always later than the one before.

    A time that is repeated, or lies up to one frame interval back, is moved one tick behind the last one, so that
    the frames after it can keep theirs. One that is missing, lies further back (as where two recordings were joined)
    or more than an hour ahead follows the last one at the usual interval.

    Args:
        tick: The unit of the file's times, s.
        interval: The usual time between frames, s.

    Attributes:
        tick: As given.
        interval: As given, but a tick at least.
        repaired: How many frames got another time than their own.
    """

    def __init__(self, tick: Fraction, interval: Fraction) -> None:
        self.tick = tick
        self.interval = max(interval, tick)
        self._last: Fraction | None = None
        self.repaired = 0

    def place(self, time: Fraction | None) -> Fraction:
        """Return the time of the next frame, s, given what the file says."""
        if self._last is None:
            self.repaired += time is None
            self._last = time if time is not None else Fraction(0)
            return self._last
        if time is None or not -self.interval <= time - self._last <= _LONGEST_S:
            time, repaired = self._last + self.interval, True
        elif time <= self._last:
            time, repaired = self._last + self.tick, True
        else:
            repaired = False
        self.repaired += repaired
        self._last = time
        return time

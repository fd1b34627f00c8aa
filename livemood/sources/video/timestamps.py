"""Times of frames, repaired where a file's own are missing or run backwards."""

from fractions import Fraction

_LONGEST_S = 3600


class Timeline:
    """Gives each frame its time, always later than the one before.

    A time that is repeated, or up to one frame interval too early, becomes the last time plus one tick, so that the
    frames after it can keep theirs. One that is missing, earlier than that (as where two recordings were joined) or
    more than an hour ahead becomes the last time plus the usual interval.

    Args:
        tick: The unit of the file's times, s.
        interval: The usual time between frames, s.

    Attributes:
        tick: As given.
        interval: As given, but a tick at least.
        repaired: Number of frames whose time was changed.
    """

    def __init__(self, tick: Fraction, interval: Fraction) -> None:
        self.tick = tick
        self.interval = max(interval, tick)
        self._last: Fraction | None = None
        self.repaired = 0

    def place(self, time: Fraction | None) -> Fraction:
        """Return the time of the next frame, s, given the file's own; None where it has none."""
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

"""Timestamps of frames, repaired where a file's own are missing or run backwards."""

from fractions import Fraction

from av.video.frame import VideoFrame

_LONGEST_S = 3600


class ShownTimes:
    """Chooses between a file's two timestamps of each frame: presentation time (pts) and decoding time (dts).

    If presentation times are out of order more often than decoding times, they are ignored.

    Args:
        decoding_only: The container stores no presentation times, and those that FFmpeg derives are wrong for streams
            with B-frames. Times then rise evenly from the first frame on.
    """

    def __init__(self, decoding_only: bool = False) -> None:
        self._decoding_only = decoding_only
        self._ahead: int | None = None
        self._next = 0
        self._last: dict[str, int] = {}
        self._wrong = {"pts": 0, "dts": 0}

    def of(self, frame: VideoFrame) -> int | None:
        """Return the presentation time of the next frame, in the file's ticks; None if it is not known."""
        pts, dts = frame.pts, frame.dts
        if self._decoding_only:
            return self._decoded(frame)
        if pts is None or dts is None:
            return dts if pts is None else pts
        for name, ticks in (("pts", pts), ("dts", dts)):
            self._wrong[name] += ticks <= self._last.get(name, ticks - 1)
            self._last[name] = ticks
        return pts if self._wrong["pts"] <= self._wrong["dts"] else dts

    def _decoded(self, frame: VideoFrame) -> int | None:
        pts, dts = frame.pts, frame.dts
        if self._ahead is None:
            if pts is None or dts is None:
                return dts if pts is None else pts
            self._ahead = dts - pts
        # The last frames come without a packet of their own.
        ticks = self._next if dts is None else dts - self._ahead
        self._next = ticks + max(frame.duration, 1)
        return ticks


class Timeline:
    """Gives each frame its time, always later than the one before.

    A time that is repeated, or lies up to one frame interval back, is moved one tick behind the last one, so that
    the frames after it can keep theirs. One that is missing, lies further back (as where two recordings were joined)
    or more than an hour ahead follows the last one at the usual interval, unless it is known to be a pause.

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

    def leaps(self, time: Fraction | None) -> bool:
        """Return whether a time is so far ahead, or behind, that it may be of another clock."""
        return time is not None and self._last is not None and not -self.interval <= time - self._last <= _LONGEST_S

    def place(self, time: Fraction | None, pause: bool = False) -> Fraction:
        """Return the time of the next frame, s.

        Args:
            time: The file's own time, s; None if it has none.
            pause: Accept a time that lies far ahead: no frame was recorded for so long.
        """
        if self._last is None:
            self.repaired += time is None
            self._last = time if time is not None else Fraction(0)
            return self._last
        if time is None or (self.leaps(time) and not (pause and time > self._last)):
            time, repaired = self._last + self.interval, True
        elif time <= self._last:
            time, repaired = self._last + self.tick, True
        else:
            repaired = False
        self.repaired += repaired
        self._last = time
        return time

"""How often faces are classified: a slow computer classifies fewer frames instead of dropping pictures."""

_WEIGHT = 0.1
# Work per frame, as a share of the time between two pictures: above the first the stride grows, below the second it
# shrinks. They differ so that it does not oscillate.
_TOO_MUCH, _LITTLE = 1.0, 0.85
_SETTLE_FRAMES = 15
# Longest time between two classifications, s.
_OLDEST_S = 0.1


class InferenceStride:
    """Decides from the time that frames take which ones to classify.

    Attributes:
        every: Classify every Nth frame.
    """

    def __init__(self) -> None:
        self.every = 1
        self._count = 0
        self._since_change = 0
        self._load = 0.0

    def due(self) -> bool:
        """Return whether to classify the next frame; call it once for each."""
        self._count += 1
        return self._count % self.every == 0

    def note(self, work_s: float, interval_s: float) -> None:
        """Report a frame.

        Args:
            work_s: Time that it took, s.
            interval_s: Time between two pictures of the source, s.
        """
        if interval_s <= 0:
            return
        self._load += _WEIGHT * (work_s / interval_s - self._load)
        self._since_change += 1
        if self._since_change < _SETTLE_FRAMES:
            return
        apart_s = max(work_s, interval_s)
        if self._load > _TOO_MUCH and (self.every + 1) * apart_s <= _OLDEST_S:
            self._change(self.every + 1)
        elif self.every > 1 and (self._load < _LITTLE or self.every * apart_s > _OLDEST_S):
            self._change(self.every - 1)

    def _change(self, every: int) -> None:
        self.every = every
        self._since_change = 0

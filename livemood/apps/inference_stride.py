"""How often faces are classified, so that a slow computer falls behind in moods and not in pictures."""

_WEIGHT = 0.1
# Work may take so much of the time between two pictures before it is lightened, and so little before it is taken up
# again; apart, so that it does not swing.
_TOO_MUCH, _LITTLE = 1.0, 0.85
_SETTLE_FRAMES = 15
# Moods get no older than this: beyond it, too few pictures come for skipping to help.
_OLDEST_S = 0.1


class InferenceStride:
    """Watches how long frames take, and says on which ones to classify.

    Attributes:
        every: Classify on one of so many frames.
    """

    def __init__(self) -> None:
        self.every = 1
        self._count = 0
        self._since_change = 0
        self._load = 0.0

    def due(self) -> bool:
        """Tell whether to classify the next frame; to be asked once for each."""
        self._count += 1
        return self._count % self.every == 0

    def note(self, work_s: float, interval_s: float) -> None:
        """Take the time that a frame took, and the time between two pictures of the source, in seconds."""
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

"""See known faces again without searching the whole frame: a ``Detector`` with a memory, for one source."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from livemood.settings import FollowerSettings
from livemood.values import Box, Detection, Frame


@runtime_checkable
class WindowDetector(Protocol):
    """A detector that can also look at a part of a frame."""

    @property
    def follows(self) -> bool:
        """Whether looking at a part is worth while."""
        ...

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first."""
        ...

    def detect_within(self, frame: Frame, window: Box) -> tuple[Detection, ...]:
        """Return the faces in a square window of a frame."""
        ...


class Follower:
    """Finds the faces of a source's frames, most of them in small windows around where they were.

    The whole frame is looked at when no face is known, when a face is not in its window or two became one, when there
    are more faces than pay or too small ones, when time jumps, and otherwise every ``look_every_s`` seconds. So the
    first face and one that was lost are seen as early as if every frame were searched, and one that joins others at
    most that much later. What a look does not confirm is dropped; a face that it confirms keeps the place that its
    window gave, so that boxes and keypoints do not jump between the two ways of seeing.

    Args:
        detector: Looks; stays the caller's to close.
        settings: How often, and when windows are worth while.
        max_overlap: Two boxes sharing more than this of the smaller one are the same face.
    """

    def __init__(self, detector: WindowDetector, settings: FollowerSettings, max_overlap: float) -> None:
        self._detector = detector
        self._settings = settings
        self._max_overlap = max_overlap
        self._faces: tuple[Detection, ...] = ()
        self._worth_following = False
        self._frame_s = self._looked_s = 0.0

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of the next frame, largest first."""
        every_s = self._settings.look_every_s
        jumped = not 0 <= frame.time_s - self._frame_s < every_s
        due = not self._worth_following or frame.time_s - self._looked_s >= every_s
        again = [] if jumped or not self._worth_following else self._seen_again(frame)
        must_look = jumped or due or len(again) < len(self._faces)
        faces = self._look(frame, again) if must_look else tuple(again)
        self._frame_s = frame.time_s
        self._faces = tuple(sorted(faces, key=lambda face: -face.box.area))
        return self._faces

    def _look(self, frame: Frame, again: Sequence[Detection]) -> tuple[Detection, ...]:
        """Search the whole frame, and take the windows' word for the faces that they saw too."""
        found = self._detector.detect(frame)
        faces = tuple(next((old for old in again if self._same(old, face)), face) for face in found)
        small = any(face.box.width < self._settings.smallest_px for face in found)
        self._worth_following = 0 < len(faces) <= self._settings.max_faces and not small
        self._looked_s = frame.time_s
        return faces

    def _seen_again(self, frame: Frame) -> list[Detection]:
        """Return the known faces that are still near their places."""
        again: list[Detection] = []
        for known in self._faces:
            x, y = known.box.centre
            half = max(known.box.width, known.box.height) * self._settings.window_scale / 2
            found = self._detector.detect_within(frame, Box(x - half, y - half, x + half, y + half))
            best = max(found, key=lambda face: face.box.iou(known.box), default=None)
            if best is None or best.box.iou(known.box) < self._settings.min_iou:
                continue
            if not any(self._same(best, other) for other in again):
                again.append(best)
        return again

    def _same(self, one: Detection, other: Detection) -> bool:
        shared = one.box.intersection(other.box)
        return shared > self._max_overlap * min(one.box.area, other.box.area)

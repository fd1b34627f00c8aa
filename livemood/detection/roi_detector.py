"""See known faces again without searching the whole frame: a ``Detector`` with a memory, for one source."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.settings import RoiSettings
from livemood.core.types import Detection, Frame, Image
from livemood.detection.optical_flow import GrayRoi, propagate_by_flow

# Points at which two frames are compared, across and down.
_SAMPLED = (32, 24)


@runtime_checkable
class SupportsRoi(Protocol):
    """A detector that can also look at a part of a frame."""

    @property
    def follows(self) -> bool:
        """Whether looking at a part is worth while."""
        ...

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of one frame, largest first."""
        ...

    def detect_in_roi(self, frame: Frame, window: Box) -> tuple[Detection, ...]:
        """Return the faces in a square window of a frame."""
        ...


class _Known(NamedTuple):
    """A face, what the square window looks like in which it is looked for next, and when a network saw it last."""

    face: Detection
    glimpse: GrayRoi
    seen_s: float


class RoiDetector:
    """Finds the faces of a source's frames, most of them in small windows around where they were.

    In its window a face is carried along by optical flow. The network sees it again every ``redetect_every_s`` seconds
    or when the flow does not tell.

    The whole frame is looked at when no face is known, when a face is not in its window or two became one, when there
    are more faces than pay or too small ones, when time jumps or the picture is cut to another, and otherwise every
    ``full_frame_every_s`` seconds. So the first face and one that was lost are seen as early as if every frame were
    searched, and one that joins others at most that much later. What a look does not confirm is dropped; a face that
    it confirms keeps the place that its window gave, so that boxes and keypoints do not jump between the two ways of
    seeing.

    Args:
        detector: Looks; stays the caller's to close.
        settings: How often, and when windows are worth while.
        max_overlap: Two boxes sharing more than this of the smaller one are the same face.
    """

    def __init__(self, detector: SupportsRoi, settings: RoiSettings, max_overlap: float) -> None:
        self._detector = detector
        self._settings = settings
        self._max_overlap = max_overlap
        self._known: list[_Known] = []
        self._worth_following = False
        self._frame_s = self._looked_s = 0.0
        self._sample: npt.NDArray[np.int16] | None = None

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of the next frame, largest first."""
        every_s = self._settings.full_frame_every_s
        jumped = self._cut(frame.image) or not 0 <= frame.time_s - self._frame_s < every_s
        due = not self._worth_following or frame.time_s - self._looked_s >= every_s
        again = [] if jumped or not self._worth_following else self._seen_again(frame)
        if jumped or due or len(again) < len(self._known):
            again = self._look(frame, again)
        self._frame_s = frame.time_s
        self._known = sorted(again, key=lambda known: -known.face.box.area)
        return tuple(known.face for known in self._known)

    def _cut(self, image: Image) -> bool:
        """Tell whether a frame has little to do with the one before, by the brightness of some hundred points."""
        points = cv2.resize(image, _SAMPLED, interpolation=cv2.INTER_NEAREST)
        sample = np.asarray(cv2.cvtColor(points, cv2.COLOR_BGR2GRAY), np.int16)
        before, self._sample = self._sample, sample
        return before is not None and float(np.abs(sample - before).mean()) > self._settings.cut_change

    def _look(self, frame: Frame, again: Sequence[_Known]) -> list[_Known]:
        """Search the whole frame, and take the windows' word for the faces that they saw too."""
        found = self._detector.detect(frame)
        # An old box over two faces says where neither is.
        told = [old for old in again if sum(self._same(old.face, face) for face in found) == 1]
        faces = [
            next((old for old in told if self._same(old.face, face)), None) or self._first_seen(frame, face)
            for face in found
        ]
        small = any(face.box.width < self._settings.smallest_px for face in found)
        self._worth_following = 0 < len(faces) <= self._settings.max_faces and not small
        self._looked_s = frame.time_s
        return faces

    def _first_seen(self, frame: Frame, face: Detection) -> _Known:
        return _Known(face, GrayRoi.of(frame.image, self._window(face)), frame.time_s)

    def _seen_again(self, frame: Frame) -> list[_Known]:
        """Return the known faces that are still near their places."""
        again: list[_Known] = []
        for known in self._known:
            found = self._where_now(frame, known)
            if found and not any(self._same(found.face, other.face) for other in again):
                again.append(found)
        return again

    def _where_now(self, frame: Frame, known: _Known) -> _Known | None:
        """Return a known face at its new place, if it is still near the old one."""
        now, seen_s = GrayRoi.of(frame.image, known.glimpse.window), known.seen_s
        due = frame.time_s - seen_s >= self._settings.redetect_every_s
        face = None if due else propagate_by_flow(known.face, known.glimpse, now)
        if face is None:
            face, seen_s = self._in_window(frame, known), frame.time_s
        if face is None:
            return None
        # The network's answer shivers with the place of its window: one that still fits stays where it is.
        window = self._window(face)
        stays = window.iou(now.window) >= self._settings.same_window
        return _Known(face, now if stays else GrayRoi.of(frame.image, window), seen_s)

    def _in_window(self, frame: Frame, known: _Known) -> Detection | None:
        """Return the face that the network sees in a known face's window, if it is the same."""
        box = known.face.box
        found = self._detector.detect_in_roi(frame, known.glimpse.window)
        best = max(found, key=lambda face: face.box.iou(box), default=None)
        return best if best and best.box.iou(box) >= self._settings.min_iou else None

    def _window(self, face: Detection) -> Box:
        """Return where to look for a face in the next frame: a square around it."""
        x, y = face.box.centre
        half = max(face.box.width, face.box.height) * self._settings.window_scale / 2
        return Box(x - half, y - half, x + half, y + half)

    def _same(self, one: Detection, other: Detection) -> bool:
        shared = one.box.intersection(other.box)
        return shared > self._max_overlap * min(one.box.area, other.box.area)

"""Follow known faces without searching the whole frame: a detector with a state, for one source."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.settings import RoiSettings
from livemood.core.types import Detection, Frame, Image
from livemood.detection.base import SupportsRoi
from livemood.detection.optical_flow import GrayRoi, propagate_by_flow
from livemood.detection.transforms import same_face, square, turns_to_upright

# Points at which two frames are compared, across and down.
_SAMPLED = (32, 24)


class _Known(NamedTuple):
    """A known face, its square window, when a network last detected it (s), and its quarter turns from upright."""

    face: Detection
    roi: GrayRoi
    seen_s: float
    turns: int


class RoiDetector:
    """Finds the faces of a source's frames, most of them in small windows around their last positions.

    Optical flow moves a face within its window. The network detects it again every ``redetect_every_s`` seconds, or
    when the flow is unreliable.

    The whole frame is searched when no face is known, when a face is not in its window or two became one, when there
    are more than ``max_faces``, when time jumps or the picture is cut to another, and otherwise every
    ``full_frame_every_s`` seconds. So the first face and one that was lost are seen as early as if every frame were
    searched, and one that joins others at most that much later. What a fine search does not confirm is dropped; a face
    that it confirms keeps the place that its window gave, so that boxes and keypoints do not jump between the two ways
    of seeing.

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
        self._frame_s = self._looked_s = 0.0
        self._looks = -1
        self._sample: npt.NDArray[np.int16] | None = None

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of the next frame, largest first."""
        every_s = self._settings.full_frame_every_s
        jumped = self._cut(frame.image) or not 0 <= frame.time_s - self._frame_s < every_s
        crowded = len(self._known) > self._settings.max_faces
        again = [] if jumped or crowded else self._seen_again(frame)
        lost = len(again) < len(self._known)
        if jumped or lost or not again or frame.time_s - self._looked_s >= every_s:
            again = self._look(frame, again, afresh=jumped or lost)
        self._frame_s = frame.time_s
        self._known = sorted(again, key=lambda known: -known.face.box.area)
        return tuple(known.face for known in self._known)

    def _cut(self, image: Image) -> bool:
        """Tell whether a frame has little to do with the one before, by the brightness of some hundred points."""
        points = cv2.resize(image, _SAMPLED, interpolation=cv2.INTER_NEAREST)
        sample = np.asarray(cv2.cvtColor(points, cv2.COLOR_BGR2GRAY), np.int16)
        before, self._sample = self._sample, sample
        return before is not None and float(np.abs(sample - before).mean()) > self._settings.cut_change

    def _look(self, frame: Frame, again: Sequence[_Known], afresh: bool) -> list[_Known]:
        """Search the whole frame, and take the windows' word for the faces that they saw too."""
        settings = self._settings
        self._looks = 0 if afresh else self._looks + 1
        self._looked_s = frame.time_s
        small = any(known.face.box.width < settings.smallest_px for known in again)
        fine, turns = (small or self._looks % settings.fine_every == 0, 0) if again else _idle_look(self._looks)
        found, kept = self._detector.search(frame, [known.face.box for known in again], fine, turns)
        # A turned face is not seen by a search of the upright frame: its window alone tells.
        staying = [known for known, stays in zip(again, kept, strict=True) if stays or known.turns]
        return [*staying, *(self._first_seen(frame, face) for face in found)]

    def _first_seen(self, frame: Frame, face: Detection) -> _Known:
        return _Known(face, GrayRoi.of(frame.image, self._window(face)), frame.time_s, turns_to_upright(face))

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
        now, seen_s = GrayRoi.of(frame.image, known.roi.window), known.seen_s
        due = frame.time_s - seen_s >= self._settings.redetect_every_s
        face = None if due else propagate_by_flow(known.face, known.roi, now)
        if face is None:
            face, seen_s = self._in_window(frame, known), frame.time_s
        if face is None:
            return None
        # The network's output changes slightly with the position of its window (jitter), so a fitting window is kept.
        window = self._window(face)
        stays = window.iou(now.window) >= self._settings.same_window
        return _Known(face, now if stays else GrayRoi.of(frame.image, window), seen_s, turns_to_upright(face))

    def _in_window(self, frame: Frame, known: _Known) -> Detection | None:
        """Return the face that the network sees in a known face's window, if it is the same."""
        box = known.face.box
        found = self._detector.detect_in_roi(frame, known.roi.window, known.turns)
        best = max(found, key=lambda face: face.box.iou(box), default=None)
        return best if best and best.box.iou(box) >= self._settings.min_iou else None

    def _window(self, face: Detection) -> Box:
        """Return where to look for a face in the next frame: a square around it."""
        return square(face.box, self._settings.window_scale)

    def _same(self, one: Detection, other: Detection) -> bool:
        return same_face(one.box, other.box, self._max_overlap)


def _idle_look(look: int) -> tuple[bool, int]:
    """Return whether a look for the first face is a fine one, and by how many quarter turns the frame is turned."""
    return ((True, 0), (False, 1), (False, 0), (False, 3))[look % 4]

"""Follow known faces without searching every whole frame: a detector with state, for the frames of one source."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.geometry import Box
from livemood.core.stage_settings import RoiSettings
from livemood.core.types import Detection, Frame, Image
from livemood.detection.base import SupportsRoi
from livemood.detection.optical_flow import GrayRoi, propagate_by_flow
from livemood.detection.transforms import best_match, same_face, square, turns_to_upright


class _Known(NamedTuple):
    """A known face, its window, the time at which a network last detected it (s), and its quarter turns to upright."""

    face: Detection
    roi: GrayRoi
    seen_s: float
    turns: int


class RoiDetector:
    """Finds the faces of a source's frames, most of them in small windows around their last positions.

    Optical flow moves a face within its window. The network detects it again every ``redetect_every_s`` seconds, or
    when the flow is unreliable.

    The whole frame is searched when no face is known, when a face is lost from its window or two have merged,
    when there are more than ``max_faces``, when time jumps or the scene changes, and otherwise every
    ``full_frame_every_s`` seconds. So the first face and a lost one are found as early as if every frame were
    searched, and one that joins others at most that much later. A known face that a fine search does not confirm is
    dropped. One that it confirms keeps the box and keypoints from its window, so that these do not jump.

    Args:
        detector: Runs the networks; the caller closes it.
        settings: Intervals and thresholds.
        max_overlap: Two boxes sharing more than this of the smaller one are the same face.
    """

    def __init__(self, detector: SupportsRoi, settings: RoiSettings, max_overlap: float) -> None:
        self._detector = detector
        self._settings = settings
        self._max_overlap = max_overlap
        self._known: list[_Known] = []
        self._frame_s = self._searched_s = 0.0
        self._searches = -1
        self._sample: npt.NDArray[np.int16] | None = None

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the faces of the next frame, largest first."""
        every_s = self._settings.full_frame_every_s
        jumped = self._is_cut(frame.image) or not 0 <= frame.time_s - self._frame_s < every_s
        crowded = len(self._known) > self._settings.max_faces
        followed = [] if jumped or crowded else self._follow(frame)
        lost = len(followed) < len(self._known)
        if jumped or lost or not followed or frame.time_s - self._searched_s >= every_s:
            followed = self._search(frame, followed, restart=jumped or lost)
        self._frame_s = frame.time_s
        self._known = sorted(followed, key=lambda known: -known.face.box.area)
        return tuple(known.face for known in self._known)

    def _is_cut(self, image: Image) -> bool:
        """Return whether a new scene begins, by the brightness at ``sampled`` pixels."""
        points = cv2.resize(image, self._settings.sampled, interpolation=cv2.INTER_NEAREST)
        sample = np.asarray(cv2.cvtColor(points, cv2.COLOR_BGR2GRAY), np.int16)
        before, self._sample = self._sample, sample
        return before is not None and float(np.abs(sample - before).mean()) > self._settings.cut_change

    def _search(self, frame: Frame, followed: Sequence[_Known], restart: bool) -> list[_Known]:
        """Search the whole frame; return the followed faces that stay, and the new ones."""
        settings = self._settings
        self._searches = 0 if restart else self._searches + 1
        self._searched_s = frame.time_s
        small = any(known.face.box.width < settings.smallest_px for known in followed)
        fine, turns = (
            (small or self._searches % settings.fine_every == 0, 0) if followed else _idle_search(self._searches)
        )
        found, kept = self._detector.search(frame, [known.face.box for known in followed], fine, turns)
        # A search of the upright frame does not detect a rotated face, so it cannot drop one.
        staying = [known for known, stays in zip(followed, kept, strict=True) if stays or known.turns]
        return [*staying, *(self._new(frame, face) for face in found)]

    def _new(self, frame: Frame, face: Detection) -> _Known:
        return _Known(face, GrayRoi.of(frame.image, self._window(face)), frame.time_s, turns_to_upright(face))

    def _follow(self, frame: Frame) -> list[_Known]:
        """Return the known faces that are found in their windows, each once."""
        followed: list[_Known] = []
        for known in self._known:
            moved = self._moved(frame, known)
            if moved and not any(same_face(moved.face.box, other.face.box, self._max_overlap) for other in followed):
                followed.append(moved)
        return followed

    def _moved(self, frame: Frame, known: _Known) -> _Known | None:
        """Return a known face at its new position; None if it was lost."""
        now, seen_s = GrayRoi.of(frame.image, known.roi.window), known.seen_s
        due = frame.time_s - seen_s >= self._settings.redetect_every_s
        face = None if due else propagate_by_flow(known.face, known.roi, now, self._settings.flow)
        if face is None:
            face, seen_s = self._in_window(frame, known), frame.time_s
        if face is None:
            return None
        # The network's output changes slightly with the position of its window (jitter), so a window is kept while it
        # fits.
        window = self._window(face)
        stays = window.iou(now.window) >= self._settings.same_window
        return _Known(face, now if stays else GrayRoi.of(frame.image, window), seen_s, turns_to_upright(face))

    def _in_window(self, frame: Frame, known: _Known) -> Detection | None:
        """Return the network's detection of a known face in its window; None if it finds none there."""
        faces = self._detector.detect_in_roi(frame, known.roi.window, known.turns)
        return best_match(faces, known.face.box, self._settings.min_iou)

    def _window(self, face: Detection) -> Box:
        """Return the window in which a face is searched in the next frame: a square around it."""
        return square(face.box, self._settings.window_scale)


def _idle_search(number: int) -> tuple[bool, int]:
    """Return, for a search while no face is known, whether it is a fine one and its clockwise quarter turns."""
    return ((True, 0), (False, 1), (False, 0), (False, 3))[number % 4]

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from livemood.core.geometry import Box
from livemood.core.stage_settings import RoiSettings
from livemood.core.types import Detection, Frame
from livemood.detection.roi_detector import RoiDetector
from livemood.detection.transforms import turned_back
from livemood.detection.whole_search import beside_known
from tests.support.builders import make_detection, make_frame

A, B = make_detection(150, 200), make_detection(450, 200, 80)
FPS = 30


class Scene:
    """A detector with scripted faces per frame; a window returns those whose centre is in it, shifted by one px."""

    supports_roi = True

    def __init__(self, *faces: Sequence[Detection], window_blind: Sequence[int] = ()) -> None:
        self._faces, self._blind = faces, window_blind
        self.searches: list[int] = []
        self.ways: list[tuple[bool, int]] = []
        self.windows: list[tuple[int, Box]] = []

    def _at(self, frame: Frame) -> Sequence[Detection]:
        return self._faces[min(frame.index, len(self._faces) - 1)]

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        self.searches.append(frame.index)
        return tuple(self._at(frame))

    def search(
        self, frame: Frame, known: Sequence[Box], fine: bool, turns: int = 0
    ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
        self.ways.append((fine, turns))
        found = self.detect(frame)
        new, kept = beside_known([face.box for face in found], known, 0.5, drop_unseen=fine)
        return tuple(found[i] for i in new), kept

    def detect_in_roi(self, frame: Frame, window: Box, turns: int = 0) -> tuple[Detection, ...]:
        self.windows.append((frame.index, window))
        seen = () if frame.index in self._blind else self._at(frame)
        shifted = [Detection(face.box.shifted(1, 0), face.keypoints, face.score) for face in seen]
        return tuple(
            face
            for face in shifted
            if window.left < face.box.centre[0] < window.right and window.top < face.box.centre[1] < window.bottom
        )


def follow(scene: Scene, count: int, fps: float = FPS, **settings: float) -> list[tuple[Box, ...]]:
    detector = RoiDetector(scene, RoiSettings(**settings), 0.5)  # type: ignore[arg-type]
    return [tuple(face.box for face in detector.detect(make_frame(index=i, time_s=i / fps))) for i in range(count)]


def test_roi_detector_of_a_still_face_then_the_whole_frame_is_searched_on_the_cadence_only():
    scene = Scene([A])
    boxes = follow(scene, 10, full_frame_every_s=0.095)
    assert scene.searches == [0, 3, 6, 9]
    assert [len(found) for found in boxes] == [1] * 10


def test_roi_detector_when_a_search_confirms_a_face_then_its_box_does_not_jump():
    boxes = follow(Scene([A]), 8, full_frame_every_s=0.1)
    assert set(boxes[1:]) == {(A.box.shifted(1, 0),)}


def test_roi_detector_when_no_face_is_there_then_every_frame_is_searched_and_a_new_one_seen_at_once():
    scene = Scene([], [], [], [], [A], [A])
    boxes = follow(scene, 6, full_frame_every_s=10)
    assert [len(found) for found in boxes] == [0, 0, 0, 0, 1, 1]
    assert scene.searches == [0, 1, 2, 3, 4]


def test_roi_detector_when_a_second_face_comes_then_it_is_seen_within_the_cadence():
    boxes = follow(Scene([A], [A], [A], [A], [A, B]), 12, full_frame_every_s=0.2)
    first = next(i for i, found in enumerate(boxes) if len(found) == 2)
    assert 4 < first <= 4 + 0.2 * FPS


def test_roi_detector_when_a_window_loses_its_face_then_the_same_frame_is_searched():
    scene = Scene([A], window_blind=[3])
    boxes = follow(scene, 5, full_frame_every_s=10)
    assert [len(found) for found in boxes] == [1] * 5
    assert scene.searches == [0, 3]


def test_roi_detector_when_a_face_leaves_then_it_is_gone_at_once():
    assert [len(found) for found in follow(Scene([A, B], [A, B], [A]), 4, full_frame_every_s=10)] == [2, 2, 1, 1]


def test_roi_detector_when_two_windows_show_the_same_face_then_it_counts_once():
    near = make_detection(170, 200)
    scene = Scene([A, make_detection(260, 200)], [near])
    assert [len(found) for found in follow(scene, 3, full_frame_every_s=10, min_iou=0.01)] == [2, 1, 1]
    assert scene.searches == [0, 1]


def test_roi_detector_when_a_window_holds_two_faces_then_keeps_the_one_it_follows():
    other = make_detection(230, 200)
    boxes = follow(Scene([A], [A, other]), 3, full_frame_every_s=10)
    assert boxes[2] == (A.box.shifted(1, 0),)


def test_roi_detector_when_an_old_box_covers_two_faces_then_each_is_where_the_search_finds_it():
    pair = make_detection(250, 200), make_detection(352, 200)

    class Merged(Scene):
        """Windows detect one face where a search detects two."""

        def detect_in_roi(self, frame: Frame, window: Box, turns: int = 0) -> tuple[Detection, ...]:
            return (make_detection(300, 200, 200),)

    boxes = follow(Merged([make_detection(300, 200, 200)], pair), 4, full_frame_every_s=0.1)
    assert boxes[3] == tuple(face.box for face in pair)


def test_roi_detector_when_a_fine_search_does_not_confirm_a_face_then_it_is_dropped():
    class Print(Scene):
        """Windows detect a face that no search detects."""

        def detect(self, frame: Frame) -> tuple[Detection, ...]:
            found = super().detect(frame)
            return found if frame.index == 0 else ()

    assert [len(found) for found in follow(Print([A]), 5, full_frame_every_s=0.1, fine_every=1)] == [1, 1, 1, 0, 0]
    found = [len(found) for found in follow(Print([A]), 9, full_frame_every_s=0.1, fine_every=2)]
    assert found == [1, 1, 1, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("faces", "settings"),
    [
        ([A, B], {"max_faces": 1}),
        ([A], {"full_frame_every_s": 0.0}),
    ],
)
def test_roi_detector_when_windows_do_not_pay_then_every_whole_frame_is_searched(faces, settings):
    scene = Scene(faces)
    follow(scene, 5, **settings)
    assert scene.searches == list(range(5))
    assert scene.windows == []


def test_roi_detector_when_frames_are_far_apart_then_every_whole_frame_is_searched():
    scene = Scene([A])
    follow(scene, 4, fps=2, full_frame_every_s=0.2)
    assert scene.searches == [0, 1, 2, 3]
    assert scene.windows == []


def test_roi_detector_when_time_goes_back_then_the_whole_frame_is_searched():
    scene = Scene([A])
    detector = RoiDetector(scene, RoiSettings(full_frame_every_s=10), 0.5)
    for index, time_s in enumerate([5.0, 5.03, 1.0, 1.03]):
        detector.detect(make_frame(index=index, time_s=time_s))
    assert scene.searches == [0, 2]


def test_roi_detector_then_windows_are_square_around_the_face_and_scale_with_it():
    scene = Scene([B])
    follow(scene, 2, window_scale=2.5)
    (_, window), x, y = scene.windows[0], *B.box.centre
    assert window.centre == (x, y)
    assert window.width == window.height == pytest.approx(2.5 * max(B.box.width, B.box.height))


def test_roi_detector_then_faces_come_largest_first():
    assert all(found[0].width > found[1].width for found in follow(Scene([A, B]), 3))


def test_roi_detector_when_the_picture_is_cut_to_another_then_the_whole_frame_is_searched_at_once():
    scene = Scene([A], [A], [A], [B], [B])
    detector = RoiDetector(scene, RoiSettings(full_frame_every_s=10), 0.5)
    found = []
    for index, level in enumerate([60, 62, 75, 120, 120]):
        image = np.full((480, 640, 3), level, np.uint8)
        found.append(detector.detect(Frame(index, index / FPS, image)))
    assert scene.searches == [0, 3]
    assert found[3] == (B,)


def test_roi_detector_when_a_face_stays_in_its_place_over_a_cut_then_others_are_still_found_at_once():
    scene = Scene([A], [A], [A, B])
    detector = RoiDetector(scene, RoiSettings(full_frame_every_s=10), 0.5)
    found = [detector.detect(make_frame(index=i, time_s=i / FPS, level=level)) for i, level in enumerate([60, 60, 120])]
    assert scene.searches == [0, 2]
    assert found[2] == (A, B)


def test_roi_detector_when_another_face_comes_into_a_window_as_its_own_leaves_then_the_frame_is_searched():
    other = make_detection(230, 200)
    scene = Scene([A], [other])
    boxes = follow(scene, 2, full_frame_every_s=10)
    assert scene.searches == [0, 1]
    assert boxes[1] == (other.box,)


def test_roi_detector_when_a_face_outgrows_another_then_it_comes_first_from_that_frame_on():
    grown = make_detection(450, 200, 120)
    boxes = follow(Scene([A, B], [A, grown]), 2, full_frame_every_s=10)
    assert [round(found[0].width) for found in boxes] == [100, 120]


def test_roi_detector_when_all_faces_are_lost_then_the_next_search_is_a_fine_upright_one():
    scene = Scene([A], [A], [A], [A], [A], [])
    follow(scene, 7, full_frame_every_s=0.1)
    assert scene.searches == [0, 3, 5, 6]
    assert scene.ways == [(True, 0), (False, 0), (True, 0), (False, 1)]


def test_roi_detector_when_a_face_moves_a_little_then_its_window_stays_and_else_goes_along():
    near, far = (Detection(A.box.shifted(by, 0), A.keypoints, A.score) for by in (5, 60))
    scene = Scene([A], [near], [near], [far], [far])
    follow(scene, 5, full_frame_every_s=10)
    places = [round(window.centre[0] - A.box.centre[0]) for _, window in scene.windows]
    assert places[:3] == [0, 0, 0]
    assert places[3] > 55


def textured(index: int, time_s: float, dx: int = 0) -> Frame:
    """Return a frame full of soft blobs, shifted by ``dx`` px."""
    blobs = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    image = cv2.resize(blobs, (640, 480), interpolation=cv2.INTER_CUBIC)
    return Frame(index, time_s, np.roll(image, dx, 1))


def test_roi_detector_when_the_flow_is_reliable_then_the_network_runs_only_at_its_interval():
    scene = Scene([A])
    detector = RoiDetector(scene, RoiSettings(full_frame_every_s=10, redetect_every_s=0.099), 0.5)
    found = [detector.detect(textured(i, i / FPS, dx=2 * i)) for i in range(8)]
    assert [index for index, _ in scene.windows] == [3, 6]
    assert found[2][0].box.centre[0] == pytest.approx(A.box.centre[0] + 4, abs=0.5)
    assert found[3][0].box.centre[0] == pytest.approx(A.box.centre[0] + 1, abs=0.01)  # the network's word


def test_roi_detector_when_frames_come_slower_than_the_network_is_asked_then_it_sees_each():
    scene = Scene([A])
    detector = RoiDetector(scene, RoiSettings(full_frame_every_s=10, redetect_every_s=0.1), 0.5)
    for i in range(4):
        detector.detect(textured(i, i / 8))
    assert [index for index, _ in scene.windows] == [1, 2, 3]


def test_roi_detector_when_faces_are_small_then_every_search_is_a_fine_one():
    small, large = Scene([B]), Scene([B])
    for scene, px in ((small, 90.0), (large, 40.0)):
        follow(scene, 20, full_frame_every_s=0.09, smallest_px=px, fine_every=3)
    assert set(small.ways) == {(True, 0)}
    assert large.ways[:5] == [(True, 0), (False, 0), (False, 0), (True, 0), (False, 0)]


def test_roi_detector_when_no_face_is_known_then_fine_and_rotated_searches_alternate():
    scene = Scene([])
    follow(scene, 5, full_frame_every_s=10)
    assert scene.ways == [(True, 0), (False, 1), (False, 0), (False, 3), (True, 0)]


def test_roi_detector_of_a_face_on_its_side_then_its_window_is_turned_upright_and_no_upright_search_drops_it():
    turned_by: list[int] = []

    class Sideways(Scene):
        def detect_in_roi(self, frame: Frame, window: Box, turns: int = 0) -> tuple[Detection, ...]:
            turned_by.append(turns)
            return super().detect_in_roi(frame, window)

        def search(
            self, frame: Frame, known: Sequence[Box], fine: bool, turns: int = 0
        ) -> tuple[tuple[Detection, ...], tuple[bool, ...]]:
            return super().search(frame, known, fine) if turns == 1 else ((), (False,) * len(known))

    lying = turned_back(make_detection(200, 150), 1, 640, 480)
    scene = Sideways([lying])
    boxes = follow(scene, 12, full_frame_every_s=0.1)
    assert [len(found) for found in boxes] == [0, *[1] * 11]
    assert set(turned_by) == {1}

import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from livemood.core.geometry import Box
from livemood.core.settings import DetectorMode
from livemood.core.types import Detection, Frame, Image, Keypoint
from livemood.detection.combined import FaceDetector
from livemood.detection.transforms import square, turned, turned_back
from tests.support.builders import SAMPLES, make_detection, make_frame, read_still


@pytest.fixture(scope="module")
def portrait() -> Image:
    """The drawn faces of the sample picture: a large one on the left, a smaller one on the right."""
    return read_still(SAMPLES / "faces.png")


@pytest.mark.parametrize("mode", ["near", "far", "auto", "fast"])
def test_detector_of_a_face_then_box_holds_the_keypoints_in_order(portrait: Image, mode: DetectorMode):
    with FaceDetector(mode) as detector:
        face = detector.detect(Frame(0, 0.0, portrait))[0]
    right_eye, left_eye, nose, mouth = (face.keypoints[k] for k in list(Keypoint)[:4])
    assert right_eye[0] < nose[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < mouth[1]
    for x, y in (right_eye, left_eye, nose, mouth):
        assert face.box.left < x < face.box.right
        assert face.box.top < y < face.box.bottom
    assert 0.5 <= face.score <= 1


@pytest.mark.parametrize("mode", ["near", "far", "auto", "fast"])
def test_detector_of_an_empty_picture_then_no_face(mode: DetectorMode):
    with FaceDetector(mode) as detector:
        assert detector.detect(make_frame()) == ()


def test_detector_of_a_strided_view_then_the_same_face_as_of_a_copy(portrait: Image):
    """A mirrored view has negative strides, which mediapipe would misread silently."""
    with FaceDetector() as detector:
        view = detector.detect(Frame(0, 0.0, portrait[:, ::-1]))
        copy = detector.detect(Frame(0, 0.0, portrait[:, ::-1].copy()))
    assert [face.box for face in view] == [face.box for face in copy]
    assert len(view) == 2


def test_detector_of_swapped_colours_then_scores_differ(portrait: Image):
    """The network takes RGB, so swapping the channels must change the result."""
    skin = portrait.reshape(-1, 3).astype(int)
    assert skin[:, 2].mean() > skin[:, 0].mean()
    with FaceDetector("near") as detector:
        right = detector.detect(Frame(0, 0.0, portrait))[0].score
        swapped = detector.detect(Frame(0, 0.0, portrait[..., ::-1]))
    assert not swapped or swapped[0].score != right


def test_detector_of_two_faces_then_both_once_and_the_larger_first(portrait: Image):
    face = FaceDetector("near")
    box = face.detect(Frame(0, 0.0, portrait))[0].box
    face.close()
    margin = box.width * 0.5
    top, bottom = max(int(box.top - margin), 0), int(box.bottom + margin)
    left, right = max(int(box.left - margin), 0), int(box.right + margin)
    cut = portrait[top:bottom, left:right]
    scene = np.full((720, 1280, 3), 120, np.uint8)
    big = cv2.resize(cut, (480, 480), interpolation=cv2.INTER_AREA)
    small = cv2.resize(cut, (260, 260), interpolation=cv2.INTER_AREA)
    scene[100:580, 60:540] = big
    scene[200:460, 860:1120] = small
    with FaceDetector() as detector:
        faces = detector.detect(Frame(0, 0.0, scene))
    assert len(faces) == 2
    assert faces[0].box.centre[0] < 640 < faces[1].box.centre[0]
    assert faces[0].box.area > faces[1].box.area


class Network:
    """A face network that says the same of every picture."""

    side = 128

    def __init__(self, *faces: Detection) -> None:
        self._faces = faces

    def find(self, image: Image) -> tuple[Detection, ...]:
        return self._faces

    def close(self) -> None:
        pass


def test_fast_then_close_faces_are_the_near_networks_and_smaller_ones_the_far_networks(monkeypatch):
    large, small = make_detection(200, 240, 240, 0.6), make_detection(500, 240, 80, 0.8)
    far_large, far_small = make_detection(205, 240, 240, 0.9), make_detection(505, 240, 80, 0.7)
    networks = {"near": Network(large, small), "far": Network(far_large, far_small)}
    monkeypatch.setattr("livemood.detection.combined.open_network", lambda name, _: networks[name])
    with FaceDetector("fast") as detector:
        assert detector.detect(make_frame()) == (large, far_small)
    networks["far"] = Network()
    with FaceDetector("fast") as detector:
        assert detector.detect(make_frame()) == (large, small)


def test_window_when_the_network_is_not_sure_enough_then_no_face(monkeypatch):
    weak, sure = make_detection(40, 64, 30, 0.3), make_detection(90, 64, 30, 0.8)
    monkeypatch.setattr("livemood.detection.combined.open_network", lambda *_: Network(weak, sure))
    with FaceDetector("auto") as detector:
        (face,) = detector.detect_in_roi(make_frame(), Box(0, 0, 128, 128))
    assert face.score == sure.score


@pytest.mark.parametrize("shift", [(0, 0), (-70, 40)])
def test_window_around_a_face_then_the_same_face_in_frame_pixels(portrait: Image, shift: tuple[int, int]):
    with FaceDetector() as detector:
        frame = Frame(0, 0.0, portrait)
        whole = detector.detect(frame)[1]
        x, y = whole.box.centre
        window = Box(x - 300, y - 300, x + 300, y + 300).shifted(*shift)
        (face,) = detector.detect_in_roi(frame, window)
    eyes = np.linalg.norm(whole.keypoints[0] - whole.keypoints[1])
    assert np.abs(face.keypoints[:4] - whole.keypoints[:4]).max() < 0.15 * eyes
    assert face.box.iou(whole.box) > 0.6


def test_window_beyond_the_picture_then_black_there_and_the_face_still_found(portrait: Image):
    with FaceDetector() as detector:
        frame = Frame(0, 0.0, portrait)
        face = detector.detect(frame)[0]
        cut = Frame(0, 0.0, portrait[:, int(face.box.left) :])
        x, y = face.box.width / 2, face.box.centre[1]
        side = 2.5 * face.box.width
        window = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        (seen,) = detector.detect_in_roi(cut, window)
    assert seen.box.shifted(int(face.box.left), 0).iou(face.box) > 0.6


def test_window_wholly_outside_then_no_face(portrait: Image):
    with FaceDetector() as detector:
        assert detector.detect_in_roi(Frame(0, 0.0, portrait), Box(-900, -900, -700, -700)) == ()
        assert detector.detect_in_roi(Frame(0, 0.0, portrait), Box(9000, 10, 9100, 110)) == ()


@pytest.mark.parametrize(("mode", "follows"), [("auto", True), ("fast", True), ("near", False), ("far", False)])
def test_detector_then_only_the_one_with_both_networks_is_worth_following_with(mode: DetectorMode, follows: bool):
    with FaceDetector(mode) as detector:
        assert detector.supports_roi is follows


def test_detector_of_one_pixel_then_no_face_and_no_crash():
    with FaceDetector() as detector:
        assert detector.detect(make_frame(1, 1)) == ()


def test_detector_when_mode_is_unknown_then_names_the_modes():
    with pytest.raises(ValueError, match="auto, near, far, fast, got 'both'"):
        FaceDetector("both")  # type: ignore[arg-type]


def test_detector_when_closed_then_it_cannot_be_used_and_a_second_close_is_harmless():
    detector = FaceDetector()
    detector.close()
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector.detect(make_frame())
    with pytest.raises(ValueError, match="closed"):
        detector.detect_in_roi(make_frame(), Box(0, 0, 9, 9))


def test_window_when_the_detector_does_not_follow_then_says_which_one_does():
    with FaceDetector("far") as detector, pytest.raises(ValueError, match="auto or fast mode"):
        detector.detect_in_roi(make_frame(), Box(0, 0, 9, 9))


@pytest.mark.parametrize("mode", ["auto", "near", "far", "fast"])
def test_detector_without_litert_then_mediapipe_sees_the_same_faces(monkeypatch, mode: DetectorMode):
    frame = Frame(0, 0.0, read_still(SAMPLES / "faces.png"))
    with FaceDetector(mode) as detector:
        ours = detector.detect(frame)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)  # what a missing wheel looks like
    with FaceDetector(mode) as detector:
        theirs = detector.detect(frame)
        if detector.supports_roi:
            (again,) = detector.detect_in_roi(frame, square(theirs[0].box, 2.25))
            assert again.box.iou(theirs[0].box) > 0.8
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert one.box.iou(other.box) > 0.95
        assert one.keypoints == pytest.approx(other.keypoints, abs=0.005 * frame.width)


@pytest.mark.parametrize("mode", ["auto", "fast"])
def test_search_of_a_frame_then_only_what_is_not_known_and_whether_the_known_are_there(
    portrait: Image, mode: DetectorMode
):
    frame = Frame(0, 0.0, portrait)
    with FaceDetector(mode) as detector:
        faces, kept = detector.search(frame, [], fine=True)
        assert (len(faces), kept) == (2, ())
        nowhere = Box(0, 0, 40, 40)
        new, kept = detector.search(frame, [faces[0].box, nowhere], fine=True)
    assert [face.box.iou(faces[1].box) > 0.9 for face in new] == [True]
    assert kept == (True, False)


def test_search_of_a_turned_frame_then_the_faces_of_the_upright_one_in_its_pixels(portrait: Image):
    with FaceDetector() as detector:
        upright, _ = detector.search(Frame(0, 0.0, portrait), [], fine=True)
        lying, _ = detector.search(Frame(0, 0.0, turned(portrait, 1)), [], fine=True, turns=3)
    height, width = portrait.shape[:2]
    for one, other in zip(upright, lying, strict=True):
        back = turned_back(other, 1, width, height)
        assert back.box.iou(one.box) > 0.85
        assert np.abs(back.keypoints[:4] - one.keypoints[:4]).max() < 0.1 * one.box.width


def test_detector_when_four_threads_share_it_then_each_gets_what_it_asked_for(portrait: Image):
    frames = [Frame(0, 0.0, np.roll(portrait, 40 * step, 1)) for step in range(4)]
    with FaceDetector() as detector:
        alone = [[face.box for face in detector.detect(frame)] for frame in frames]
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(detector.detect, frames * 3))
    assert [[face.box for face in found] for found in together] == alone * 3

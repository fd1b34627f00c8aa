import cv2
import numpy as np
import pytest

from livemood.bundles.manifest import face_model
from livemood.core.errors import ModelIncompatible
from livemood.core.types import Frame, Image, Keypoint
from livemood.detection.combined import FaceDetector
from livemood.detection.transforms import square, turned
from livemood.detection.yunet import YuNet, like_blazeface
from tests.support.builders import SAMPLES, read_still


@pytest.fixture(scope="module")
def network() -> YuNet:
    return YuNet(face_model("yunet"), 0.3)


@pytest.fixture(scope="module")
def faces() -> Image:
    return read_still(SAMPLES / "faces.png")


def test_network_when_made_and_used_then_prints_nothing(capfd: pytest.CaptureFixture[str], faces: Image):
    YuNet(face_model("yunet"), 0.3).find(faces, 320)
    assert capfd.readouterr() == ("", "")


def test_network_when_the_picture_is_shrunk_then_places_are_in_its_own_pixels(network: YuNet, faces: Image):
    large, small = (network.find(faces, px)[:2] for px in (640, 320))
    assert len(large) == len(small) == 2
    for one in large:
        assert max(one.box.iou(other.box) for other in small) > 0.7


def test_place_then_its_points_are_in_the_order_of_keypoints_and_framed_as_blazeface_does(network: YuNet, faces: Image):
    place = network.find(faces, 640)[0]
    right, left, nose, mouth, right_ear, left_ear = place.keypoints
    assert right_ear[0] < right[0] < nose[0] < left[0] < left_ear[0]
    assert right[1] < nose[1] < mouth[1]
    with FaceDetector("fast") as detector:
        theirs = max(detector.detect(Frame(0, 0.0, faces)), key=lambda face: face.box.iou(place.box))
    assert like_blazeface(place).box.iou(theirs.box) > 0.7
    eyes = np.linalg.norm(theirs.keypoints[Keypoint.LEFT_EYE] - theirs.keypoints[Keypoint.RIGHT_EYE])
    assert np.abs(place.keypoints[:4] - theirs.keypoints[:4]).max() < 0.25 * eyes


@pytest.mark.parametrize("mirrored", [False, True])
def test_score_of_a_window_then_high_at_the_face_and_nothing_beside_it(network: YuNet, faces: Image, mirrored: bool):
    place = network.find(faces, 640)[0].box
    window = square(place, 3.0)
    assert network.score(faces, window, place, 224, 0.25, mirrored) > 0.6
    beside = place.shifted(place.width, 0)
    assert network.score(faces, window, beside, 224, 0.25, mirrored) < 0.5


def test_network_of_an_empty_picture_then_nothing(network: YuNet):
    assert network.find(np.full((64, 64, 3), 90, np.uint8)) == []
    assert network.find(np.full((1, 1, 3), 90, np.uint8)) == []


def test_network_of_another_file_then_says_which(tmp_path):
    broken = tmp_path / "yunet.onnx"
    broken.write_bytes(b"not a network")
    with pytest.raises(ModelIncompatible, match=r"yunet\.onnx"):
        YuNet(broken, 0.3)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (97, 41), (200, 330)])
def test_photo_when_it_is_padded_then_the_same_faces_there(faces: Image, top: int, left: int):
    padded = cv2.copyMakeBorder(faces, top, 60, left, 60, cv2.BORDER_CONSTANT, value=(120, 120, 120))
    with FaceDetector() as detector:
        alone = detector.detect(Frame(0, 0.0, faces))
        inside = detector.detect(Frame(0, 0.0, np.asarray(padded, np.uint8)))
    assert len(alone) == len(inside) == 2
    for one, other in zip(alone, inside, strict=True):
        assert other.box.shifted(-left, -top).iou(one.box) > 0.7


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_photo_when_it_is_turned_then_the_same_faces_with_the_mouth_where_it_then_is(faces: Image, turns: int):
    with FaceDetector() as detector:
        upright = detector.detect(Frame(0, 0.0, faces))
        lying = detector.detect(Frame(0, 0.0, turned(faces, turns)))
    assert len(lying) == len(upright)
    down = [(0, 1), (-1, 0), (0, -1), (1, 0)][turns]
    for face in lying:
        points = face.keypoints
        towards = points[Keypoint.MOUTH] - (points[Keypoint.RIGHT_EYE] + points[Keypoint.LEFT_EYE]) / 2
        assert towards @ down > 0.8 * np.linalg.norm(towards)

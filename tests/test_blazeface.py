import cv2
import numpy as np
import pytest

from livemood.blazeface import SIDE, NearNetwork
from livemood.bundle import face_model
from livemood.detect import FaceDetector
from livemood.errors import ModelIncompatible
from livemood.values import Frame, Image
from livemood.window import fitted
from tests.builders import SAMPLES, read_still


@pytest.fixture(scope="module")
def network() -> NearNetwork:
    return NearNetwork(face_model("near"), 0.5)


@pytest.fixture(scope="module")
def portrait() -> Image:
    """The drawn faces, small enough for the network to see both."""
    return np.asarray(cv2.resize(read_still(SAMPLES / "faces.png")[:, :720], (SIDE, SIDE)), np.uint8)


def test_network_of_a_face_then_the_same_as_mediapipe_makes_of_the_same_file(network: NearNetwork, portrait: Image):
    faces = network.find(portrait)
    with FaceDetector("near") as detector:
        theirs = detector.detect(Frame(0, 0.0, portrait))
    assert len(faces) == len(theirs) == 1
    assert faces[0].keypoints == pytest.approx(theirs[0].keypoints, abs=1e-3)
    assert faces[0].score == pytest.approx(theirs[0].score, abs=1e-5)
    assert faces[0].box.centre == pytest.approx(theirs[0].box.centre, abs=1.5)  # theirs are whole px


@pytest.mark.parametrize("size", [(640, 360), (500, 500), (333, 471)])
def test_network_of_a_whole_frame_then_the_same_as_mediapipe_makes_of_it(network: NearNetwork, size: tuple[int, int]):
    image = np.asarray(cv2.resize(read_still(SAMPLES / "faces.png")[:, :720], size), np.uint8)
    small, left, top, scale = fitted(image, SIDE)
    ours = network.find(small)
    with FaceDetector("near") as detector:
        theirs = detector.detect(Frame(0, 0.0, image))
    assert len(ours) == len(theirs) == 1
    assert ours[0].keypoints * scale + (left, top) == pytest.approx(theirs[0].keypoints, abs=0.1 * scale)


def test_network_of_an_empty_picture_then_no_face(network: NearNetwork):
    assert network.find(np.full((SIDE, SIDE, 3), 90, np.uint8)) == ()


def test_network_when_told_to_be_surer_then_fewer_faces(portrait: Image):
    assert NearNetwork(face_model("near"), 0.999).find(portrait) == ()


def test_network_of_another_file_then_says_which(tmp_path):
    with pytest.raises(ModelIncompatible, match="full_range"):
        NearNetwork(face_model("far"), 0.5)
    broken = tmp_path / "near.tflite"
    broken.write_bytes(b"not a network")
    with pytest.raises(ModelIncompatible, match=r"near\.tflite"):
        NearNetwork(broken, 0.5)

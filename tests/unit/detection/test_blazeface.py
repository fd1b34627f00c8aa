import cv2
import numpy as np
import pytest

from livemood.bundles.manifest import default_bundle
from livemood.bundles.shipped import face_model
from livemood.core.errors import ModelIncompatible
from livemood.core.types import Image
from livemood.detection.blazeface import BlazeFace
from livemood.detection.mediapipe_runner import MediaPipeFace
from livemood.detection.networks import Range
from tests.support.builders import SAMPLES, read_still

_SIDE = 128


@pytest.fixture(scope="module")
def near() -> BlazeFace:
    return BlazeFace(face_model("near"), 0.5)


@pytest.fixture(scope="module")
def portrait() -> Image:
    """The drawn faces, small enough for the network to see both."""
    return np.asarray(cv2.resize(read_still(SAMPLES / "faces.png")[:, :720], (_SIDE, _SIDE)), np.uint8)


def test_network_of_a_face_then_the_same_as_mediapipe_makes_of_the_same_file(near: BlazeFace, portrait: Image):
    faces = near.find(portrait)
    with MediaPipeFace(face_model("near"), 0.5) as reference:
        theirs = reference.find(portrait)
    assert len(faces) == len(theirs) == 1
    assert faces[0].keypoints == pytest.approx(theirs[0].keypoints, abs=1e-3)
    assert faces[0].score == pytest.approx(theirs[0].score, abs=1e-5)
    assert faces[0].box.centre == pytest.approx(theirs[0].box.centre, abs=1.5)  # theirs are whole px


@pytest.mark.parametrize("size", [(640, 360), (500, 500), (1280, 720)])
@pytest.mark.parametrize(("name", "side"), [("near", 128), ("far", 192)])
def test_network_of_a_whole_frame_then_the_same_as_mediapipe_makes_of_it(name: Range, side: int, size: tuple[int, int]):
    image = np.asarray(cv2.resize(read_still(SAMPLES / "faces.png"), size), np.uint8)
    network = BlazeFace(face_model(name), 0.5)
    assert network.side == side
    scale = max(size) / side
    ours = sorted(network.find(image), key=lambda face: -face.box.area)
    with MediaPipeFace(face_model(name), 0.5) as reference:
        theirs = sorted(reference.find(image), key=lambda face: -face.box.area)
    assert len(ours) == len(theirs) == 2
    for one, other in zip(ours, theirs, strict=True):
        assert one.keypoints == pytest.approx(other.keypoints, abs=0.1 * scale)
        assert one.score == pytest.approx(other.score, abs=0.005)


def test_network_of_an_empty_picture_then_no_face(near: BlazeFace):
    assert near.find(np.full((_SIDE, _SIDE, 3), 90, np.uint8)) == ()


def test_network_when_told_to_be_surer_then_fewer_faces(portrait: Image):
    assert BlazeFace(face_model("near"), 0.999).find(portrait) == ()


def test_network_of_another_file_then_says_which(tmp_path):
    with pytest.raises(ModelIncompatible, match=r"emotion/model\.tflite"):
        BlazeFace(default_bundle() / "model.tflite", 0.5)
    broken = tmp_path / "near.tflite"
    broken.write_bytes(b"not a network")
    with pytest.raises(ModelIncompatible, match=r"near\.tflite"):
        BlazeFace(broken, 0.5)


def test_mediapipe_when_file_is_no_network_then_says_which(tmp_path):
    fake = tmp_path / "face.tflite"
    fake.write_bytes(b"not a network")
    with pytest.raises(ModelIncompatible, match=r"face\.tflite is not a face detector"):
        MediaPipeFace(fake, 0.5)

import re
import sys
from typing import Any, ClassVar
from weakref import WeakSet

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from livemood.bundles.shipped import face_model
from livemood.core.errors import ModelIncompatible
from livemood.core.types import Frame, Image, Keypoint
from livemood.detection.combined import FaceDetector
from livemood.detection.roi import crop_roi
from livemood.detection.transforms import square, turned
from livemood.detection.yunet import YuNet, like_blazeface
from livemood.detection.yunet_runners import LiteRTRunner, OpenCVRunner, YuNetRunner, open_runner
from tests.support.builders import SAMPLES, read_still


@pytest.fixture(scope="module")
def network() -> YuNet:
    return YuNet(open_runner(0.3))


@pytest.fixture(scope="module")
def runner() -> LiteRTRunner:
    return LiteRTRunner(face_model("yunet"), 0.3)


@pytest.fixture(scope="module")
def faces() -> Image:
    return read_still(SAMPLES / "faces.png")


@pytest.mark.parametrize(("which", "opened"), [("yunet", LiteRTRunner), ("yunet-onnx", OpenCVRunner)])
def test_network_when_made_and_used_then_prints_nothing(which, opened, capfd: pytest.CaptureFixture[str], faces: Image):
    YuNet(opened(face_model(which), 0.3)).find(faces, 320)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("size", "count"), [((320, 320), 2), ((1280, 720), 2), ((333, 187), 2), ((90, 160), 2), ((31, 33), 0), ((1, 1), 0)]
)
def test_rows_by_litert_then_those_of_opencv(runner: LiteRTRunner, faces: Image, size: tuple[int, int], count: int):
    picture = np.asarray(cv2.resize(faces, size, interpolation=cv2.INTER_AREA), np.uint8)
    wanted = OpenCVRunner(face_model("yunet-onnx"), 0.3).rows(picture)
    assert len(wanted) == count
    for _ in range(2):  # of a network that is opened, and of one that was kept
        found = runner.rows(picture)
        assert found.dtype == np.float32
        assert found == pytest.approx(wanted, abs=2e-3)


def test_rows_of_a_crowd_then_each_face_once_and_highest_score_first(runner: LiteRTRunner, faces: Image):
    crowd = np.asarray(np.tile(cv2.resize(faces, (160, 90), interpolation=cv2.INTER_AREA), (6, 5, 1)), np.uint8)
    found = runner.rows(crowd)
    assert len(found) == 60
    assert (np.diff(found[:, -1]) <= 0).all()
    known = OpenCVRunner(face_model("yunet-onnx"), 0.3).rows(crowd)  # scores of equal faces differ in the last bit
    by_place = [rows[np.lexsort(rows[:, :2].round().T)] for rows in (found, known)]
    assert by_place[0] == pytest.approx(by_place[1], abs=2e-3)


def test_rows_of_a_smaller_picture_after_a_larger_one_then_nothing_of_that_is_left(runner: LiteRTRunner, faces: Image):
    large = np.asarray(cv2.resize(faces, (320, 180)), np.uint8)
    small = large[:, :290].copy()  # the same input size, padded
    alone = LiteRTRunner(face_model("yunet"), 0.3).rows(small)
    runner.rows(large)
    assert np.array_equal(runner.rows(small), alone)


def test_rows_of_a_network_that_had_other_sizes_then_those_of_a_new_one(runner: LiteRTRunner, faces: Image):
    usual = open_runner(0.3).rows(faces)
    for side in (1700, 64, 1600, 1500):
        runner.rows(np.zeros((side, side, 3), np.uint8))
    assert np.array_equal(runner.rows(faces), usual)


class Measured(Interpreter):  # type: ignore[misc]
    """A network of LiteRT that counts among those in memory, and notes the largest size that it ever had, px."""

    living: ClassVar[WeakSet["Measured"]] = WeakSet()

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.largest_px = 0
        self.living.add(self)

    def resize_tensor_input(self, index: int, shape: list[int]) -> None:
        self.largest_px = max(self.largest_px, shape[1] * shape[2])
        super().resize_tensor_input(index, shape)


def test_networks_of_many_sizes_then_few_are_kept_and_none_of_a_very_large_picture(monkeypatch):
    monkeypatch.setattr("ai_edge_litert.interpreter.Interpreter", Measured)
    runner = LiteRTRunner(face_model("yunet"), 0.3)
    for side in range(32, 32 * 20, 32):
        runner.rows(np.zeros((side, 64, 3), np.uint8))
    assert 1 < len(Measured.living) <= 8
    for side in (1500, 1600, 1700, 64):
        runner.rows(np.zeros((side, side, 3), np.uint8))
        assert sum(network.largest_px for network in Measured.living) <= 3_200_000
    for side in (2300, 64):
        assert len(runner.rows(np.zeros((side, side, 3), np.uint8))) == 0
    assert sum(network.largest_px for network in Measured.living) <= 3_200_000


def test_open_when_litert_has_no_wheel_then_opencv_runs_it(monkeypatch, faces: Image):
    usual = YuNet(open_runner(0.3)).find(faces, 640)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)  # what a missing wheel looks like
    runner: YuNetRunner = open_runner(0.3)
    assert isinstance(runner, OpenCVRunner)
    found = YuNet(runner).find(faces, 640)
    assert [one.score for one in found] == pytest.approx([one.score for one in usual], abs=1e-4)


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
    around = square(place, 3.0)
    window, box = crop_roi(faces, around, 224), place.shifted(-around.left, -around.top).scaled(224 / around.width)
    assert network.score(window, box, 0.25, mirrored) > 0.6
    assert network.score(window, box.shifted(box.width, 0), 0.25, mirrored) < 0.5


def test_find_with_a_least_score_then_the_same_candidates_without_those_below(network: YuNet, faces: Image):
    crowd = np.asarray(np.tile(cv2.resize(faces, (64, 36), interpolation=cv2.INTER_AREA), (4, 4, 1)), np.uint8)
    every = network.find(crowd)
    least = every[len(every) // 2].score
    wanted = [one for one in every if one.score >= least]
    found = network.find(crowd, min_score=least)
    assert 0 < len(wanted) < len(every)
    assert [(one.box, one.score) for one in found] == [(one.box, one.score) for one in wanted]
    assert np.array_equal([one.keypoints for one in found], [one.keypoints for one in wanted])


def test_network_of_an_empty_picture_then_nothing(network: YuNet):
    assert network.find(np.full((64, 64, 3), 90, np.uint8)) == []
    assert network.find(np.full((1, 1, 3), 90, np.uint8)) == []


@pytest.mark.parametrize(("opened", "others"), [(LiteRTRunner, "near"), (OpenCVRunner, "yunet")])
def test_network_of_another_file_then_says_which(opened, others, tmp_path):
    broken = tmp_path / "yunet.file"
    broken.write_bytes(b"not a network")
    for file in (broken, face_model(others)):
        with pytest.raises(ModelIncompatible, match=re.escape(file.name)):
            opened(file, 0.3)


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

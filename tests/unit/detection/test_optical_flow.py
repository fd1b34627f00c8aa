"""A textured face is moved by a known amount; the flow must find it, or return None."""

import cv2
import numpy as np
import pytest

from livemood.core.geometry import Box
from livemood.core.stage_settings import FlowSettings
from livemood.core.types import Image
from livemood.detection.optical_flow import GrayRoi, propagate_by_flow
from livemood.detection.roi import crop_roi
from tests.support.builders import SAMPLES, make_detection, read_still

FACE = make_detection(320, 240, 120)
WINDOW = Box(185, 105, 455, 375)
SETTINGS = FlowSettings()


@pytest.fixture(scope="module")
def picture() -> Image:
    """A drawn face of about 120 px in the middle of a VGA frame."""
    face = cv2.resize(read_still(SAMPLES / "faces.png")[140:640, 160:660], (160, 160), interpolation=cv2.INTER_AREA)
    frame = np.full((480, 640, 3), 110, np.uint8)
    frame[160:320, 240:400] = face
    return frame


def gray_roi(image: Image, matrix: np.ndarray | None = None) -> GrayRoi:
    if matrix is not None:
        image = np.asarray(cv2.warpAffine(image, matrix, image.shape[1::-1], borderValue=(110, 110, 110)), np.uint8)
    return GrayRoi.of(image, WINDOW)


@pytest.mark.parametrize(
    ("dx", "dy", "turn_deg", "growth"), [(0, 0, 0, 1), (9, -6, 0, 1), (3, 2, 5, 1), (0, 0, 0, 1.08), (-5, 4, -4, 0.95)]
)
def test_moved_then_box_and_keypoints_go_where_the_face_went(picture, dx, dy, turn_deg, growth):
    matrix = cv2.getRotationMatrix2D(FACE.box.centre, turn_deg, growth)
    matrix[:, 2] += dx, dy
    face = propagate_by_flow(FACE, gray_roi(picture), gray_roi(picture, matrix), SETTINGS)
    assert face is not None
    expected = FACE.keypoints @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(face.keypoints - expected).max() < 2
    assert face.box.centre == pytest.approx((320 + dx, 240 + dy), abs=1.5)
    assert face.box.width == pytest.approx(120 * growth, abs=2)
    assert face.score == FACE.score


def test_moved_when_a_third_of_the_face_does_something_else_then_the_rest_decides(picture):
    covered = picture.copy()
    covered[280:320, 240:400] = np.random.default_rng(0).integers(0, 256, (40, 160, 3))
    face = propagate_by_flow(FACE, gray_roi(picture), gray_roi(covered, np.array([[1.0, 0, 6], [0, 1, 0]])), SETTINGS)
    assert face is not None
    assert face.box.centre == pytest.approx((326, 240), abs=1.5)


def test_moved_when_its_quarters_go_four_ways_then_unknown(picture):
    torn = picture.copy()
    for rows in (slice(0, 240), slice(240, 480)):
        for columns in (slice(0, 320), slice(320, 640)):
            inwards = 8 if (rows.start == 0) == (columns.start == 0) else -8
            torn[rows, columns] = np.roll(picture, inwards, 1)[rows, columns]
    assert propagate_by_flow(FACE, gray_roi(picture), gray_roi(torn), SETTINGS) is None


@pytest.mark.parametrize("after", ["flat", "noise", "dark"])
def test_moved_when_the_picture_became_another_then_unknown(picture, after):
    frames = {
        "flat": np.full_like(picture, 90),
        "noise": np.random.default_rng(1).integers(0, 256, picture.shape).astype(np.uint8),
        "dark": picture // 4,
    }
    assert propagate_by_flow(FACE, gray_roi(picture), gray_roi(frames[after]), SETTINGS) is None


@pytest.mark.parametrize(
    "settings", [FlowSettings(most_growth=1.05), FlowSettings(most_change=0.0), FlowSettings(fewest_agreeing=1.01)]
)
def test_moved_when_the_settings_allow_less_then_unknown(picture, settings):
    larger = cv2.getRotationMatrix2D(FACE.box.centre, 0, 1.08)
    assert propagate_by_flow(FACE, gray_roi(picture), gray_roi(picture, larger), settings) is None


def test_moved_when_nothing_is_there_to_follow_then_unknown():
    flat = np.full((480, 640, 3), 90, np.uint8)
    assert propagate_by_flow(FACE, gray_roi(flat), gray_roi(flat), SETTINGS) is None


def test_cut_out_when_window_pokes_outside_then_black_beyond_the_frame():
    image = np.full((100, 100, 3), 200, np.uint8)
    part = crop_roi(image, Box(-50, -50, 50, 50), 96)
    assert part.shape == (96, 96, 3)
    assert part[:40, :40].max() == 0
    assert part[56:, 56:].min() == 200
    assert crop_roi(image, Box(400, 400, 500, 500), 96).max() == 0


def test_cut_out_when_grey_then_the_brightness_of_the_same_window():
    rng = np.random.default_rng(0)
    image = np.asarray(cv2.GaussianBlur(rng.integers(0, 256, (200, 300, 3), np.uint8), (0, 0), 3), np.uint8)
    window = Box(-20, 30, 130, 180)
    coloured = np.asarray(cv2.cvtColor(crop_roi(image, window, 96), cv2.COLOR_BGR2GRAY), int)
    grey = crop_roi(image, window, 96, grey=True)
    assert grey.shape == (96, 96)
    assert np.abs(grey - coloured).max() <= 1
    assert crop_roi(image, Box(400, 400, 500, 500), 96, grey=True).shape == (96, 96)

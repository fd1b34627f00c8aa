import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemood.core.geometry import Box
from livemood.detection.transforms import (
    best_match,
    first_of_each,
    moved,
    square,
    turned,
    turned_back,
    turns_to_upright,
    without_doubles,
)
from tests.support.builders import make_detection

whole = st.integers(0, 3)


@given(whole, st.integers(5, 60), st.integers(5, 60), st.integers(0, 4), st.integers(0, 4))
def test_turned_back_of_a_pixel_then_where_it_was(turns: int, width: int, height: int, x: int, y: int):
    image = np.zeros((height, width, 3), np.uint8)
    image[y, x] = 255
    rows, columns = np.nonzero(turned(image, turns)[..., 0])
    face = make_detection()
    point = np.full((6, 2), (columns[0] + 0.5, rows[0] + 0.5), np.float32)
    found = type(face)(Box(columns[0], rows[0], columns[0] + 1, rows[0] + 1), point, 1.0)
    back = turned_back(found, turns, width, height)
    assert back.box == Box(x, y, x + 1, y + 1)
    assert back.keypoints[0].tolist() == [x + 0.5, y + 0.5]


@pytest.mark.parametrize("turns", range(4))
def test_turns_to_upright_of_a_turned_face_then_what_turns_it_upright(turns: int):
    lying = turned_back(make_detection(100, 120), turns, 400, 300)
    assert turns_to_upright(lying) == turns


def test_moved_then_scaled_and_shifted():
    face = make_detection(100, 100, 50)
    found = moved(face, 10, 20, 2.0)
    assert found.box == Box(160, 170, 260, 270)
    assert found.keypoints == pytest.approx(face.keypoints * 2 + (10, 20))


def test_best_match_then_the_face_of_highest_iou_and_none_below_the_least():
    faces = [make_detection(100, 100, 50), make_detection(110, 100, 50), make_detection(300, 100, 50)]
    sought = Box(*(getattr(faces[1].box, side) + 1 for side in ("left", "top", "right", "bottom")))
    assert best_match(faces, sought, 0.9) is faces[1]
    assert best_match(faces, sought, 0.97) is None
    assert best_match([], sought, 0.0) is None


def test_square_then_around_the_centre_with_the_longer_side():
    assert square(Box(10, 10, 30, 50), 2.0) == Box(-20, -10, 60, 70)


def test_without_doubles_then_the_first_of_each_and_the_largest_in_front():
    small, large, double = make_detection(100, 100, 40), make_detection(300, 300, 90), make_detection(305, 300, 90)
    assert without_doubles([small, large, double], 0.5) == (large, small)


@pytest.mark.parametrize("order", [1, -1])
def test_first_of_each_when_one_box_lies_in_another_then_they_are_one_face_in_either_order(order: int):
    faces = [make_detection(100, 100, 40), make_detection(100, 100, 90)][::order]
    assert first_of_each(faces, 0.5) == faces[:1]

import numpy as np
import pytest

from livemood.detection.pyramid import Pyramid


@pytest.fixture(scope="module")
def large() -> Pyramid:
    rng = np.random.default_rng(0)
    return Pyramid(rng.integers(0, 256, (1501, 4003, 3), np.uint8), least_px=1000)


@pytest.mark.parametrize(
    ("scale", "shape", "factor"),
    [
        (1.5, (1501, 4003), 1),
        (0.4, (1501, 4003), 1),
        (0.3, (750, 2001), 2),
        (0.1, (375, 1000), 4),
        (1e-4, (375, 1000), 4),
    ],
)
def test_copy_then_larger_than_what_is_made_of_it_and_not_below_the_least(large: Pyramid, scale, shape, factor):
    image, smaller = large.at(scale)
    assert image.shape[:2] == shape
    assert smaller == factor


def test_copy_then_each_pixel_is_the_mean_of_those_at_its_place(large: Pyramid):
    copy, factor = large.at(0.3)
    pixels = large.image[:1500, :4002].reshape(750, 2, 2001, 2, 3).mean((1, 3))
    assert factor == 2
    assert np.abs(copy - pixels).max() <= 0.5


def test_copies_when_asked_for_again_then_not_made_again(large: Pyramid):
    assert large.at(0.3)[0] is large.at(0.25)[0]


def test_copy_of_about_the_wanted_size_then_taken_as_it_is(large: Pyramid):
    for wanted, factor, px in ((1050, 4, 1000), (2200, 2, 2001), (4000, 1, 4003)):
        assert large.sized(wanted)[1:] == (factor, px)


def test_copy_when_none_is_about_the_wanted_size_then_a_larger_one_to_be_scaled(large: Pyramid):
    assert large.sized(1200)[1:] == (2, 1200)
    assert large.sized(1500)[1:] == (1, 1500)


def test_picture_without_copies_then_scaled_to_just_the_wanted_size():
    assert Pyramid(np.zeros((1000, 1050, 3), np.uint8)).sized(1024)[1:] == (1, 1024)


def test_picture_without_copies_then_itself():
    image = np.zeros((4000, 4000, 3), np.uint8)
    assert Pyramid(image).at(0.01) == (image, 1)


@pytest.mark.parametrize("shape", [(1, 9000, 3), (9000, 1, 3), (3, 9000, 3)])
def test_copies_of_a_line_then_none_is_empty(shape):
    assert min(Pyramid(np.zeros(shape, np.uint8), least_px=10).at(1e-6)[0].shape) >= 1

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemood.core.crop_spec import CropSpec
from livemood.core.geometry import Box
from livemood.core.types import Detection, Frame, HeadMood, Prediction, Track
from livemood.records.schema import HeadScores, Record
from tests.support.builders import make_detection, make_mood


def test_frame_when_drawn_on_then_refuses():
    frame = Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0] = 1


def test_frame_when_made_then_callers_array_stays_writable():
    image = np.zeros((4, 4, 3), np.uint8)
    Frame(0, 0.0, image)
    image[0, 0] = 7
    assert image[0, 0, 0] == 7


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda frame: pickle.loads(pickle.dumps(frame))])
def test_frame_when_copied_or_sent_to_another_process_then_still_read_only(copied):
    frame = copied(Frame(3, 0.5, np.full((4, 4, 3), 7, np.uint8), reduced=True))
    assert (frame.index, frame.time_s, frame.reduced, frame.image[0, 0, 0]) == (3, 0.5, True, 7)
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0] = 1


def test_frame_from_strided_view_then_contiguous_with_the_same_pixels():
    image = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    frame = Frame(0, 0.0, image[..., ::-1])
    assert frame.image.flags.c_contiguous
    assert (frame.image == image[..., ::-1]).all()


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 4)), r"float64 \(4, 4\)"),
        (np.zeros((4, 4), np.uint8), r"uint8 \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 \(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)"),
        ("x", "str"),
        (None, "NoneType; cv2.imread returns None for a file that it cannot read"),
    ],
)
def test_frame_when_not_a_bgr_picture_then_says_what_came(image, said):
    with pytest.raises(ValueError, match=f"a frame needs .* got {said}"):
        Frame(0, 0.0, image)


@pytest.mark.parametrize(
    "sides", [(0, 0, 0, 1), (0, 0, 1, 0), (2, 0, 1, 1), (0, float("nan"), 1, 1), (0, 0, float("inf"), 1)]
)
def test_box_when_empty_or_not_finite_then_refused(sides):
    with pytest.raises(ValueError, match="a box needs"):
        Box(*sides)


numbers = st.floats(-1e4, 1e4)
sizes = st.floats(0.1, 1e4)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), numbers, numbers, sizes, sizes)


@given(boxes, boxes)
def test_iou_of_any_boxes_then_symmetric_and_in_range(a, b):
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert a.iou(b) == pytest.approx(b.iou(a))


@given(boxes)
def test_iou_of_a_box_with_itself_then_one(box):
    assert box.iou(box) == pytest.approx(1)


def test_iou_of_half_overlapping_squares_then_a_third():
    assert Box(0, 0, 2, 2).iou(Box(1, 0, 3, 2)) == pytest.approx(1 / 3)


def test_longer_side_then_width_or_height():
    assert Box(1, 2, 4, 3).longer_side == 3
    assert Box(1, 2, 2, 6).longer_side == 4


def test_detection_when_keypoints_are_missing_then_refused():
    with pytest.raises(ValueError, match="keypoints"):
        Detection(Box(0, 0, 1, 1), np.zeros((5, 2), np.float32), 0.5)


def test_detection_when_score_out_of_range_then_refused():
    with pytest.raises(ValueError, match="score"):
        Detection(Box(0, 0, 1, 1), np.zeros((6, 2), np.float32), 1.5)


def test_prediction_when_it_does_not_sum_to_one_then_refused():
    track = Track(1, make_detection(), 0.0)
    with pytest.raises(ValueError, match="sum to 1"):
        Prediction(np.array([0.5, 0.2], np.float32), track)


def test_crop_spec_when_colour_is_unknown_then_refused():
    with pytest.raises(ValueError, match="colour"):
        CropSpec(48, "rgb", ((0.3, 0.3), (0.7, 0.3), (0.5, 0.6), (0.5, 0.8)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("label", "smile", "kind"),
    [("happy", "open", "open"), ("happy", "closed", "closed"), ("happy", "none", None), ("happy", "unsure", None),
     ("happy", None, None), ("surprise", "open", None), ("unsure", "closed", None)],
)  # fmt: skip
def test_mood_when_the_model_tells_the_kind_of_smile_then_it_counts_for_a_happy_face_only(label, smile, kind):
    others = {"smile": HeadMood(smile, 0.9, {}, {})} if smile else {}
    assert replace(make_mood(label=label), others=others).smile_kind == kind
    recorded = {"smile": HeadScores(smile, {})} if smile else {}
    assert Record(0, 0.0, 1, label=label, others=recorded).smile_kind == kind

"""Moods as supervision.Detections."""

import sys

import numpy as np
import pytest
import supervision

from livemood.core.errors import LivemoodError
from livemood.core.labels import EMOTIONS
from livemood.interop import to_supervision
from tests.support.builders import make_frame, make_mood


def test_detections_when_made_from_moods_then_every_face_keeps_its_own_values() -> None:
    found = to_supervision([make_mood(7, "sad", 0.8, x=100), make_mood(3, "unsure", 0.3, x=400)])
    assert isinstance(found, supervision.Detections)
    np.testing.assert_allclose(found.xyxy, [[50, 190, 150, 290], [350, 190, 450, 290]])
    np.testing.assert_allclose(found.confidence, [0.8, 0.3], rtol=1e-6)
    assert found.tracker_id.tolist() == [7, 3]
    assert found.class_id.tolist() == [EMOTIONS.index("sad"), len(EMOTIONS)]
    assert found.data["label"].tolist() == ["sad", "unsure"]
    assert found.data["scores"].shape == (2, 8)
    assert found.data["scores"][0, EMOTIONS.index("sad")] == 0.8


def test_detections_when_filtered_by_the_library_then_data_follows() -> None:
    found = to_supervision([make_mood(7, "sad", 0.8), make_mood(3, "happy", 0.9)])
    assert found[found.tracker_id == 3].data["label"].tolist() == ["happy"]


def test_detections_when_drawn_by_the_library_then_the_picture_changes() -> None:
    picture = make_frame().image.copy()
    drawn = supervision.LabelAnnotator().annotate(picture.copy(), to_supervision([make_mood()]))
    assert (drawn != picture).any()


def test_detections_when_nobody_is_there_then_they_are_empty() -> None:
    found = to_supervision([])
    assert len(found) == 0
    assert found.data["scores"].shape == (0, 8)


def test_detections_when_the_model_has_fewer_labels_then_classes_count_in_its_order() -> None:
    labels = ("happy", "sad")
    found = to_supervision([make_mood(1, "sad", 0.8, labels), make_mood(2, "unsure", 0.3, labels)], labels)
    assert found.class_id.tolist() == [1, 2]
    assert found.data["scores"].shape == (2, 2)


def test_detections_when_a_label_is_foreign_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="label 'fear' of a mood is none of the labels given: happy, sad"):
        to_supervision([make_mood(1, "fear")], ("happy", "sad"))


def test_detections_when_the_library_is_missing_then_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(
        LivemoodError, match=r"supervision is not installed; try: pip install 'livemood\[supervision\]'"
    ):
        to_supervision([])

"""The measurement of faces in the wild: what it counts, and what it refuses."""

import cv2
import numpy as np
import pytest

from livemood.detection.combined import FaceDetector
from livemood.emotion.classifier import EmotionClassifier
from livemood.evaluation import wild
from tests.support.builders import SAMPLES, read_still


@pytest.mark.parametrize("count", ["0", "-1"])
def test_main_when_no_photo_is_asked_for_then_a_usage_error(tmp_path, capsys, count):
    with pytest.raises(SystemExit) as ended:
        wild.main([str(tmp_path), "--photos", count])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: argument --photos: it is 1 or more, got {count}\n")


@pytest.mark.parametrize(("photos", "count"), [(485, 300), (485, 800), (1599, 800), (0, 1)])
def test_step_then_at_most_as_many_photos_as_asked_for(photos, count):
    assert len(range(photos)[:: wild.step(photos, count)]) <= count


def test_doubts_then_unsure_faces_are_counted_by_their_reason():
    photo = read_still(SAMPLES / "faces.png")
    tiny = np.asarray(cv2.resize(photo, None, fx=0.05, fy=0.05, interpolation=cv2.INTER_AREA), np.uint8)
    classifier = EmotionClassifier()
    with FaceDetector("auto") as detector:
        assert wild.doubts(detector, classifier, [photo]) == "0 of 2 faces unsure"
        assert wild.doubts(detector, classifier, [photo, tiny]) == "1 of 3 faces unsure, blurred 1"

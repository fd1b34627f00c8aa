from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTIONS, UNSURE
from livemood.core.stage_settings import DoubtSettings, SmootherSettings
from livemood.core.types import Detection, FaceCrop, Frame, Prediction, Quality, Track
from livemood.detection.combined import FaceDetector
from livemood.emotion.crop import crop_track
from livemood.emotion.doubt import doubt
from livemood.emotion.quality import measure, yaw_deg
from livemood.emotion.smoother import Smoother
from livemood.evaluation.corruptions import FaceSample, blur, mask, noise
from tests.support.builders import SAMPLES, make_detection, read_still

GOOD = Quality(side_px=120, yaw_deg=5, sharpness=-1.3, noise=-2.5, covered=-2, chosen=1)
SETTINGS = DoubtSettings()


@pytest.mark.parametrize(
    ("quality", "confidence", "reason"),
    [
        (GOOD, 0.6, None),
        (GOOD, 0.4, "ambiguous"),
        (replace(GOOD, side_px=10), 0.99, "small"),
        (replace(GOOD, yaw_deg=70), 0.99, "turned"),
        (replace(GOOD, covered=3), 0.99, "covered"),
        (replace(GOOD, chosen=0.1), 0.99, "none of these"),
        (replace(GOOD, sharpness=-2.3), 0.7, "blurred"),
        (replace(GOOD, sharpness=-2.3), 0.97, None),
        (replace(GOOD, noise=-0.8), 0.7, "ambiguous"),
        (replace(GOOD, noise=-0.8), 0.97, None),
    ],
)
def test_doubt_then_names_what_keeps_a_face_from_being_read(quality, confidence, reason):
    assert doubt(quality, confidence, 0.5, SETTINGS) == reason


@pytest.fixture(scope="module")
def crop() -> FaceCrop:
    frame = Frame(0, 0.0, read_still(SAMPLES / "faces.png"))
    with FaceDetector("fast") as detector:
        return crop_track(frame, Track(1, detector.detect(frame)[0], 0.0), CROP)


def test_measure_of_a_worse_crop_then_what_is_worse_shows(crop: FaceCrop):
    rng = np.random.default_rng(0)
    sample = FaceSample.of_crop(crop.image, CROP)
    plain = measure(crop, CROP, 1.0)
    soft, noisy, masked = (
        measure(FaceCrop(change(sample, rng), crop.track), CROP, 1.0) for change in (blur(2.5), noise(25), mask)
    )
    assert soft.sharpness < plain.sharpness - 0.3
    assert noisy.noise > plain.noise + 0.5
    assert masked.covered > plain.covered + 2
    assert plain.side_px > 100


def test_measure_of_a_colour_crop_of_another_size_then_about_the_same(crop: FaceCrop):
    spec = replace(CROP, size_px=96, colour="bgr")
    large = cv2.cvtColor(cv2.resize(crop.image, (96, 96)), cv2.COLOR_GRAY2BGR)
    other = measure(FaceCrop(np.asarray(large, np.uint8), crop.track), spec, 1.0)
    assert other.covered == pytest.approx(measure(crop, CROP, 1.0).covered, abs=0.5)


def test_yaw_then_grows_as_the_nose_moves_towards_an_ear():
    def face(nose_x: float, ear: float) -> Detection:
        points = np.array([[-30, -20], [30, -20], [nose_x, 10], [nose_x / 2, 40], [-ear, -5], [ear, -5]], np.float32)
        return Detection(make_detection().box, points, 0.9)

    angles = [yaw_deg(face(x, ear).keypoints) for x, ear in ((0, 60), (25, 55), (-25, 55), (50, 40), (60, 15))]
    assert angles[0] == 0
    assert angles[1] == pytest.approx(angles[2])
    assert angles[0] < angles[1] < angles[3] < angles[4] < 90
    assert angles[4] > 60


def run(qualities: Sequence[Quality | None], p: float = 0.9) -> list[tuple[str, str | None]]:
    smoother = Smoother(EMOTIONS, SmootherSettings())
    scores = np.array([(1 - p) / 7, p, *[(1 - p) / 7] * 6], np.float32)
    found: list[tuple[str, str | None]] = []
    for i, quality in enumerate(qualities):
        (mood,) = smoother.update([Prediction(scores, Track(1, make_detection(), 0.0), quality=quality)], i / 30)
        found.append((mood.label, mood.reason))
    return found


def test_label_of_a_covered_face_then_unsure_with_the_reason_and_its_scores_stay():
    covered = replace(GOOD, covered=4)
    assert run([covered]) == [(UNSURE, "covered")]
    assert run([GOOD]) == [("happy", None)]
    assert run([None]) == [("happy", None)]
    assert run([None], p=0.3) == [(UNSURE, "ambiguous")]


def test_label_when_a_hand_passes_for_one_frame_then_the_face_is_not_unsure():
    assert set(run([GOOD] * 10 + [replace(GOOD, covered=3)] + [GOOD] * 5)) == {("happy", None)}
    assert run([GOOD] * 10 + [replace(GOOD, covered=5)] * 15)[-1] == (UNSURE, "covered")

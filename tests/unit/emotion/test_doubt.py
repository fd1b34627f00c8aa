from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTIONS, UNSURE
from livemood.core.stage_settings import SmootherSettings
from livemood.core.types import Detection, FaceCrop, Frame, Prediction, Quality, Track
from livemood.detection.combined import FaceDetector
from livemood.emotion.crop import crop_track
from livemood.emotion.doubt import doubt
from livemood.emotion.quality import measure, yaw_deg
from livemood.emotion.smoother import Smoother
from livemood.evaluation.corruptions import FaceSample, blur, brightness, mask, noise, transform
from tests.support.builders import SAMPLES, make_detection, read_still

GOOD = Quality(side_px=120, yaw_deg=5, sharpness=-1.3, noise=-2.5, clipped=0, covered=-2, tilted=-5, chosen=1)
SETTINGS = SmootherSettings(unsure_below=0.5)


@pytest.mark.parametrize(
    ("quality", "confidence", "reason"),
    [
        (GOOD, 0.6, None),
        (GOOD, 0.4, "ambiguous"),
        (replace(GOOD, side_px=10), 0.99, "small"),
        (replace(GOOD, yaw_deg=70), 0.99, "turned"),
        (replace(GOOD, covered=3.1), 0.99, "covered"),
        (replace(GOOD, covered=2), 0.8, "ambiguous"),
        (replace(GOOD, covered=2), 0.99, None),
        (replace(GOOD, chosen=0.1), 0.99, "none of these"),
        (replace(GOOD, sharpness=-2.3), 0.7, "blurred"),
        (replace(GOOD, sharpness=-2.3), 0.97, None),
        (replace(GOOD, noise=-3.2), 0.7, "blurred"),
        (replace(GOOD, noise=-3.2), 0.8, None),
        (replace(GOOD, noise=-0.8), 0.7, "ambiguous"),
        (replace(GOOD, noise=-0.8), 0.97, None),
        (replace(GOOD, clipped=0.5), 0.75, "ambiguous"),
        (replace(GOOD, clipped=0.5), 0.85, None),
        (replace(GOOD, tilted=3), 0.85, "turned"),
        (replace(GOOD, tilted=3), 0.95, None),
        (replace(GOOD, tilted=0, sharpness=-2.3), 0.85, "blurred"),
        (replace(GOOD, tilted=3), 0.45, "ambiguous"),
    ],
)
def test_doubt_then_names_what_keeps_a_face_from_being_read(quality, confidence, reason):
    assert doubt(quality, confidence, SETTINGS) == reason


@pytest.fixture(scope="module")
def crop() -> FaceCrop:
    frame = Frame(0, 0.0, read_still(SAMPLES / "faces.png"))
    with FaceDetector("fast") as detector:
        return crop_track(frame, Track(1, detector.detect(frame)[0], 0.0), CROP)


def test_measure_of_a_worse_crop_then_what_is_worse_shows(crop: FaceCrop):
    rng = np.random.default_rng(0)
    sample = FaceSample.of_crop(crop.image, CROP)
    plain = measure(crop, CROP, 1.0)
    changes = blur(2.5), noise(25), mask, brightness(80), transform(40)
    soft, noisy, masked, bright, tilted = (
        measure(FaceCrop(change(sample, rng), crop.track), CROP, 1.0) for change in changes
    )
    assert soft.sharpness < plain.sharpness - 0.3
    assert noisy.noise > plain.noise + 0.5
    assert masked.covered > plain.covered + 2
    assert bright.clipped > plain.clipped + 0.1
    assert tilted.tilted > plain.tilted + 2
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


def moods(steps: Sequence[tuple[Quality, str, float]]) -> list[tuple[str, str | None]]:
    """Return label and reason of each frame, 30 a second, for these qualities, leading emotions and scores."""
    smoother = Smoother(EMOTIONS, SmootherSettings())
    found: list[tuple[str, str | None]] = []
    for i, (quality, leading, p) in enumerate(steps):
        scores = np.array([p if label == leading else (1 - p) / 7 for label in EMOTIONS], np.float32)
        (mood,) = smoother.update([Prediction(scores, Track(1, make_detection(), 0.0), quality=quality)], i / 30)
        found.append((mood.label, mood.reason))
    return found


def test_label_that_gives_way_to_another_then_not_unsure_in_between():
    soft = replace(GOOD, noise=-3.0)  # needs 0.63
    found = moods([(soft, "neutral", 0.95)] * 10 + [(soft, "happy", 0.95)] * 15)
    assert [label for label, _ in found] == sorted((label for label, _ in found), reverse=True)
    assert (found[0], found[-1]) == (("neutral", None), ("happy", None))


def test_doubt_whose_reasons_alternate_then_it_lasts():
    smaller, larger = replace(GOOD, covered=9, side_px=4), replace(GOOD, covered=9, side_px=24)
    found = moods([(GOOD, "neutral", 0.7)] * 5 + [(smaller, "neutral", 0.7), (larger, "neutral", 0.7)] * 40)
    assert found[4] == ("neutral", None)
    assert set(found[-6:]) == {(UNSURE, "small"), (UNSURE, "covered")}


def test_doubt_of_a_moment_then_not_shown_and_when_it_lasts_then_it_is():
    doubtful = (replace(GOOD, covered=6), "happy", 0.99)
    sure = (GOOD, "happy", 0.99)
    assert {label for label, _ in moods([sure] * 5 + [doubtful] * 3 + [sure] * 5)} == {"happy"}
    lasting = moods([sure] * 5 + [doubtful] * 20)
    assert lasting[-1] == (UNSURE, "covered")
    assert moods([doubtful] * 20 + [sure] * 20)[-1] == ("happy", None)


def test_doubt_that_ends_then_its_reason_stays_until_that_has_lasted_too():
    smoother = Smoother(EMOTIONS, SmootherSettings())
    scores = np.array([0.01, 0.93, *[0.01] * 6], np.float32)
    found = []
    for time_s, quality in ((0.0, replace(GOOD, covered=5)), (1.0, GOOD), (1.05, GOOD), (1.2, GOOD)):
        (mood,) = smoother.update([Prediction(scores, Track(1, make_detection(), 0.0), quality=quality)], time_s)
        found.append((mood.label, mood.reason))
    assert found == [(UNSURE, "covered")] * 3 + [("happy", None)]


def test_doubt_of_long_ago_then_a_face_is_named_at_once_and_nothing_of_it_is_kept():
    smoother = Smoother(EMOTIONS, SmootherSettings(forget_s=1.0))
    scores = np.array([0.01, 0.93, *[0.01] * 6], np.float32)
    covered = Prediction(scores, Track(1, make_detection(), 0.0), quality=replace(GOOD, covered=5))
    assert smoother.update([covered], 0.0)[0].label == UNSURE
    assert smoother.update([replace(covered, quality=GOOD)], 1.1)[0].label == "happy"


def test_confidence_of_an_unsure_face_then_that_of_the_emotion_that_leads():
    smoother = Smoother(EMOTIONS, SmootherSettings(hold_s=9.0))
    track = Track(1, make_detection(), 0.0)
    happy, sad = (np.array([0.98 if name == leads else 0.02 / 7 for name in EMOTIONS]) for leads in ("happy", "sad"))
    covered = replace(GOOD, covered=9)
    smoother.update([Prediction(happy.astype(np.float32), track, quality=covered)], 0.0)
    (mood,) = smoother.update([Prediction(sad.astype(np.float32), track, quality=covered)], 1.0)
    assert (mood.label, mood.reason) == (UNSURE, "covered")
    assert mood.confidence == max(mood.scores.values()) == mood.scores["sad"]


@pytest.mark.parametrize(("quality", "needed"), [(GOOD, 0.45), (replace(GOOD, noise=-3.1), 0.65)])
def test_label_when_confidence_hovers_where_doubt_begins_then_does_not_flicker(quality, needed):
    slowly = [(quality, "happy", needed + (0.03 if i // 8 % 2 == 0 else -0.03)) for i in range(300)]
    assert {label for label, _ in moods(slowly)} == {"happy"}
    assert moods([(quality, "happy", needed - 0.03)] * 300)[-1][0] == UNSURE

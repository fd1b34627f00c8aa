import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemood.core.crop_spec import CROP, CropSpec
from livemood.core.types import Frame, Track
from livemood.datasets.load import load
from livemood.datasets.open import open_collection
from livemood.datasets.split import ALIGNED
from livemood.emotion.crop import crop_face, crop_track, resize_crop, similarity
from livemood.testing import ScriptedDetector
from tests.support.builders import make_detection, read_still

COLOUR = CropSpec(32, "bgr", CROP.template)


def template_px(spec: CropSpec) -> np.ndarray:
    return np.array(spec.template) * spec.size_px - 0.5


def transformed(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ rotation.T * scale + shift


def keypoints_on_template(angle: float = 0.0, scale: float = 1.0, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    ears = np.array([[0.0, 20.0], [47.0, 20.0]])
    return transformed(np.vstack([template_px(CROP), ears]), angle, scale, shift).astype(np.float32)


@pytest.mark.parametrize(("angle", "scale", "shift"), [(0.0, 1.0, (0, 0)), (0.5, 4.0, (300, 200)), (-1.0, 0.4, (9, 7))])
def test_similarity_of_a_moved_template_then_carries_it_back(angle, scale, shift):
    keypoints = keypoints_on_template(angle, scale, shift)
    matrix = similarity(keypoints, CROP)
    back = keypoints[:4] @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(back, template_px(CROP), atol=1e-3)


def test_align_when_face_already_lies_on_the_template_then_pixels_stay():
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 1), np.uint8).repeat(3, axis=2)
    cut = crop_face(image, keypoints_on_template(), CROP)
    # The keypoints are float32, so the fit is off by a millionth: a grey level at most.
    assert np.abs(cut[..., 0].astype(int) - image[..., 0]).max() <= 1


def test_align_when_head_is_tilted_then_crop_is_upright():
    """Draw a blob at each keypoint of a face tilted by 40 degrees: in the crop they lie on the template."""
    keypoints = keypoints_on_template(np.radians(40), 5.0, (350, 100))
    image = np.zeros((600, 600, 3), np.uint8)
    for x, y in keypoints[:4]:
        cv2.circle(image, (round(float(x)), round(float(y))), 8, (255, 255, 255), -1)
    cut = crop_face(image, keypoints, CROP)[..., 0]
    for x, y in template_px(CROP):
        assert cut[round(y), round(x)] > 200
    assert cut[0, 0] == 0


def test_align_when_shrinking_then_averages_noise_away():
    rng = np.random.default_rng(1)
    image = np.clip(rng.normal(128, 30, (480, 480, 1)), 0, 255).astype(np.uint8).repeat(3, axis=2)
    cut = crop_face(image, keypoints_on_template(0.0, 10.0), CROP)
    assert cut.std() < 30 / 10 * 1.5  # one bilinear sample per pixel would leave it near 20


def test_align_at_the_frame_edge_then_border_pixels_go_on():
    image = np.full((100, 100, 3), 40, np.uint8)
    image[:, 0] = 200
    cut = crop_face(image, keypoints_on_template(0.0, 1.0, (-24, 10)), CROP)
    assert (cut[:, :20] == 200).all()


def test_align_when_grey_picture_then_grey_values_are_kept():
    image = np.arange(48, dtype=np.uint8)[None, :, None].repeat(48, 0).repeat(3, 2) * 5
    assert np.abs(crop_face(image, keypoints_on_template(), CROP)[..., 0].astype(int) - image[..., 0]).max() <= 1


def test_align_in_colour_then_channels_stay_bgr():
    image = np.full((64, 64, 3), (10, 120, 230), np.uint8)
    cut = crop_face(image, make_detection(32, 32, 40).keypoints, COLOUR)
    assert cut.shape == (32, 32, 3)
    assert (cut == (10, 120, 230)).all()


@settings(max_examples=60)
@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.floats(-500, 500),
    st.floats(-500, 500),
    st.floats(0.01, 3000),
)
def test_align_of_any_face_then_always_a_crop_of_the_right_shape(height, width, x, y, side):
    image = np.zeros((height, width, 3), np.uint8)
    cut = crop_face(image, make_detection(x, y, side).keypoints, CROP)
    assert cut.shape == CROP.shape
    assert cut.dtype == np.uint8


def test_align_when_all_keypoints_coincide_then_still_a_crop():
    assert crop_face(np.zeros((9, 9, 3), np.uint8), np.full((6, 2), 4.0, np.float32), CROP).shape == CROP.shape


def test_whole_when_picture_has_the_size_then_unchanged():
    image = np.random.default_rng(2).integers(0, 256, (48, 48, 1), np.uint8).repeat(3, axis=2)
    assert (resize_crop(image, CROP) == image[..., :1]).all()


def test_training_and_serving_when_given_the_same_face_then_the_same_bytes(tmp_path):
    """Parity: the stored crop of a picture equals the crop in serving."""
    rng = np.random.default_rng(3)
    for label in ("happy", "sad"):
        (tmp_path / "faces" / label).mkdir(parents=True)
        for number in range(8):
            picture = cv2.GaussianBlur(rng.integers(0, 256, (192, 192, 3), np.uint8), (0, 0), 3)
            cv2.imwrite(str(tmp_path / "faces" / label / f"{number}.png"), picture)
    found = make_detection(128, 128, 150)
    pictures = open_collection(tmp_path / "faces")
    cut = load(pictures, CROP, ScriptedDetector([[found]]), tmp_path / "work")
    stored = {aligned.tobytes() for split in cut.splits.values() for aligned in split.crops(ALIGNED)}

    served = set()
    for file in sorted(tmp_path.glob("faces/*/*.png")):
        bordered = cv2.copyMakeBorder(read_still(file), 32, 32, 32, 32, cv2.BORDER_REPLICATE)
        frame = Frame(0, 0.0, np.asarray(bordered, np.uint8))
        served.add(crop_track(frame, Track(1, found, 0.0), CROP).image.tobytes())
    assert stored == served
    assert len(served) == 16

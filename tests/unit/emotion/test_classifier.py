import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.core.crop_spec import CROP
from livemood.core.errors import ModelIncompatible, ModelMissing
from livemood.core.labels import EMOTIONS
from livemood.core.types import FaceCrop, Track
from livemood.emotion.classifier import Classifier, EmotionClassifier
from livemood.testing import TableClassifier
from tests.support.builders import make_detection


def faces(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *CROP.shape), np.uint8)


def crops(count: int) -> list[FaceCrop]:
    return [FaceCrop(image, Track(10 + i, make_detection(), 0.0)) for i, image in enumerate(faces(count))]


@pytest.fixture(scope="module")
def litert() -> EmotionClassifier:
    return EmotionClassifier()


@pytest.fixture(scope="module")
def keras() -> EmotionClassifier:
    return EmotionClassifier(engine="keras")


@pytest.fixture(params=["litert", "keras", "table"])
def classifier(request) -> Classifier:
    return TableClassifier() if request.param == "table" else request.getfixturevalue(request.param)


class TestAnyClassifier:
    def test_no_face_then_no_prediction(self, classifier: Classifier):
        assert classifier.classify([]) == ()

    def test_many_faces_then_each_prediction_carries_its_crops_track(self, classifier: Classifier):
        given = crops(5)
        assert [p.track for p in classifier.classify(given)] == [crop.track for crop in given]

    def test_any_face_then_a_distribution_over_the_labels(self, classifier: Classifier):
        values = classifier.classify(crops(1))[0].probabilities
        assert values.shape == (len(classifier.labels),)
        assert values.min() >= 0
        assert values.sum() == pytest.approx(1, abs=1e-5)

    def test_a_face_among_others_then_the_same_as_alone(self, classifier: Classifier):
        given = crops(3)
        together, alone = classifier.classify(given)[2], classifier.classify(given[2:])[0]
        assert np.allclose(together.probabilities, alone.probabilities, atol=1e-5)


def test_engines_on_the_same_faces_then_agree_in_labels_and_within_three_hundredths(litert, keras):
    pixels = np.concatenate([faces(20), np.full((1, *CROP.shape), 128, np.uint8), np.zeros((1, *CROP.shape), np.uint8)])
    for head in ("emotion", "smile"):
        one, other = litert.probabilities(pixels, head), keras.probabilities(pixels, head)
        assert np.abs(one - other).max() < 0.03
        assert (one.argmax(1) == other.argmax(1)).mean() > 0.9


def test_labels_of_the_shipped_model_then_the_eight_emotions(litert):
    assert litert.labels == EMOTIONS


def test_emotions_when_a_subset_is_chosen_then_renormalised_in_the_asked_order(litert):
    pixels = faces(4)
    everything = litert.probabilities(pixels)
    two = EmotionClassifier(emotions=["sad", "happy"])
    values = two.probabilities(pixels)
    assert two.labels == ("sad", "happy")
    pair = everything[:, [EMOTIONS.index("sad"), EMOTIONS.index("happy")]]
    assert np.allclose(values, pair / pair.sum(1, keepdims=True), atol=1e-4)


def test_prior_balanced_then_the_logits_are_raised_as_the_manifest_says(litert):
    bundle, pixels = read_bundle(default_bundle()), faces(4)
    raised = np.log(litert.probabilities(pixels)) + np.array(bundle.offsets("balanced")) / bundle.temperature
    wanted = np.exp(raised) / np.exp(raised).sum(1, keepdims=True)
    balanced = EmotionClassifier(prior="balanced")
    assert np.allclose(balanced.probabilities(pixels), wanted, atol=1e-4)
    assert (balanced.probabilities(pixels, "smile") == litert.probabilities(pixels, "smile")).all()
    two = EmotionClassifier(emotions=["sad", "happy"], prior="balanced")
    pair = wanted[:, [EMOTIONS.index("sad"), EMOTIONS.index("happy")]]
    assert np.allclose(two.probabilities(pixels), pair / pair.sum(1, keepdims=True), atol=1e-4)


def test_emotions_when_a_subset_is_chosen_then_the_quality_tells_how_probable_all_of_them_were_together(litert):
    given = crops(3)
    everything = litert.probabilities(np.stack([crop.image for crop in given]))
    chosen = ("sad", "happy")
    expected = everything[:, [EMOTIONS.index(name) for name in chosen]].sum(1)
    found = [one.quality.chosen for one in EmotionClassifier(emotions=chosen).classify(given) if one.quality]
    assert found == pytest.approx(expected.tolist(), abs=1e-4)
    assert max(found) < 0.99


@pytest.mark.parametrize(
    ("emotions", "message"),
    [
        (["joy", "sad"], "unknown emotion 'joy'"),
        ([1, "sad"], "unknown emotion 1"),
        (["sad"], "two or more"),
        (["sad", "sad"], "different"),
        ([], "none"),
    ],
)
def test_emotions_when_the_choice_makes_no_sense_then_says_why(emotions, message):
    with pytest.raises(ValueError, match=message):
        EmotionClassifier(emotions=emotions)


def test_probabilities_when_crops_have_another_size_then_says_which(litert):
    with pytest.raises(ValueError, match=r"\(48, 48, 1\), got \(32, 32, 1\)"):
        litert.probabilities(np.zeros((1, 32, 32, 1), np.uint8))


def test_bundle_when_missing_then_model_missing(tmp_path):
    with pytest.raises(ModelMissing):
        EmotionClassifier(tmp_path)


@pytest.mark.parametrize(("engine", "file"), [("litert", "model.tflite"), ("keras", "model.keras")])
def test_weights_when_altered_then_incompatible(tmp_path, engine, file):
    folder = Path(shutil.copytree(default_bundle(), tmp_path / "bundle"))
    (folder / file).write_bytes(b"broken")
    with pytest.raises(ModelIncompatible, match=file):
        EmotionClassifier(folder, engine)


def test_litert_when_it_has_no_wheel_here_then_keras_takes_over_with_one_warning(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)  # what a missing wheel looks like
    with pytest.warns(RuntimeWarning, match="ai-edge-litert is not installed") as warned:
        classifier = EmotionClassifier()
    assert classifier.engine == "keras"
    assert len(warned) == 1

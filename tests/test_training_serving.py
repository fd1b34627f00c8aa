"""What is shipped says what was trained, in both files."""

import keras
import numpy as np
import pytest

from livemood.settings import CROP
from livemood.training.export import parity, to_tflite
from livemood.training.model import EMOTION_HEAD, PRESETS, build
from livemood.training.normalise import batch_normalization
from livemood.training.serving import serving_model

# Of gamma, beta, moving mean, moving variance.
LIMITS = ((0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 2))
PIXELS = np.random.default_rng(1).integers(0, 256, (24, *CROP.shape), np.uint8)


@pytest.fixture(scope="module")
def trained():
    """An untrained network whose normalisations have statistics as training leaves them."""
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    model = build(PRESETS["small"], CROP, 3)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            shape = layer.get_weights()[0].shape
            layer.set_weights([rng.uniform(low, high, shape) for low, high in LIMITS])
    return model


@pytest.fixture(scope="module")
def shipped(trained):
    return serving_model(trained)


def test_fused_normalisation_when_trained_on_then_it_does_what_keras_does():
    rng = np.random.default_rng(0)
    maps = rng.normal(1.0, 3.0, (8, 6, 6, 5)).astype(np.float32)
    ours, theirs = (kind(momentum=0.9) for kind in (batch_normalization(), keras.layers.BatchNormalization))
    for layer in (ours, theirs):
        layer.build(maps.shape)
        layer.set_weights([rng.uniform(0.5, 2, 5) for _ in range(4)] if layer is ours else ours.get_weights())
    for training in (False, True, False):
        said = [np.asarray(layer(maps, training=training)) for layer in (ours, theirs)]
        assert np.abs(said[0] - said[1]).max() < 1e-2  # the fused variance is that of a sample, n / (n - 1)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert mine == pytest.approx(other, rel=4e-3)
    ours.trainable = False
    assert np.asarray(ours(maps, training=True)) == pytest.approx(np.asarray(ours(maps, training=False)))


def test_shipped_model_then_says_what_the_trained_one_says(trained, shipped):
    before = np.asarray(trained.predict_on_batch(PIXELS)[EMOTION_HEAD])
    after = np.asarray(shipped.predict_on_batch(PIXELS))
    assert np.ptp(before, axis=0).max() > 0.05  # the pictures do differ
    assert np.abs(before - after).max() < 5e-3


def test_shipped_model_then_holds_no_second_head_and_no_normalisation(shipped):
    kinds = {type(layer).__name__ for layer in shipped.layers}
    assert "BatchNormalization" not in kinds
    assert [layer.name for layer in shipped.layers if type(layer).__name__ == "Dense"] == [EMOTION_HEAD]


def test_shipped_model_then_its_litert_form_agrees_to_rounding(shipped):
    assert parity(shipped, to_tflite(shipped), PIXELS) < 1e-4


def test_trained_model_then_is_left_as_it_was(trained, shipped):
    assert any(type(layer).__name__ == "BatchNormalization" for layer in trained.layers)
    assert shipped.count_params() < trained.count_params()

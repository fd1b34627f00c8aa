"""The serving model has the outputs of the trained one, in both files."""

from dataclasses import replace

import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTION
from livemood.datasets.samples import FER2013_HEAD
from livemood.training.export.bundle import parity, to_tflite
from livemood.training.export.fold import serving_model
from livemood.training.model.batch_norm import batch_normalization
from livemood.training.model.equivariant_layers import mirrored_layers
from livemood.training.model.network import Architecture, build

# Of gamma, beta, moving mean, moving variance.
LIMITS = ((0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 2))
# The layers of every preset, in as few blocks and filters as have them.
SMALLEST = Architecture(8, (8, 16), (1, 2))
SIZES = {EMOTION: 3, FER2013_HEAD: 7}
PIXELS = np.random.default_rng(1).integers(0, 256, (24, *CROP.shape), np.uint8)


@pytest.fixture(scope="module")
def trained():
    """An untrained network whose normalisations have statistics as training leaves them."""
    import keras

    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    model = build(SMALLEST, CROP, SIZES)
    for layer in model.layers:
        if isinstance(layer, mirrored_layers().Normalization):
            shape = layer.get_weights()[0].shape
            layer.set_weights([rng.uniform(low, high, shape) for low, high in LIMITS])
    return model


@pytest.fixture(scope="module")
def shipped(trained):
    return serving_model(trained)


def test_fused_normalisation_when_trained_on_then_it_does_what_keras_does():
    import keras

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
    before = np.asarray(trained.predict_on_batch(PIXELS)[EMOTION])
    after = np.asarray(shipped.predict_on_batch(PIXELS))
    assert np.ptp(before, axis=0).max() > 0.05  # the pictures do differ
    assert np.abs(before - after).max() < 5e-3


def test_shipped_model_then_holds_no_second_head_and_no_layer_of_ours(shipped):
    ours = tuple(mirrored_layers())
    assert not [layer for layer in shipped.layers if isinstance(layer, ours)]
    assert [layer.name for layer in shipped.layers if type(layer).__name__ == "Dense"] == [EMOTION]


def test_network_of_a_mirrored_face_then_the_same_answer_also_as_shipped(trained, shipped):
    mirrored = PIXELS[:, :, ::-1]
    answers = [np.asarray(trained.predict_on_batch(faces)[EMOTION]) for faces in (PIXELS, mirrored)]
    assert np.abs(answers[0] - answers[1]).max() < 1e-5
    answers = [np.asarray(shipped.predict_on_batch(faces)) for faces in (PIXELS, mirrored)]
    assert np.abs(answers[0] - answers[1]).max() < 1e-5


def test_network_of_coloured_faces_then_mirrored_ones_get_the_same_answer_too():
    import keras

    keras.utils.set_random_seed(0)
    model = build(SMALLEST, replace(CROP, colour="bgr"), SIZES)
    faces = np.random.default_rng(2).integers(0, 256, (4, CROP.size_px, CROP.size_px, 3), np.uint8)
    answers = [np.asarray(model.predict_on_batch(f)[EMOTION]) for f in (faces, faces[:, :, ::-1])]
    assert np.ptp(answers[0], axis=0).max() > 1e-3
    assert np.abs(answers[0] - answers[1]).max() < 1e-5


def test_mirrored_normalisation_when_trained_on_then_both_halves_share_what_it_saw():
    layer = mirrored_layers().Normalization(momentum=0.0)
    maps = np.random.default_rng(0).normal(2.0, 3.0, (8, 6, 6, 4)).astype(np.float32)
    said = np.asarray(layer(maps, training=True))
    halves = said.reshape(-1, 2, 2)
    assert halves.mean((0, 1)) == pytest.approx(0, abs=1e-4)
    assert halves.std((0, 1)) == pytest.approx(1, abs=1e-2)
    assert [weight.shape for weight in layer.get_weights()] == [(2,)] * 4
    assert layer.get_weights()[2] == pytest.approx(maps.reshape(-1, 2, 2).mean((0, 1)), rel=1e-3)


def test_shipped_model_then_its_litert_form_agrees_to_rounding(shipped):
    assert parity(shipped, to_tflite(shipped), PIXELS) < 1e-4


def test_trained_model_then_is_left_as_it_was(trained, shipped):
    assert {type(layer) for layer in trained.layers} >= set(mirrored_layers())
    assert trained.get_layer(EMOTION).get_weights()[0].shape[0] * 2 == shipped.layers[-1].get_weights()[0].shape[0]

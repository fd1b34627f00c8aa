"""Blended pictures, and the batches that are made of them."""

import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTION
from livemood.datasets.samples import FER2013_HEAD
from livemood.datasets.split import ALIGNED, RAW, Split
from livemood.training.loop.batches import Heads
from livemood.training.loop.mixup import Blends, blended
from tests.support.splits import PICTURES, epoch, make_split


@pytest.fixture
def split() -> Split:
    return make_split()


def everything(blends: Blends, framing: int) -> np.ndarray:
    """Return the brightness of every variant of every picture, (N, V)."""
    pictures, variants = np.indices(blends.partner.shape)
    crops = blends.crops(pictures.ravel(), variants.ravel(), np.full(1, framing))
    assert crops.dtype == np.uint8
    assert crops.shape[1:] == CROP.shape
    return crops[:, 5, 5, 0].reshape(pictures.shape)


@pytest.mark.parametrize("framing", [RAW, ALIGNED])
def test_blends_then_the_first_variant_is_the_picture_and_others_show_it_more_than_half(split: Split, framing: int):
    blends = blended(split, 3, seed=5)
    seen = everything(blends, framing)
    own = split.pixels[:, framing, 5, 5, 0].astype(float)
    assert blends.variants == 4
    assert (seen[:, 0] == own).all()
    assert (blends.share[:, 1:] >= 0.5).all()
    shares = blends.share
    assert np.abs(seen - (shares * own[:, None] + (1 - shares) * own[blends.partner])).max() <= 0.51
    assert len(np.unique(seen[:, 1:])) > PICTURES


def test_blends_then_targets_are_blended_alike(split: Split):
    blends = blended(split, 3, seed=5)
    pictures, variants = np.indices(blends.partner.shape)
    targets = blends.mixed(split.targets[EMOTION], pictures.ravel(), variants.ravel()).reshape(*pictures.shape, 2)
    dark = (200 - everything(blends, RAW)) / 160
    assert targets.sum(2) == pytest.approx(1)
    assert targets[:, :, 0] == pytest.approx(dark, abs=0.01)


def test_blends_when_drawn_again_then_the_same_only_for_the_same_seed(split: Split):
    one, again, other = (blended(split, 2, seed) for seed in (1, 1, 2))
    assert (one.partner == again.partner).all()
    assert (one.share == again.share).all()
    assert (one.partner != other.partner).any()
    assert all(sorted(column) == list(range(PICTURES)) for column in one.partner.T)


def test_blends_with_no_others_then_every_picture_alone(split: Split):
    blends = blended(split, 0, seed=1)
    assert blends.variants == 1
    assert (everything(blends, RAW)[:, 0] == split.pixels[:, RAW, 5, 5, 0]).all()


@pytest.mark.parametrize(("strength", "fewest", "most"), [(0.0, 0, 0), (1.0, 100, 256)])
def test_batches_then_as_many_blends_as_the_strength_says(split: Split, strength: float, fewest: int, most: int):
    blends = blended(split, 3, seed=5)
    heads = [heads for seed in range(8) for _, heads, _ in epoch(blends, strength, seed)]
    told = np.concatenate([of[EMOTION] for of in heads])
    unsure = int(((told > 0.01) & (told < 0.99)).any(1).sum())
    assert len(told) == 8 * PICTURES
    assert fewest <= unsure <= most  # 70 % are blends, half of them with a picture of the other class


def test_batches_then_the_second_head_counts_only_where_both_pictures_have_its_label(split: Split):
    for _, heads, weights in epoch(blended(split, 3, seed=5)):
        sure = heads[FER2013_HEAD][:, 3] > 0.999
        assert (weights[FER2013_HEAD][~sure] == 0).all()
        assert weights[FER2013_HEAD][sure].mean() > 0
        assert (weights[EMOTION] == 1).all()


def test_batches_when_taught_then_the_teacher_sees_what_the_student_sees_and_is_believed_so_far(split: Split):
    shown = []

    def teach(crops: np.ndarray) -> Heads:
        shown.append(crops)
        return {EMOTION: np.tile(np.array([0, 1], "f4"), (len(crops), 1))}

    blends = blended(split, 3, seed=5)
    taught, untaught = epoch(blends, teach=teach, distil_weight=0.25), epoch(blends)
    for (pixels, heads, _), seen, (_, labels, _) in zip(taught, shown, untaught, strict=True):
        assert (pixels == seen).all()
        assert heads[EMOTION][:, 1] == pytest.approx(0.25 + 0.75 * labels[EMOTION][:, 1])
        assert (heads[FER2013_HEAD] == labels[FER2013_HEAD]).all()


def test_batches_when_the_teacher_fails_then_its_error_comes_up(split: Split):
    def teach(crops: np.ndarray) -> Heads:
        raise ValueError("no idea")

    with pytest.raises(ValueError, match="no idea"):
        epoch(blended(split, 3, seed=5), teach=teach, distil_weight=0.5)

import numpy as np
import pytest

from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTION
from livemood.datasets.samples import FER2013_HEAD, FER2013_LABELS
from livemood.datasets.split import ALIGNED, RAW, Split
from livemood.training.loop.batches import Batch, Batches, Heads
from livemood.training.loop.mixup import Blends, blended

PICTURES = 64


@pytest.fixture
def split() -> Split:
    return make_split()


def make_split() -> Split:
    """Even pictures are happy and dark, odd ones sad and light; the aligned framing is a little lighter."""
    light = np.where(np.arange(PICTURES) % 2, 200, 40)[:, None] + np.array([0, 10])
    pixels = np.broadcast_to(light[..., None, None, None], (PICTURES, 2, *CROP.shape)).astype(np.uint8)
    own = np.eye(len(FER2013_LABELS), dtype=np.int64)[np.full(PICTURES, 3)] * (np.arange(PICTURES) < 32)[:, None]
    votes = {EMOTION: np.eye(2, dtype=np.int64)[np.arange(PICTURES) % 2] * 10, FER2013_HEAD: own}
    heads = {EMOTION: ("happy", "sad"), FER2013_HEAD: FER2013_LABELS}
    return Split(pixels, np.arange(PICTURES), np.arange(PICTURES).astype(str), votes, heads)


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


def epoch(blends: Blends, strength: float = 1.0, seed: int = 0, **how) -> list[Batch]:
    with Batches(blends, 32, **how) as batches:
        return list(batches.epoch((seed, 0), strength))


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

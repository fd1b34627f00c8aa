"""Threads that share one reader get the answers that one thread would."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from livemood import MoodReader
from livemood.core.types import Track
from livemood.emotion.classifier import EmotionClassifier
from livemood.emotion.crop import crop_track
from tests.support.builders import SAMPLES, make_detection, make_frame, read_still

THREADS, CROPS = 4, 100


@pytest.mark.parametrize("engine", ["litert", "keras"])
def test_crops_when_four_threads_classify_a_hundred_each_then_as_one_would(engine: Any) -> None:
    classifier = EmotionClassifier(engine=engine)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (THREADS, CROPS, *classifier.crop_spec.shape), np.uint8)
    wanted = [[classifier.probabilities(crop[None])[0] for crop in part] for part in pixels]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda part: [classifier.probabilities(crop[None])[0] for crop in part], pixels))
    assert np.abs(np.array(found) - np.array(wanted)).max() < 1e-6


def test_photos_when_four_threads_share_a_reader_then_as_one_would() -> None:
    image = read_still(SAMPLES / "faces.png")
    photos = [np.roll(image, 7 * shift, axis=1) for shift in range(12)]
    with MoodReader() as reader:
        wanted = [[(m.box, dict(m.scores)) for m in reader.image(photo)] for photo in photos]
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(lambda photo: [(m.box, dict(m.scores)) for m in reader.image(photo)], photos))
    assert found == wanted


def test_crop_of_a_track_when_threads_cut_at_once_then_the_same_pixels() -> None:
    spec = EmotionClassifier().crop_spec
    tracks = [Track(i, make_detection(100 + 4 * i), 0.0) for i in range(50)]
    frame = make_frame()
    wanted = [crop_track(frame, track, spec).image for track in tracks]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda track: crop_track(frame, track, spec).image, tracks))
    assert (np.array(found) == np.array(wanted)).all()

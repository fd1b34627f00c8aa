"""The page reads raw frames as Python does."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest

from livemood.apps.session import Session
from livemood.apps.web import write_page
from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.core.settings import ReaderSettings
from livemood.core.types import Frame
from livemood.evaluation.corruptions import Corruption, FaceSample, blur, sunglasses
from livemood.sources.video.file import VideoSource
from tests.integration.web.parity import NEAR, compare, read_in_page, read_in_python
from tests.support.builders import SAMPLES

CROP_PX = 48
CORRUPTIONS: Mapping[str, Corruption] = {"covered": sunglasses, "blurred": blur(5)}


def test_sample_when_read_by_both_then_faces_labels_and_scores_are_the_same(bare, written):
    with VideoSource(SAMPLES / "faces.mp4") as source:
        frames = list(islice(source.frames(), 120))
    parity = compare(read_in_python(frames), read_in_page(bare, written, frames))
    assert parity.faces > 180
    assert (parity.missing, parity.extra, parity.labels_differ, parity.reasons_differ) == (0, 0, 0, 0)
    assert parity.score < NEAR
    assert parity.beyond <= 0.01 * parity.faces
    assert parity.probability < 0.03
    assert parity.box < 0.002


def spoilt(corruption: Corruption) -> list[Frame]:
    """Return 20 frames with one face, which is corrupted in the middle twelve."""
    with VideoSource(SAMPLES / "faces.mp4") as source:
        frames = list(islice(source.frames(), 20))
    with Session() as session:
        for index in range(4, 16):
            (mood,) = session.pipeline().step(frames[index])
            points = mood.track.detection.keypoints[:4].astype(float)
            sample = FaceSample(frames[index].image, points, mood.box.width / CROP_PX)
            frames[index] = replace(frames[index], image=corruption(sample, np.random.default_rng(0)))
    return frames


@pytest.mark.parametrize("reason", CORRUPTIONS)
def test_face_when_it_cannot_be_read_then_both_are_unsure_for_the_same_reason(bare, written, reason):
    frames = spoilt(CORRUPTIONS[reason])
    python, page = read_in_python(frames), read_in_page(bare, written, frames)
    reasons = [mood.reason for moods in python for mood in moods]
    assert reasons.count(reason) >= 4
    assert reasons.count(None) >= 4
    assert [mood["reason"] for answer in page for mood in answer["moods"]] == reasons
    labels = [mood.label for moods in python for mood in moods]
    assert [mood["emotion"]["label"] for answer in page for mood in answer["moods"]] == labels
    assert {label for label, why in zip(labels, reasons, strict=True) if why} == {"unsure"}
    confidences = [mood.confidence for moods in python for mood in moods]
    assert [mood["emotion"]["confidence"] for answer in page for mood in answer["moods"]] == pytest.approx(
        confidences, abs=NEAR
    )


def slight_smile() -> list[Frame]:
    """Return 5.5 s of one face at 10 fps: at rest, and from 4.5 s on with a quarter of a smile."""
    with VideoSource(SAMPLES / "faces.mp4") as source:
        images = [frame.image for frame in islice(source.frames(), 41)]
    smile = cv2.addWeighted(images[3], 0.75, images[40], 0.25, 0)
    return [Frame(i, i / 10, images[3] if i < 45 else np.asarray(smile, np.uint8)) for i in range(55)]


def test_slight_smile_after_rest_then_both_name_it_by_what_both_heads_say(bare, written):
    frames = slight_smile()
    python, page = read_in_python(frames), read_in_page(bare, written, frames)
    assert [mood.label for moods in python for mood in moods][44::10] == ["neutral", "happy"]
    parity = compare(python, page)
    assert (parity.missing, parity.extra, parity.labels_differ) == (0, 0, 0)
    # Where the page left out the head `smile`, it would be 0.06.
    assert parity.score < 0.03


def test_prior_balanced_then_both_read_the_same(bare, tmp_path):
    with VideoSource(SAMPLES / "faces.mp4") as source:
        frames = list(islice(source.frames(), 3))
    write_page(tmp_path / "page", prior="balanced")
    page = read_in_page(bare, tmp_path / "page", frames)
    parity = compare(read_in_python(frames, ReaderSettings(prior="balanced")), page)
    assert (parity.missing, parity.extra, parity.labels_differ) == (0, 0, 0)
    assert parity.score < NEAR
    bundle = read_bundle(default_bundle())
    neutral, sad = bundle.labels.index("neutral"), bundle.labels.index("sad")
    for moods, answer in zip(read_in_python(frames), page, strict=True):
        usual, raised = [*moods[0].raw_scores.values()], answer["moods"][0]["emotion"]["rawScores"]
        moved = np.log(raised[sad] / raised[neutral]) - np.log(usual[sad] / usual[neutral])
        assert moved == pytest.approx(bundle.offsets("balanced")[sad] / bundle.temperature, abs=0.1)

"""The sample clip of our own, and what the shipped parts make of it."""

import json
from collections import Counter
from itertools import pairwise

import pytest

from livemood.apps.reader import MoodReader
from livemood.core.settings import DetectorMode
from livemood.core.types import Frame, Mood
from livemood.detection.combined import FaceDetector
from livemood.sources.video.file import VideoSource
from tests.support.builders import SAMPLES

TIMELINE = json.loads((SAMPLES / "faces.json").read_text())
SETTLED_S = 0.4  # the smoothed label may lag behind a change by this much


@pytest.fixture(scope="module")
def clip() -> list[Frame]:
    with VideoSource(SAMPLES / "faces.mp4") as source:
        return list(source.frames())


@pytest.fixture(scope="module")
def moods(clip: list[Frame]) -> list[tuple[Frame, tuple[Mood, ...]]]:
    with MoodReader() as reader:
        pipeline = reader.pipeline()
        return [(frame, pipeline.step(frame)) for frame in clip]


def drawn(time_s: float) -> int:
    """How many faces the clip shows at a time."""
    people = [person["stretches"] for person in TIMELINE["faces"]]
    return sum(stretches[0]["start_s"] <= time_s < stretches[-1]["end_s"] for stretches in people)


def test_clip_then_six_seconds_of_720p_under_two_megabytes(clip):
    assert len(clip) == TIMELINE["frames"] == 180
    assert (clip[0].width, clip[0].height) == (1280, 720)
    assert (SAMPLES / "faces.mp4").stat().st_size < 2_000_000


@pytest.mark.parametrize("mode", ["near", "far", "fast", "auto"])
def test_clip_then_every_detector_finds_the_drawn_faces(clip, mode: DetectorMode):
    with FaceDetector(mode) as detector:
        found = [len(detector.detect(frame)) == drawn(frame.time_s) for frame in clip[::3]]
    assert sum(found) >= 0.98 * len(found)


@pytest.mark.parametrize("person", [0, 1])
def test_clip_then_every_stretch_is_labelled_as_it_was_drawn(moods, person):
    for stretch in TIMELINE["faces"][person]["stretches"]:
        begin, end = stretch["start_s"] + SETTLED_S, stretch["end_s"]
        seen = [found for frame, found in moods if begin <= frame.time_s < end]
        # The first person stands on the left, the second one hangs in a picture on the right.
        faces = [sorted(found, key=lambda mood: mood.box.left)[person] for found in seen]
        labels = Counter(mood.label for mood in faces)
        assert labels[stretch["emotion"]] >= 0.95 * len(faces) > 0, (stretch, labels)


def test_clip_then_two_people_and_no_flicker(moods):
    by_person: dict[int, list[str]] = {}
    for _, found in moods:
        for mood in found:
            by_person.setdefault(mood.track.id, []).append(mood.label)
    assert sorted(by_person) == [1, 2]
    changes = [sum(a != b for a, b in pairwise(labels)) for labels in by_person.values()]
    assert changes == [len(person["stretches"]) - 1 for person in TIMELINE["faces"]]

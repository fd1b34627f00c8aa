"""Print gain and cost of the neutral baseline: ``python -m tests.tools.resting_faces [SHARED_DATA]``.

Part of ``make eval``; the figures are those of docs/live.md. Needs real clips and FER+, which are not part of this
project.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livemood.apps.reader import MoodReader
from livemood.core.labels import EMOTIONS
from livemood.core.types import Frame, Prediction, Track
from livemood.datasets.open import open_collection
from livemood.emotion.classifier import EmotionClassifier
from livemood.emotion.crop import resize_crop
from livemood.emotion.neutral_baseline import NeutralBaseline
from tests.support.builders import make_detection
from tests.tools.evaluation import SHARED, frames

CLIPS = ("again.mkv", "book.mkv", "no.mkv", "yes.mkv", "two-heads.gif")
CLEAR = EMOTIONS[1:]
LOOKS = 30

Probabilities = npt.NDArray[np.float32]


def main(data: Path = SHARED) -> None:
    """Print every figure."""
    print("== neutral-face calibration")
    for name in CLIPS:
        people(name, frames(data / "clips" / name))
    scores, labels = faces(data / "ferplus.zip")
    rested(scores, labels)
    mistaken(scores, labels)


def people(name: str, clip: list[Frame]) -> None:
    """Calibrate everyone in a clip on its first half, and compare their labels in the second."""
    half_s = clip[-1].time_s / 2
    for track, before in labels_after(clip, half_s, None).items():
        after = labels_after(clip, half_s, half_s)[track]
        print(f"{name}, person {track}, second half: {counts(before)} -> {counts(after)}")


def labels_after(clip: list[Frame], half_s: float, calibrate_s: float | None) -> dict[int, list[str]]:
    """Return each person's labels in the second half, for those who are present throughout."""
    found: dict[int, list[str]] = {}
    with MoodReader() as reader:
        pipeline = reader.pipeline()
        if calibrate_s is not None:
            pipeline.baseline.begin(calibrate_s)
        for frame in clip:
            for mood in pipeline.step(frame):
                if frame.time_s > half_s:
                    found.setdefault(mood.track.id, []).append(mood.label)
    least = max(map(len, found.values())) / 2
    return {track: labels for track, labels in found.items() if len(labels) >= least}


def counts(labels: Iterable[str]) -> str:
    """Return the number of each label, as text."""
    listed = list(labels)
    return ", ".join(f"{label} {listed.count(label)}" for label in dict.fromkeys(listed))


def faces(path: Path) -> tuple[Probabilities, npt.NDArray[np.int64]]:
    """Return (N, 8) probabilities and (N,) top votes of FER+'s validation pictures."""
    classifier, collection = EmotionClassifier(), open_collection(path)
    crops, labels = [], []
    for sample in collection.samples:
        votes = np.array(sample.votes)
        if sample.split == "valid" and votes.argmax() < len(EMOTIONS):
            image = collection.read(sample)
            assert image is not None, sample.file
            crops.append(resize_crop(image, classifier.crop_spec))
            labels.append(int(votes.argmax()))
    return classifier.probabilities(np.stack(crops)), np.array(labels)


def calibrated(rest: npt.NDArray[np.float32]) -> NeutralBaseline:
    """Return a baseline calibrated to one resting face, (8,) probabilities."""
    baseline = NeutralBaseline(EMOTIONS)
    baseline.begin(1.0)
    for step in range(3):
        baseline.adjust([prediction(rest)], step / 2)
    return baseline


def prediction(probabilities: npt.NDArray[np.float32]) -> Prediction:
    """Return probabilities as the prediction of a single track."""
    return Prediction(probabilities, Track(1, make_detection(), 0.0))


def predicted(baseline: NeutralBaseline, scores: Probabilities) -> npt.NDArray[np.int64]:
    """Return the leading class of each row of (N, 8) scores, adjusted by the baseline."""
    adjusted = baseline.adjust([prediction(row) for row in scores], 2.0)
    return np.array([row.probabilities.argmax() for row in adjusted])


def recalls(found: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the recall of each class but neutral."""
    return np.array([(found[labels == i] == i).mean() for i in range(1, len(EMOTIONS))])


def row(values: npt.NDArray[np.float64]) -> str:
    """Return one figure for each class but neutral."""
    return ", ".join(f"{label} {value:.3f}" for label, value in zip(CLEAR, values, strict=True))


def rested(scores: Probabilities, labels: npt.NDArray[np.int64]) -> None:
    """Measure with each neutral picture as one person's resting face."""
    resting = scores[labels == 0]
    before = (resting.argmax(1) != 0).sum()
    after = sum(int(predicted(calibrated(face), face[None])[0] != 0) for face in resting)
    print(f"neutral faces of FER+ valid misread: {before} of {len(resting)}, each calibrated to itself: {after}")
    print(f"recall without calibration: {row(recalls(scores.argmax(1), labels))}")
    every = resting[:: max(len(resting) // LOOKS, 1)]
    mean = np.mean([recalls(predicted(calibrated(face), scores), labels) for face in every], axis=0)
    print(f"recall under the calibrations of {len(every)} of these people, on average: {row(mean)}")


def mistaken(scores: Probabilities, labels: npt.NDArray[np.int64]) -> None:
    """Calibrate to a person who shows an emotion instead of resting, and measure the recall of that emotion."""
    kept = []
    for i in range(1, len(EMOTIONS)):
        shown = np.full(len(EMOTIONS), 0.001, np.float32)
        shown[i] = 1 - shown[1:].sum() + shown[i]
        kept.append((predicted(calibrated(shown), scores)[labels == i] == i).mean())
    print(f"recall of the emotion that was shown while calibrating: {row(np.array(kept))}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

"""Print what learning resting faces without a key mends and costs: ``python -m tests.tools.baseline [SHARED_DATA]``.

Part of ``make eval``; the figures are those of docs/live.md. Needs London, FER+ and real clips, which are not part of
this project. Clips are made of photos that tremble, shift and are noisy. Every look of the network is taken once, and
then read with ``off`` and with ``auto``.
"""

import csv
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livemood.apps.session import Session
from livemood.bundles.heads import heads_of_bundle
from livemood.core.labels import EMOTIONS
from livemood.core.settings import BaselineMode
from livemood.core.types import FaceCrop, Frame, Image, Mood, Prediction, Track
from livemood.datasets.open import open_collection
from livemood.emotion.classifier import EmotionClassifier
from livemood.emotion.crop import crop_track, resize_crop
from livemood.emotion.neutral_baseline import NeutralBaseline
from livemood.emotion.smoother import Smoother
from livemood.pipeline import Pipeline
from tests.support.builders import make_detection
from tests.tools.evaluation import SHARED, frames

MODES: tuple[BaselineMode, ...] = ("off", "auto")
HEADS = heads_of_bundle(None, None)
FPS = 10
SIDE = 480
NOISE = 4.0
REST_S, SMILE_S = 5, 3
NAMED_S, BACK_S = 0.6, 1.0
LONG_S = 12
HELD_S, EARLY_S = 40, 5
FACES = 60
CLIPS = ("again.mkv", "book.mkv", "no.mkv", "yes.mkv", "two-heads.gif", "walking.gif")

Look = tuple[Prediction, ...]


@dataclass(frozen=True)
class Person:
    """Someone with a neutral and a smiling photo, and the looks at clips made of them."""

    name: str
    woman: bool
    neutral: list[Look]
    smiling: list[Look]


def main(data: Path = SHARED) -> None:
    """Print every figure."""
    if not data.is_dir():
        sys.exit(f"no data at {data}; give the folder that holds london.zip, ferplus.zip and clips/")
    print("== resting faces, learnt while time goes by")
    with Session() as session:
        people = london(session, data / "london.zip")
        smiles(people)
        long_smiles(people)
        clips(session, data / "clips")
        crossing(session, data / "london.zip")
    held(data / "ferplus.zip")


def read(looks: Sequence[Look], mode: BaselineMode, fps: float = FPS) -> list[tuple[Mood, ...]]:
    """Return the moods of a clip, of which the network has said ``looks``."""
    baseline, smoother = NeutralBaseline(EMOTIONS, mode=mode, others=HEADS), Smoother(EMOTIONS)
    return [smoother.update(baseline.adjust(look, i / fps), i / fps) for i, look in enumerate(looks)]


def look_at(session: Session, clip: Sequence[Frame]) -> list[Look]:
    """Return what detector, tracker and network say of every frame."""
    pipeline = Pipeline(session.detector, session.classifier, session.settings)
    said = []
    for frame in clip:
        tracks = pipeline.track_faces(frame)
        said.append(tuple(session.classifier.classify([crop_track(frame, t, session.crop_spec) for t in tracks])))
    return said


def shaken(photo: Image, count: int, rng: np.random.Generator) -> Iterator[Image]:
    """Yield a photo as a hand-held camera in poor light might see it."""
    at = np.zeros(2)
    for _ in range(count):
        at = 0.9 * at + rng.normal(0, 1.0, 2)
        moved = cv2.warpAffine(photo, np.array([[1, 0, at[0]], [0, 1, at[1]]]), (SIDE, SIDE), borderMode=1)
        noise = rng.normal(0, NOISE, (SIDE // 2, SIDE // 2, 3)).repeat(2, 0).repeat(2, 1)
        yield np.clip(moved + noise, 0, 255).astype(np.uint8)


def photos(path: Path) -> dict[str, dict[str, Image]]:
    """Return each person's photos by kind, and nothing else."""
    found: dict[str, dict[str, Image]] = {}
    with zipfile.ZipFile(path) as archive:
        for row in table(path):
            data = np.frombuffer(archive.read(f"london/{row['file']}"), np.uint8)
            image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
            found.setdefault(row["person"], {})[row["kind"]] = np.asarray(cv2.resize(image, (SIDE, SIDE)), np.uint8)
    return found


def table(path: Path) -> list[dict[str, str]]:
    """Return the rows of the set's table."""
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read("london/london.csv").decode())))


def london(session: Session, path: Path) -> list[Person]:
    """Return everyone's looks: rest, smile, rest again."""
    women = {row["person"] for row in table(path) if row["gender"] == "female"}
    rng = np.random.default_rng(0)
    people = []
    for name, kinds in photos(path).items():
        shown = [("neutral", REST_S), ("smiling", SMILE_S), ("neutral", REST_S)]
        images = [image for kind, length_s in shown for image in shaken(kinds[kind], length_s * FPS, rng)]
        looks = look_at(session, [Frame(i, i / FPS, image) for i, image in enumerate(images)])
        first, second = REST_S * FPS, (REST_S + SMILE_S) * FPS
        people.append(Person(name, name in women, looks[:first] + looks[second:], looks[first:second]))
    return people


def smiles(people: Sequence[Person]) -> None:
    """Rest, a smile, rest: when the smile is named, and neutral again."""
    print(f"{REST_S} s neutral, {SMILE_S} s smiling, {REST_S} s neutral, {len(people)} people of London:")
    rest, end = REST_S * FPS, (REST_S + SMILE_S) * FPS
    groups = {
        "all": people,
        "women": [p for p in people if p.woman],
        "men": [p for p in people if not p.woman],
        "even": people[::2],
        "odd": people[1::2],
    }
    for mode in MODES:
        named, back, calm = {}, {}, {}
        for person in people:
            labels = shown(read(person.neutral[:rest] + person.smiling + person.neutral[rest:], mode))
            named[person.name] = "happy" in labels[rest : rest + round(NAMED_S * FPS) + 1]
            back[person.name] = "neutral" in labels[end : end + round(BACK_S * FPS) + 1]
            calm[person.name] = set(labels[:rest] + labels[end + round(BACK_S * FPS) + 1 :]) == {"neutral"}
        counts = ", ".join(f"{name} {sum(named[p.name] for p in group)}/{len(group)}" for name, group in groups.items())
        print(f"{mode:4} smile named within {NAMED_S} s: {counts} ({np.mean(list(named.values())):.0%})")
        print(f"     neutral within {BACK_S:g} s after: {sum(back.values())}, at rest throughout: {sum(calm.values())}")


def shown(moods: Sequence[tuple[Mood, ...]]) -> list[str]:
    """Return the label of the largest face, frame by frame."""
    return [found[0].label if found else "none" for found in moods]


def long_smiles(people: Sequence[Person]) -> None:
    """A clip that begins with a long smile, and then rest."""
    lost = {}
    for mode in MODES:
        named = [shown(read((p.smiling * 10)[: LONG_S * FPS] + p.neutral[: 2 * FPS], mode)) for p in people]
        lasting = [labels[FPS] == "happy" for labels in named]
        kept = [set(labels[FPS : LONG_S * FPS]) == {"happy"} for labels in named]
        back = ["neutral" in labels[LONG_S * FPS : (LONG_S + 1) * FPS + 1] for labels in named]
        lost[mode] = f"{sum(lasting)} named after 1 s, of these {sum(kept)} throughout; neutral 1 s after: {sum(back)}"
    for mode, text in lost.items():
        print(f"{mode:4} {LONG_S} s of smiling from the beginning, {len(people)} people: {text}")


def clips(session: Session, folder: Path) -> None:
    """Label changes in real clips, as they are, there and back for half a minute, and of one man joined."""
    said = {}
    for name in CLIPS:
        clip = frames(folder / name)
        said[name] = look_at(session, clip), (len(clip) - 1) / (clip[-1].time_s - clip[0].time_s)
    for name, (looks, fps) in said.items():
        print(f"{name}: " + "; ".join(f"{mode} {counted(read(looks, mode, fps))}" for mode in MODES))
        again = (looks + looks[::-1]) * 30
        long = again[: round(30 * fps)]
        print("  there and back for 30 s: " + "; ".join(f"{mode} {counted(read(long, mode, fps))}" for mode in MODES))
    parts = [said[name][0] for name in ("again.mkv", "no.mkv", "yes.mkv")]
    for order in ((0, 1, 2), (2, 0, 1)):
        joined = [look[:1] for part in order for look in parts[part]]
        print("again, no, yes" if order[0] == 0 else "yes, again, no", end=", one man: ")
        print("; ".join(f"{mode} {counted(read(joined, mode, 30))}" for mode in MODES))


def counted(moods: Sequence[tuple[Mood, ...]]) -> str:
    """Return label changes of all tracks, and what else than neutral was shown."""
    tracks: dict[int, list[str]] = {}
    for found in moods:
        for mood in found:
            tracks.setdefault(mood.track.id, []).append(mood.label)
    changes = sum(a != b for labels in tracks.values() for a, b in pairwise(labels))
    every = [label for labels in tracks.values() for label in labels]
    others = ", ".join(f"{label} {every.count(label)}" for label in sorted(set(every) - {"neutral"}))
    return f"{changes} changes{f' ({others} of {len(every)})' if others else ''}"


def crossing(session: Session, path: Path) -> None:
    """Two people pass each other: ids and smiles stay with their faces."""
    known, size = photos(path), 240
    (left, one), (right, other) = list(known.items())[:2]
    clip = []
    for i in range(12 * FPS):
        across = min(max((i / FPS - 4) / 4, 0.0), 1.0)
        image = np.full((480, 960, 3), 128, np.uint8)
        smiling = i >= 10 * FPS
        for kinds, x, y in ((one, across, 0), (other, 1 - across, size)):
            photo = cv2.resize(kinds["smiling" if smiling and kinds is one else "neutral"], (size, size))
            place = round(x * (960 - size))
            image[y : y + size, place : place + size] = photo
        clip.append(Frame(i, i / FPS, image))
    looks = look_at(session, clip)
    for mode in MODES:
        moods = read(looks, mode)
        ids = {mood.track.id for found in moods for mood in found}
        end = ", ".join(f"{mood.track.id} {mood.label}" for mood in sorted(moods[-1], key=lambda m: m.track.id))
        print(f"{mode:4} {left} and {right} crossing, then {left} smiles: {len(ids)} ids, at the end {end}")


def held(path: Path) -> None:
    """Faces of FER+ held still, which tremble and are noisy."""
    classifier, collection, rng = EmotionClassifier(), open_collection(path), np.random.default_rng(0)
    chosen: dict[int, list[Image]] = {}
    for sample in collection.samples:
        votes = np.array(sample.votes)
        if sample.split == "valid" and votes.argmax() < len(EMOTIONS):
            image = collection.read(sample)
            assert image is not None, sample.file
            chosen.setdefault(int(votes.argmax()), []).append(image)
    print(f"FER+ valid, held still for {HELD_S} s; right after {EARLY_S} s and at the end:")
    for label in sorted(chosen):
        some = chosen[label][:: max(len(chosen[label]) // (4 * FACES if label == 0 else FACES), 1)]
        looks = [held_still(classifier, image, rng) for image in some]
        figures = []
        for mode in MODES:
            labels = [shown(read((each * HELD_S)[: HELD_S * FPS], mode)) for each in looks]
            early, late = (sum(seen[at] == EMOTIONS[label] for seen in labels) for at in (EARLY_S * FPS, -1))
            figures.append(f"{mode} {early}, {late}")
        print(f"  {EMOTIONS[label]:8} of {len(some):3}: {'; '.join(figures)}")


def held_still(classifier: EmotionClassifier, image: npt.NDArray[np.uint8], rng: np.random.Generator) -> list[Look]:
    """Return looks at one crop, a second of them."""
    track, crops = Track(1, make_detection(), 0.0), []
    for _ in range(FPS):
        x, y = rng.normal(0, 0.4, 2)
        moved = cv2.warpAffine(image, np.array([[1, 0, x], [0, 1, y]]), image.shape[1::-1], borderMode=1)
        noisy = np.clip(moved + rng.normal(0, NOISE, moved.shape[:2])[..., None], 0, 255).astype(np.uint8)
        crops.append(resize_crop(noisy, classifier.crop_spec))
    probabilities = classifier.probabilities(np.stack(crops))
    (whole,) = classifier.classify([FaceCrop(crops[0], track)])
    return [(replace(whole, probabilities=row, quality=None),) for row in probabilities]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

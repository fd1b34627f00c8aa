"""Faces in the wild: photos of groups, ordinary photos, rotated photos, faces that fill a photo, and clips.

    python -m livemood.evaluation.wild DATA [--photos N] [--detector fast|auto|both]

Prints what the detector finds, in mode ``auto`` and ``fast``, on ``wild.zip``, ``smiles.zip`` and ``clips/`` of a
folder, how many of these faces are ``unsure``, and times. Nothing is stored. ``--photos`` is the largest number of
ordinary photos and of photos of ``smiles.zip``, taken at equal steps.
"""

import argparse
import csv
import io
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from livemood.core.geometry import Box
from livemood.core.settings import DetectorMode
from livemood.core.stage_settings import RoiSettings, SmootherSettings
from livemood.core.types import Detection, Frame, Image, Track
from livemood.datasets.largest_face import largest_face
from livemood.detection.combined import FaceDetector
from livemood.detection.roi_detector import RoiDetector
from livemood.detection.transforms import turned
from livemood.emotion.classifier import EmotionClassifier
from livemood.emotion.crop import crop_track
from livemood.emotion.doubt import doubt
from livemood.emotion.quality import measure
from livemood.evaluation.smiles import read_photos
from livemood.sources.image.decode import decode_photo, read_reduced
from livemood.sources.video.file import VideoSource

Find = Callable[[Image], Sequence[Detection]]

_FEW = 9
# A detection matches a known face from this IoU on; low, because annotated boxes are framed differently.
_SAME = 0.25
_FPS = 30
_PAN = (640, 480)
_WAIT_S = 1.0


@dataclass(slots=True)
class Groups:
    """Found and counted faces. ``extra``: detections above the count; ``uncounted``: table entry and detections."""

    photos: int = 0
    people: int = 0
    found: int = 0
    extra: int = 0
    uncounted: list[tuple[str, int]] = field(default_factory=list)

    def __str__(self) -> str:
        share = self.found / max(self.people, 1)
        return f"{self.photos} photos, {self.people} faces: {self.found} found ({share:.1%}), {self.extra} too many"


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    """Return the rows of a table in a zip."""
    return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def picture(archive: zipfile.ZipFile, name: str) -> Image:
    """Return a picture of a zip, (H, W, 3) uint8 BGR."""
    return np.asarray(cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def count_groups(find: Find, archive: zipfile.ZipFile) -> tuple[Groups, Groups]:
    """Return the results on photos of groups up to ``_FEW`` people, and on larger ones with uncounted crowds."""
    few, many = Groups(), Groups()
    for row in rows(archive, "wild/groups.csv"):
        found = len(find(picture(archive, f"wild/groups/{row['file']}")))
        if not row["faces"].isdigit():
            many.uncounted.append((row["faces"], found))
            continue
        people = int(row["faces"])
        group = few if people <= _FEW else many
        group.photos += 1
        group.people += people
        group.found += min(found, people)
        group.extra += max(found - people, 0)
    return few, many


@dataclass(slots=True)
class Ordinary:
    """Results on ordinary photos: known faces, those found, and false detections."""

    photos: int = 0
    known: int = 0
    found: int = 0
    extra: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.photos} photos, {self.known} known faces: {self.found} found "
            f"({self.found / max(self.known, 1):.1%}); {len(self.extra)} detections elsewhere "
            f"({100 * len(self.extra) / max(self.photos, 1):.1f} per 100 photos)"
        )


def step(photos: int, count: int) -> int:
    """Return the step at which at most ``count`` of some photos are taken, at least 1."""
    return max(-(-photos // count), 1)


def count_ordinary(find: Find, archive: zipfile.ZipFile, count: int) -> Ordinary:
    """Return the results on at most ``count`` ordinary photos."""
    places: dict[str, list[tuple[str, Box | None]]] = {}
    for row in rows(archive, "wild/ordinary.csv"):
        sides = [row[side] for side in ("left", "top", "right", "bottom")]
        box = Box(*map(float, sides)) if all(sides) else None
        places.setdefault(row["file"], []).append((row["kind"], box))
    counted = Ordinary()
    for file, known in list(places.items())[:: step(len(places), count)]:
        boxes = [face.box for face in find(picture(archive, f"wild/ordinary/{file}"))]
        faces = [box for kind, box in known if kind == "face" and box]
        anything = [box for _, box in known if box]
        counted.photos += 1
        counted.known += len(faces)
        counted.found += sum(any(box.iou(face) >= _SAME for box in boxes) for face in faces)
        counted.extra += [file for box in boxes if not any(box.iou(place) >= _SAME for place in anything)]
    return counted


def doubts(detector: FaceDetector, classifier: EmotionClassifier, images: Iterable[Image]) -> str:
    """Return how many faces are ``unsure``, and why, in words; each photo is read alone."""
    settings = SmootherSettings()
    reasons: Counter[str | None] = Counter()
    for image in images:
        frame = Frame(0, 0.0, image)
        for face in detector.detect(frame):
            crop = crop_track(frame, Track(0, face, 0.0), classifier.crop_spec)
            confidence = float(classifier.probabilities(crop.image[None])[0].max())
            quality = measure(crop, classifier.crop_spec, 1.0)
            reasons[doubt(quality, confidence, settings)] += 1
    faces, sure = reasons.total(), reasons.pop(None, 0)
    unsure = [f"{faces - sure} of {faces} faces unsure", *(f"{why} {many}" for why, many in reasons.most_common())]
    return ", ".join(unsure)


def smiles_right(
    detector: FaceDetector, classifier: EmotionClassifier, photos: Sequence[tuple[bool, Image]], turns: int
) -> float:
    """Return the share of rotated photos whose largest face is classified right; no face counts as wrong."""
    happy = classifier.labels.index("happy")
    right = 0
    for smiling, photo in photos:
        if face := largest_face(turned(photo, turns), detector, classifier.crop_spec):
            scores = classifier.probabilities(face.image[None])[0]
            right += (int(scores.argmax()) == happy) == smiling
    return right / len(photos)


def fills(photos: Sequence[Image], boxes: Sequence[Box], share: float) -> Iterator[Image]:
    """Yield photos cropped so that the face's box is ``share`` times the picture's side."""
    for photo, box in zip(photos, boxes, strict=True):
        (x, y), half = box.centre, box.longer_side / share / 2
        top, left = max(round(y - half), 0), max(round(x - half), 0)
        yield np.ascontiguousarray(photo[top : round(y + half), left : round(x + half)])


def follow(detector: FaceDetector, frames: Sequence[Frame]) -> list[tuple[Detection, ...]]:
    """Return the faces of a clip's frames, detected as in a video."""
    tracking = RoiDetector(detector, RoiSettings(), 0.5)
    return [tracking.detect(frame) for frame in frames]


def pan(photo: Image, length_s: float = 6.0) -> list[Frame]:
    """Return the frames of a camera that pans over a photo from left to right."""
    width, height = _PAN
    scale = height / photo.shape[0]
    wide = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    steps = np.linspace(0, max(wide.shape[1] - width, 0), round(length_s * _FPS)).round().astype(int)
    return [Frame(i, i / _FPS, np.ascontiguousarray(wide[:, x : x + width])) for i, x in enumerate(steps.tolist())]


def seen_within(detector: FaceDetector, photo: Image) -> tuple[int, int]:
    """Return how many faces are detected within 1 s of entering the frame of a pan, and how many enter it."""
    frames = pan(photo)
    scale = _PAN[1] / photo.shape[0]
    offsets = np.linspace(0, max(photo.shape[1] * scale - _PAN[0], 0), len(frames)).round()
    found = follow(detector, frames)
    seen = entered = 0
    for face in detector.detect(Frame(0, 0.0, photo)):
        x, y = (scale * side for side in face.box.centre)
        half = scale * face.box.width / 2
        inside = [i for i, left in enumerate(offsets) if left + half <= x <= left + _PAN[0] - half]
        within = inside[: round(_WAIT_S * _FPS)]
        if len(within) < _WAIT_S * _FPS:
            continue
        entered += 1
        seen += any(
            abs(box.centre[0] + offsets[i] - x) < half and abs(box.centre[1] - y) < half
            for i in within
            for box in (other.box for other in found[i])
        )
    return seen, entered


def median_ms(finds: Sequence[Callable[[], object]], times: int = 5) -> list[float]:
    """Return the median CPU time of each function, ms; they are called alternately."""
    spent: list[list[float]] = [[] for _ in finds]
    for _ in range(times):
        for find, mine in zip(finds, spent, strict=True):
            began = time.process_time()
            find()
            mine.append(1e3 * (time.process_time() - began))
    return [float(np.median(mine)) for mine in spent]


def main(argv: Sequence[str] | None = None) -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description="Measure face detection in the wild.")
    parser.add_argument("data", type=Path, help="folder with wild.zip, smiles.zip and clips/")
    parser.add_argument("--photos", type=_count, default=800, metavar="N", help="photos of smiles.zip and of wild.zip")
    parser.add_argument("--detector", choices=("fast", "auto", "both"), default="both")
    args = parser.parse_args(argv)
    every = [(smiling, image) for smiling, _, image in read_photos(args.data / "smiles.zip")]
    photos = every[:: step(len(every), args.photos)]
    modes: tuple[DetectorMode, ...] = ("fast", "auto")
    for mode in (mode for mode in modes if args.detector in (mode, "both")):
        with FaceDetector(mode) as detector:
            _print_photos(mode, detector, args.data, photos, args.photos)
            _print_clips(mode, detector, args.data)
    if args.detector == "both":
        _print_times(args.data)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is 1 or more, got {text}")
    return int(text)


def _print_photos(
    mode: str, detector: FaceDetector, data: Path, photos: Sequence[tuple[bool, Image]], count: int
) -> None:
    def find(image: Image) -> Sequence[Detection]:
        return detector.detect(Frame(0, 0.0, image))

    classifier = EmotionClassifier()
    with zipfile.ZipFile(data / "wild.zip") as archive:
        few, many = count_groups(find, archive)
        print(f"{mode}: groups of 1 to {_FEW}: {few}", flush=True)
        print(f"{mode}: groups of more: {many}")
        print(f"{mode}: uncounted crowds: {', '.join(f'{found} of {counted}' for counted, found in many.uncounted)}")
        ordinary = count_ordinary(find, archive, count)
        print(f"{mode}: ordinary: {ordinary}; {', '.join(ordinary.extra)}", flush=True)
        for kind in ("groups", "ordinary"):
            files = list(dict.fromkeys(row["file"] for row in rows(archive, f"wild/{kind}.csv")))
            shown = (picture(archive, f"wild/{kind}/{file}") for file in files[:: step(len(files), count)])
            print(f"{mode}: {kind}: {doubts(detector, classifier, shown)}", flush=True)
    images = [image for _, image in photos]
    faces = [find(image) for image in images]
    print(f"{mode}: smiles: a face in {np.mean([bool(found) for found in faces]):.2%} of {len(photos)} photos")
    for turns, degrees in ((0, 0), (1, 90), (2, 180), (3, 270)):
        print(
            f"{mode}: turned by {degrees}°: {smiles_right(detector, classifier, photos, turns):.1%} right", flush=True
        )
    cut = [(image, found[0].box) for image, found in zip(images, faces, strict=True) if found]
    for share in (1.0, 1.3):
        hits = [bool(find(filled)) for filled in fills([image for image, _ in cut], [box for _, box in cut], share)]
        print(f"{mode}: box {share:.0%} of the picture: found in {np.mean(hits):.1%} of {len(hits)}", flush=True)


def _print_clips(mode: str, detector: FaceDetector, data: Path) -> None:
    for path in sorted((data / "clips").glob("*.[mg][ki][vf]")):
        with VideoSource(path) as clip:
            counts = np.array([len(found) for found in follow(detector, list(clip.frames()))])
        exactly = {number: f"{np.mean(counts == number):.1%}" for number in (1, 2)}
        print(
            f"{mode}: {path.name}: one face {exactly[1]}, two {exactly[2]}, any {np.mean(counts > 0):.1%}", flush=True
        )
    with zipfile.ZipFile(data / "wild.zip") as archive:
        counted = [
            row for row in rows(archive, "wild/groups.csv") if row["faces"].isdigit() and int(row["faces"]) >= 15
        ]
        seen = [seen_within(detector, picture(archive, f"wild/groups/{row['file']}")) for row in counted]
    total, entered = map(sum, zip(*seen, strict=True))
    print(f"{mode}: pans over {len(counted)} group photos: {total} of {entered} faces within 1 s", flush=True)


def _print_times(data: Path) -> None:
    with FaceDetector("fast") as fast, FaceDetector("auto") as auto, zipfile.ZipFile(data / "wild.zip") as archive:
        table = [row for row in rows(archive, "wild/groups.csv") if row["faces"].isdigit()]
        one = next(row["file"] for row in table if row["faces"] == "1")
        coded = archive.read(f"wild/groups/{one}")
        photo = picture(archive, f"wild/groups/{one}")
        large = cv2.imencode(".jpg", cv2.resize(photo, (3000, 4000)))[1]

        def in_full(data: bytes) -> object:
            return fast.detect(Frame(0, 0.0, decode_photo(data, "photo").image))

        def reduced(data: bytes) -> object:
            return read_reduced(
                lambda side: decode_photo(data, "photo", side), lambda *seen: auto.detect(Frame(0, 0.0, *seen))
            )

        # ``auto`` decodes smaller where that is enough.
        megapixels = photo.shape[0] * photo.shape[1] / 1e6
        for size, bytes_ in ((f"{megapixels:.1f} megapixels", coded), ("12 megapixels", large.tobytes())):
            fast_ms, auto_ms = median_ms([partial(in_full, bytes_), partial(reduced, bytes_)])
            times = f"fast {fast_ms:.0f} ms, auto {auto_ms / fast_ms:.2f} x"
            print(f"photo of one face, {size}, decoded and searched: {times}")
        crowd = next(row["file"] for row in table if row["faces"] == "30")
        for name, source in (("one face", photo), ("30 people", picture(archive, f"wild/groups/{crowd}"))):
            frames = pan(source, 2.0)
            fast_ms, auto_ms = median_ms([lambda f=frames: follow(fast, f), lambda f=frames: follow(auto, f)], 3)  # type: ignore[misc]
            times = f"fast {fast_ms / len(frames):.1f} ms, auto {auto_ms / len(frames):.1f} ms"
            print(f"video of {name}, per frame: {times} ({auto_ms / fast_ms:.2f} x)")


if __name__ == "__main__":
    main()

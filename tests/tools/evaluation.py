"""Print the figures that README and model card claim (``make eval``).

``python -m tests.tools.evaluation [SHARED_DATA]``

Needs the real clips and photos, which are not part of this project; nothing here is tuned to them.
"""

import csv
import io
import operator
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from livemood.apps.reader import MoodReader
from livemood.apps.video_job import VideoJob, label_video
from livemood.cli.bars import Bars
from livemood.core.settings import DetectorMode
from livemood.core.stage_settings import RoiSettings, Settings
from livemood.core.types import Frame, Image, Mood
from livemood.detection.combined import FaceDetector
from livemood.evaluation.metrics import auc
from livemood.sinks.open import Output
from livemood.sources.video.file import VideoSource
from tests.support.builders import SAMPLES
from tools.smile_weak import kinds

SHARED = Path(__file__).parents[3] / "shared" / "data"
SINGLE_FACE_CLIPS = ("again.mkv", "book.mkv", "no.mkv", "yes.mkv")


def main(data: Path = SHARED) -> None:
    """Print every table."""
    if not data.is_dir():
        sys.exit(f"no data at {data}; give the folder that holds clips/ and smiles.zip")
    clips = {path.name: frames(path) for path in sorted((data / "clips").glob("*.[mg][ki][vf]"))}
    photos = list(read_photos(data / "smiles.zip"))
    images = [photo.image for photo in photos]
    detection(clips, images)
    smoothing(clips)
    lag(images)
    smiles(photos)
    parity([SAMPLES / "faces.mp4", *sorted((data / "clips").glob("*.[mg][ki][vf]"))])


def frames(path: Path) -> list[Frame]:
    """Decode a clip."""
    with VideoSource(path) as clip:
        return list(clip.frames())


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo of smiles.zip: whether it smiles, and the kind of smile as seen by eye, if it was clear."""

    image: Image
    smiling: bool
    kind: str | None


def read_photos(path: Path) -> Iterator[Photo]:
    """Yield the photos of smiles.zip."""
    by_eye = kinds("smiles")
    with zipfile.ZipFile(path) as archive:
        table = archive.read("smiles/labels.csv").decode()
        for row in csv.DictReader(io.StringIO(table)):
            data = np.frombuffer(archive.read(f"smiles/{row['image']}"), np.uint8)
            image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
            yield Photo(image, row["smile"] == "1", by_eye.get(row["image"]))


@contextmanager
def heading(title: str) -> Iterator[None]:
    """Print a title before and a blank line after."""
    print(f"== {title}")
    yield
    print()


def detection(clips: dict[str, list[Frame]], photos: Sequence[Image]) -> None:
    """Print the faces per frame for each detector mode, and the time of each relative to the far one."""
    stills = [Frame(0, 0.0, photo) for photo in photos]
    vga = [frame for name in SINGLE_FACE_CLIPS for frame in clips[name]]
    with heading("detection"):
        modes: tuple[DetectorMode, ...] = ("near", "far", "fast", "auto")
        for mode in modes:
            with FaceDetector(mode) as detector:
                counts = {n: [len(detector.detect(frame)) for frame in clip] for n, clip in clips.items()}
                found = np.mean([bool(detector.detect(still)) for still in stills])
            exact = ", ".join(f"{n} {np.mean(np.array(counts[n]) == 1):.1%}" for n in SINGLE_FACE_CLIPS)
            print(f"{mode:5} exactly one face: {exact}")
            print(
                f"      two in two-heads: {np.mean(np.array(counts['two-heads.gif']) == 2):.1%}; "
                f"any in walking: {np.mean(np.array(counts['walking.gif']) > 0):.1%}; photos: {found:.2%}"
            )
        following(clips)
        with FaceDetector("far") as far, FaceDetector("auto") as auto:
            spent = {far: 0.0, auto: 0.0}
            for frame in vga:  # in turns, so that whatever else the machine does hits both alike
                for detector in spent:
                    began = time.perf_counter()
                    detector.detect(frame)
                    spent[detector] += time.perf_counter() - began
        print(f"time per VGA frame: auto takes {spent[auto] / spent[far]:.2f} x that of far")


def following(clips: dict[str, list[Frame]]) -> None:
    """Print how results differ between following faces in windows, as for every source, and searching every frame."""
    clips = {**clips, "sample": frames(SAMPLES / "faces.mp4")}
    every = Settings(roi=RoiSettings(full_frame_every_s=0))
    differ = total = 0
    counts = {}
    with MoodReader() as windowed, MoodReader(settings=every) as searcher:
        for name, clip in clips.items():
            pipeline, reference = windowed.pipeline(), searcher.pipeline()
            followed, searched = ([p.step(frame) for frame in clip] for p in (pipeline, reference))
            counts[name] = np.array([len(found) for found in followed])
            differ += sum(map(operator.ne, map(labels, followed), map(labels, searched)))
            total += len(clip)
    exact = ", ".join(f"{n} {np.mean(counts[n] == 1):.1%}" for n in SINGLE_FACE_CLIPS)
    print(f"video exactly one face: {exact}")
    print(
        f"      two in two-heads: {np.mean(counts['two-heads.gif'] == 2):.1%}; any in walking: "
        f"{np.mean(counts['walking.gif'] > 0):.1%}; labels other than when every whole frame is searched: "
        f"{differ} of {total} frames, {differ / total:.2%}"
    )


def labels(moods: Sequence[Mood]) -> list[str]:
    """Return the labels of a frame."""
    return sorted(mood.label for mood in moods)


def changes(labels: Sequence[str]) -> int:
    """Return the number of label changes."""
    return sum(a != b for a, b in pairwise(labels))


def smoothing(clips: dict[str, list[Frame]]) -> None:
    """Print label changes on a still, neutral man, raw and smoothed, and ids per clip."""
    with heading("smoothing"), MoodReader() as reader:
        smooth = raw = 0
        seconds = 0.0
        for name, clip in clips.items():
            pipeline = reader.pipeline()
            moods = [pipeline.step(frame) for frame in clip]
            ids = {mood.track.id for found in moods for mood in found}
            first = [found[0] for found in moods if found]
            counts = {label: sum(m.label == label for m in first) for label in sorted({m.label for m in first})}
            print(f"{name}: {len(ids)} id(s), labels of the largest face {counts}")
            if name in SINGLE_FACE_CLIPS:
                smooth += changes([mood.label for mood in first])
                raw += changes([top(mood) for mood in first])
                seconds += clip[-1].time_s - clip[0].time_s
        print(f"neutral man, {seconds:.1f} s: {smooth} label changes smoothed, {raw} raw")


def lag(photos: Sequence[Image], fps: int = 30, hold_s: float = 1.2) -> None:
    """Print how long the label takes to follow a cut, on a clip spliced from photos of different people."""
    with heading("lag at a change"), MoodReader() as reader:
        sure: dict[str, list[Image]] = {"happy": [], "neutral": []}
        for photo in photos:
            picture = np.asarray(cv2.resize(photo, (200, 200), interpolation=cv2.INTER_AREA), np.uint8)
            found = reader.image(picture)
            if len(found) == 1 and found[0].confidence >= 0.6 and found[0].label in sure:
                sure[found[0].label].append(picture)
        pipeline, lags, lost, frame_index = reader.pipeline(), [], 0, 0
        for turn in range(2 * min(60, *map(len, sure.values()))):
            label = ("happy", "neutral")[turn % 2]
            waited = None
            for step in range(round(hold_s * fps)):
                moods = pipeline.step(Frame(frame_index, frame_index / fps, sure[label][turn // 2]))
                frame_index += 1
                if waited is None and moods and moods[0].label == label:
                    waited = step / fps
            if turn:
                lags.append(hold_s if waited is None else waited)
                lost += waited is None
        print(
            f"{len(lags)} cuts between sure faces: median {np.median(lags):.2f} s, 95 % within "
            f"{np.quantile(lags, 0.95):.2f} s, longest {max(lags):.2f} s; never followed: {lost}"
        )


def top(mood: Mood) -> str:
    """Return the leading emotion of this frame alone."""
    return max(mood.raw_scores, key=mood.raw_scores.__getitem__)


def smiles(photos: Sequence[Photo]) -> None:
    """Print the accuracy on smiles: the largest face's top emotion must be happy exactly if the photo is a smile."""
    with heading("smiles, end to end"), MoodReader() as reader:
        right, scores, truth = 0, [], []
        by_kind: dict[str, list[Mood]] = {"open": [], "closed": []}
        for photo in photos:
            found = reader.image(photo.image)
            if found:
                right += (max(found[0].scores, key=found[0].scores.__getitem__) == "happy") == photo.smiling
                scores.append(found[0].scores["happy"])
                truth.append(photo.smiling)
                if photo.kind:
                    by_kind[photo.kind].append(found[0])
        print(f"{len(photos)} photos: {right / len(photos):.2%} right, misses counted wrong;")
        area = auc(np.array(scores), np.array(truth))
        print(f"AUC of the happy score over {len(scores)} photos with a face: {area:.4f}")
        print_kinds(by_kind)


def print_kinds(by_kind: dict[str, list[Mood]]) -> None:
    """Print how well open and closed smiles are distinguished."""

    def openness(mood: Mood) -> float:
        shares = mood.others["smile"].scores
        return shares["open"] / max(shares["open"] + shares["closed"], 1e-9)

    moods = [*by_kind["open"], *by_kind["closed"]]
    truth = np.arange(len(moods)) < len(by_kind["open"])
    area = auc(np.array([openness(mood) for mood in moods]), truth)
    print(f"open ({len(by_kind['open'])}) against closed smiles ({len(by_kind['closed'])}): AUC {area:.4f}")
    for kind, faces in by_kind.items():
        said = [max(mood.others["smile"].scores, key=mood.others["smile"].scores.__getitem__) for mood in faces]
        print(f"{kind} smiles read as {kind}: {said.count(kind) / len(said):.1%}")


def parity(videos: Sequence[Path]) -> None:
    """Print which properties of a video ``livemood video`` preserves, read back with PyAV."""
    with heading("parity of labelled copies"), MoodReader() as reader, tempfile.TemporaryDirectory() as scratch:
        print(f"{'video':16} {'frames':>9} {'size':>19} {'largest time error':>19} {'sound packets':>14}")
        for video in videos:
            copy = Path(scratch) / f"{video.stem}.mp4"
            with Bars() as bars:
                label_video(VideoJob(video, (Output("out", str(copy)),)), reader.session, bars)
            before, after = contents(video), contents(copy)
            error = max(abs(a - b) for a, b in zip(before.times, after.times, strict=False))
            sound = "none" if not before.sound else "identical" if before.sound == after.sound else "changed"
            print(
                f"{video.name:16} {len(before.times):>4}/{len(after.times):<4} {before.size:>9}/{after.size:<9} "
                f"{float(error) * 1e3:>16.3f} ms {sound:>14}"
            )


@dataclass(frozen=True)
class Contents:
    """Content of a video file: frame times from the first one on (s), size, and the bytes of each sound packet."""

    times: list[Fraction]
    size: str
    sound: list[bytes]


def contents(path: Path) -> Contents:
    """Read a file with PyAV alone."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        tick = frames[0].time_base or Fraction(0)
    times = [tick * ((frame.pts or 0) - (frames[0].pts or 0)) for frame in frames]
    with av.open(str(path)) as container:
        packets = container.demux(*container.streams.audio) if container.streams.audio else ()
        sound = [bytes(packet) for packet in packets if packet.size]
    return Contents(times, f"{frames[0].width}x{frames[0].height}", sound)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

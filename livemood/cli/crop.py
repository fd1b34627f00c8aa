"""``livemood crop``: cut faces out of photos and videos, ready to be labelled and trained on."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.options import Detector, DetectorChoice, Force, Model
from livemood.errors import ImageUnreadable, SinkError

if TYPE_CHECKING:
    from livemood.values import Frame

_HEADER = ("file", "source", "time_s", "left", "top", "right", "bottom", "score")


def crop(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Photos, folders of photos, or videos.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the crops and index.csv.")],
    sort: Annotated[
        bool, typer.Option("--sort", help="Put each crop into a folder named after what the model reads.")
    ] = False,
    every: Annotated[float, typer.Option("--every", min=0, help="Seconds between the frames taken of a video.")] = 1.0,
    size: Annotated[int, typer.Option("--size", min=48, max=1024, help="Side of the crops in pixels.")] = 192,
    detector: Detector = DetectorChoice.auto,
    model: Model = None,
    force: Force = False,
) -> None:
    """Cut every face out, aligned as the model sees it, in colour.

    Look through the crops, move each into a folder named after its class, and train on OUT. index.csv says where each
    came from; livemood train keeps the crops of one video in one split by it.

    [bold]Examples[/bold]

      livemood crop holiday/ --out faces
      livemood crop clip.mp4 --out faces --sort --every 0.5
    """
    from livemood.bundle import default_bundle, read_bundle
    from livemood.classify import EmotionClassifier
    from livemood.crop import align
    from livemood.detect import FaceDetector
    from livemood.sink.image import write_image
    from livemood.training.cropindex import INDEX
    from livemood.values import CropSpec

    index = out / INDEX
    if index.exists() and not force:
        raise SinkError(f"{index} is there already; use --force or another --out")
    spec = read_bundle(model or default_bundle()).crop
    wanted = CropSpec(size, "bgr", spec.template)
    classifier = EmotionClassifier(model) if sort else None
    header = (*_HEADER, "label", "confidence") if classifier else _HEADER
    taken: Counter[str] = Counter()
    with ExitStack() as stack:
        finder = stack.enter_context(FaceDetector(detector.value))
        frames = _frames(paths, every)
        first = list(islice(frames, 1))  # what cannot be read says so before anything is written
        try:
            out.mkdir(parents=True, exist_ok=True)
            # Line by line: whoever interrupts a long film keeps a good index of what was cut.
            lines = stack.enter_context(index.open("w", newline="", encoding="utf-8", buffering=1))
        except OSError as error:
            raise SinkError(f"{index} cannot be written: {error.strerror}; choose another --out") from error
        rows = csv.writer(lines)
        rows.writerow(header)
        for source, frame in chain(first, frames):
            for face in finder.detect(frame):
                row: list[str] = []
                folder = ""
                if classifier:
                    scores = classifier.probabilities(align(frame.image, face.keypoints, spec)[None])[0]
                    folder = f"{classifier.labels[int(scores.argmax())]}/"
                    row = [folder.rstrip("/"), f"{scores.max():.4f}"]
                taken[source.stem] += 1  # sources of one name are counted on, so no crop replaces another
                name = f"{folder}{source.stem}-{taken[source.stem]:05}.png"
                write_image(out / name, align(frame.image, face.keypoints, wanted))
                box = [f"{side:.1f}" for side in (face.box.left, face.box.top, face.box.right, face.box.bottom)]
                rows.writerow([name, source, f"{frame.time_s:.3f}", *box, f"{face.score:.3f}", *row])
    print(f"{taken.total()} faces in {out}, listed in {index}")


def _frames(paths: Sequence[Path], every_s: float) -> Iterator[tuple[Path, "Frame"]]:
    from livemood.source.image import PICTURE_SUFFIXES, image_paths, read_image
    from livemood.source.video import VideoSource
    from livemood.values import Frame

    for path in image_paths(paths):
        if path.suffix.lower() in PICTURE_SUFFIXES - {".gif"}:
            try:
                yield path, Frame(0, 0.0, read_image(path))
            except ImageUnreadable as error:
                print(f"livemood: {error}; skipped", file=sys.stderr)
            continue
        with VideoSource(path) as clip:
            due = 0.0
            for frame in clip.frames():
                if frame.time_s >= due:
                    due = frame.time_s + every_s
                    yield path, frame

"""``livemood crop``: cut faces out of photos and videos, ready to be labelled and trained on."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livemood.cli.options import Detector, DetectorChoice, Force, Model, option_name
from livemood.core.errors import SourceError

if TYPE_CHECKING:
    from livemood.core.types import Frame

_COLUMNS = ("file", "source", "time_s", "left", "top", "right", "bottom", "score")


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
    came from; livemood train keeps the crops of one video in one split by it. With --force, crops are added to those of
    an earlier run; the same video's are made anew.

    [bold]Examples[/bold]

      livemood crop holiday/ --out faces
      livemood crop clip.mp4 --out faces --sort --every 0.5
    """
    from livemood.bundles.manifest import default_bundle, read_bundle
    from livemood.core.types import CropSpec
    from livemood.datasets.crop_index import INDEX, CropIndex
    from livemood.detection.combined import FaceDetector
    from livemood.emotion.classifier import EmotionClassifier
    from livemood.emotion.crop import align
    from livemood.sinks.image import write_image

    columns = (*_COLUMNS, "label", "confidence") if sort else _COLUMNS
    index = CropIndex(out, columns, force)
    spec = read_bundle(model or default_bundle()).crop
    wanted = CropSpec(size, "bgr", spec.template)
    classifier = EmotionClassifier(model) if sort else None
    with ExitStack() as stack:
        finder = stack.enter_context(FaceDetector(detector.value))
        frames = _frames(paths, every)
        first = list(islice(frames, 1))  # what cannot be read says so before anything is written
        stack.enter_context(index)
        for source, frame in chain(first, frames):
            for face in finder.detect(frame):
                reading: list[str] = []
                folder = ""
                if classifier:
                    scores = classifier.probabilities(align(frame.image, face.keypoints, spec)[None])[0]
                    folder = f"{classifier.labels[int(scores.argmax())]}/"
                    reading = [folder.rstrip("/"), f"{scores.max():.4f}"]
                name = index.name(source, folder)
                write_image(out / name, align(frame.image, face.keypoints, wanted))
                box = [f"{side:.1f}" for side in (face.box.left, face.box.top, face.box.right, face.box.bottom)]
                row = [name, str(source), f"{frame.time_s:.3f}", *box, f"{face.score:.3f}", *reading]
                index.add(dict(zip(columns, row, strict=True)))
    print(f"{index.added} faces in {out}, listed in {out / INDEX}")


def _frames(paths: Sequence[Path], every_s: float) -> Iterator[tuple[Path, "Frame"]]:
    from livemood.core.types import Frame
    from livemood.sources.image.decode import read_image
    from livemood.sources.image.formats import PICTURE_SUFFIXES
    from livemood.sources.image.scan import image_paths

    for path in image_paths(paths):
        suffix = path.suffix.lower()
        try:
            if suffix in PICTURE_SUFFIXES - {".gif"}:
                yield path, Frame(0, 0.0, read_image(path))
            else:
                yield from ((path, frame) for frame in _moments(path, every_s))
        except SourceError as error:
            if suffix not in PICTURE_SUFFIXES:
                raise
            print(f"livemood: {error.line(option_name)}; skipped", file=sys.stderr)


def _moments(path: Path, every_s: float) -> Iterator["Frame"]:
    from livemood.sources.video.file import VideoSource

    with VideoSource(path) as clip:
        due = 0.0
        for frame in clip.frames():
            if frame.time_s >= due:
                due = frame.time_s + every_s
                yield frame

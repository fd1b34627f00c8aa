"""Weak labels of how open a smile is: upperUp + lowerDown + 2 jawOpen of MediaPipe's blendshapes.

    python -m tools.smile_weak DATA WORK face_landmarker.task

Compared with labels by eye in docs/training.md. The landmarker is used on training pictures only and is not shipped.
Writes ``WORK/smile_weak.npz``: files of FER+'s training pictures whose top vote is happy, and a score for each (NaN if
it finds no face).
"""

import csv
import math
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from livemood.core.types import Image
from livemood.evaluation.metrics import auc
from tools import faces, measure, votes

_LISTS = Path(__file__).parent / "data"
_DRAWN, _DOUBTFUL = "smile_kinds.csv", "smile_kinds_doubtful.csv"
_PARTS = {
    "mouthUpperUpLeft": 0.5,
    "mouthUpperUpRight": 0.5,
    "mouthLowerDownLeft": 0.5,
    "mouthLowerDownRight": 0.5,
    "jawOpen": 2.0,
}


def kinds(name: str, doubtful: bool = False) -> dict[str, str]:
    """Return the kind of smile by file, as seen by eye, those that were unclear left out.

    Args:
        name: ``ferplus``, ``smiles`` or, for ``doubtful``, ``smiled``.
        doubtful: Return the second list: mostly pictures that an earlier head or blendshapes call open least often.
            The first holds pictures drawn at random, and all smiles of ``smiles``.
    """
    with (_LISTS / (_DOUBTFUL if doubtful else _DRAWN)).open() as stream:
        found = {row["file"]: row["kind"] for row in csv.DictReader(stream) if row["set"] == name}
    return {file: kind for file, kind in found.items() if kind != "unclear"}


def blendshapes(task: Path, images: Iterable[Image]) -> list[dict[str, float]]:
    """Return the blendshapes of the face in each picture, (H, W, 3) uint8 BGR, by name; none where no face is found."""
    from mediapipe import Image as Picture
    from mediapipe import ImageFormat
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

    options = FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(task)),
        output_face_blendshapes=True,
        num_faces=1,
        min_face_detection_confidence=0.2,
        min_face_presence_confidence=0.2,
    )
    shapes = []
    with FaceLandmarker.create_from_options(options) as landmarker:
        for image in images:
            rgb = np.ascontiguousarray(image[..., ::-1])
            found = landmarker.detect(Picture(image_format=ImageFormat.SRGB, data=rgb)).face_blendshapes
            shapes.append({each.category_name: each.score for each in found[0]} if found else {})
    return shapes


def openness(shapes: dict[str, float]) -> float:
    """Return the score of openness; NaN without blendshapes."""
    return sum(share * shapes[name] for name, share in _PARTS.items()) if shapes else math.nan


def main() -> None:
    """Run the script with the arguments of the command line."""
    data, work, task = map(Path, sys.argv[1:4])
    train = votes.parts(data, work)["train"].split
    files = train.files[train.top_vote == 1]
    shapes = blendshapes(task, faces.pictures(data, "ferplus", files.tolist()))
    scores = np.array([openness(each) for each in shapes], np.float32)
    np.savez(work / "smile_weak.npz", files=files, scores=scores)
    print(f"{np.isfinite(scores).sum()} of {len(scores)} have a face")
    known = kinds("smiles")
    table = [row["image"] for row in measure.table(data, "smiles")]
    images = faces.pictures(data, "smiles", faces.points(data, work, "smiles")[0])
    photos = dict(zip(table, blendshapes(task, images), strict=True))
    seen = [(openness(photos[file]), kind == "open") for file, kind in known.items() if photos[file]]
    seen_scores, opened = (np.array(each, np.float64) for each in zip(*seen, strict=True))
    print(f"smiles.zip, open against closed: AUC {auc(seen_scores, opened > 0):.4f}")


if __name__ == "__main__":
    main()

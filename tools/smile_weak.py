"""Weak labels of how open a smile is: upperUp + lowerDown + 2 jawOpen of MediaPipe's blendshapes.

    python -m tools.smile_weak DATA WORK face_landmarker.task

Measured against labels by eye in docs/training.md. The landmarker answers a question about training pictures; nothing
of it ships. Writes ``WORK/smile_weak.npz``: files of FER+'s training pictures whose top vote is happy, and a score each
(NaN where it finds no face).
"""

import sys
from pathlib import Path

import numpy as np

from tools import faces, votes

_PARTS = {
    "mouthUpperUpLeft": 0.5,
    "mouthUpperUpRight": 0.5,
    "mouthLowerDownLeft": 0.5,
    "mouthLowerDownRight": 0.5,
    "jawOpen": 2.0,
}


def main() -> None:
    """Do what the module says, as the command line asks."""
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

    data, work, task = map(Path, sys.argv[1:4])
    train = votes.parts(data, work)["train"].split
    files = train.files[train.top_vote == 1]
    options = FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(task)), output_face_blendshapes=True, num_faces=1,
        min_face_detection_confidence=0.2, min_face_presence_confidence=0.2,
    )  # fmt: skip
    scores = np.full(len(files), np.nan, np.float32)
    with FaceLandmarker.create_from_options(options) as landmarker:
        for place, image in enumerate(faces.pictures(data, "ferplus", files.tolist())):
            rgb = np.ascontiguousarray(image[..., ::-1])
            found = landmarker.detect(Image(image_format=ImageFormat.SRGB, data=rgb)).face_blendshapes
            if found:
                shapes = {each.category_name: each.score for each in found[0]}
                scores[place] = sum(share * shapes[name] for name, share in _PARTS.items())
            if place % 1000 == 0:
                print(place, np.isfinite(scores).sum(), flush=True)
    np.savez(work / "smile_weak.npz", files=files, scores=scores)


if __name__ == "__main__":
    main()

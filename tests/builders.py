"""Small makers of test material, shared by all tests."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from livemood.labels import EMOTIONS, UNSURE
from livemood.values import Box, Detection, Frame, Image, Mood, Track

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"


def read_still(path: Path) -> Image:
    """Read a picture as BGR."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)


def make_frame(width: int = 640, height: int = 480, index: int = 0, time_s: float = 0.0, level: int = 90) -> Frame:
    """Return an evenly grey frame."""
    return Frame(index, time_s, np.full((height, width, 3), level, np.uint8))


def make_detection(x: float = 320, y: float = 240, side: float = 100, score: float = 0.9) -> Detection:
    """Return an upright face centred at (x, y) px, its keypoints where a real face of that size has them."""
    shares = [(0.32, 0.32), (0.68, 0.32), (0.5, 0.55), (0.5, 0.75), (0.05, 0.4), (0.95, 0.4)]
    left, top = x - side / 2, y - side / 2
    keypoints = np.array([(left + fx * side, top + fy * side) for fx, fy in shares], np.float32)
    return Detection(Box(left, top, left + side, top + side), keypoints, score)


def make_mood(
    track: int = 1, label: str = "happy", confidence: float = 0.9, labels: tuple[str, ...] = EMOTIONS, x: float = 320
) -> Mood:
    """Return the mood of a face centred at (x, 240) px; ``unsure`` leans to the first of ``labels``."""
    leading = labels[0] if label == UNSURE else label
    rest = (1 - confidence) / max(len(labels) - 1, 1)
    scores = {name: confidence if name == leading else rest for name in labels}
    raw = {name: 1.0 if name == leading else 0.0 for name in labels}
    return Mood(Track(track, make_detection(x), first_seen_s=0.0), label, confidence, scores, raw)


def write_clip(path: Path, images: Sequence[Image], fps: int = 30, codec: str = "libx264") -> Path:
    """Write BGR pictures of one even size as a plain video without sound; return its path."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path

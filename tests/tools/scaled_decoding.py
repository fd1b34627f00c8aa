"""Cost and gain of decoding JPEGs at a reduced size: faces found in large photos, and CPU time.

    python -m tests.tools.scaled_decoding DATA

DATA holds ``wild.zip``. Photos of 8,000 px are made of its group photos: every second one enlarged, and
mosaics of nine.
"""

import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from livemood.apps.session import Session
from livemood.core.geometry import Box
from livemood.core.types import Image
from livemood.datasets.files import decode
from livemood.sources.image.decode import LEAST_SIDE, decode_photo

WIDTH, HEIGHT = 8000, 6000
ACROSS = 3
"""Photos in a row of a mosaic, and in a column."""


def main() -> int:
    """Print a table; return the exit code."""
    groups = list(group_photos(Path(sys.argv[1]) / "wild.zip"))
    cases = {"enlarged": map(enlarged, groups[::2]), "mosaics of nine": mosaics(groups)}
    print("| photos | in full | smaller | both ways | CPU s in full | smaller |\n|---|---|---|---|---|---|")
    with Session() as session:
        for name, images in cases.items():
            counts = sum((np.array(measured(session, image)) for image in images), np.zeros(6))
            photos, full, smaller, both, slow, fast = counts.tolist()
            seconds = f"{slow / photos:.3f} | {fast / photos:.3f}"
            print(f"| {photos:.0f} {name} | {full:.0f} | {smaller:.0f} | {both:.0f} | {seconds} |", flush=True)
    return 0


def group_photos(archive: Path) -> Iterator[Image]:
    """Yield the group photos of ``wild.zip``."""
    with zipfile.ZipFile(archive) as file:
        for name in sorted(file.namelist()):
            if "/groups/" in name and (image := decode(file.read(name))) is not None:
                yield image


def enlarged(image: Image) -> Image:
    """Return a photo whose longer side has 8,000 px."""
    scale = WIDTH / max(image.shape[:2])
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def mosaics(images: Sequence[Image]) -> Iterator[Image]:
    """Yield photos of 8,000 x 6,000 px with nine large group photos each."""
    large = [image for image in images if max(image.shape[:2]) >= 1000]
    for start in range(0, len(large) - ACROSS**2 + 1, ACROSS**2):
        canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for place, image in enumerate(large[start : start + ACROSS**2]):
            scale = min(WIDTH / ACROSS / image.shape[1], HEIGHT / ACROSS / image.shape[0]) * 0.999
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            top, left = place // ACROSS * HEIGHT // ACROSS, place % ACROSS * WIDTH // ACROSS
            canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
        yield canvas


def measured(session: Session, image: Image) -> tuple[float, ...]:
    """Return 1, the faces found in full size, at reduced size and in both, and the CPU seconds of each."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    faces, seconds = [], []
    for least_side in (None, LEAST_SIDE):
        began = time.process_time()
        photo = decode_photo(data, "photo", least_side)
        moods = session.read_photo(photo.image)
        seconds.append(time.process_time() - began)
        scale = photo.scale
        sides = [(mood.box.left, mood.box.top, mood.box.right, mood.box.bottom) for mood in moods]
        faces.append([Box(*(scale * side for side in box)) for box in sides])
    both = sum(any(face.iou(other) > 0.4 for other in faces[1]) for face in faces[0])
    return 1, len(faces[0]), len(faces[1]), both, *seconds


if __name__ == "__main__":
    sys.exit(main())

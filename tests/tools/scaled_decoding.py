"""Cost and gain of decoding JPEGs at a reduced size: faces found in large photos, their labels, and CPU time.

    python -m tests.tools.scaled_decoding DATA

DATA holds ``wild.zip``. Its group photos are enlarged to 4,000 px and every second one to 8,000 px, and mosaics of
8,000 px are made of nine each.
"""

import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from livemood.apps.photo import PhotoOptions
from livemood.apps.photo_reader import PhotoReader
from livemood.apps.session import Session
from livemood.core.settings import DrawStyle, ReaderSettings
from livemood.core.types import Image
from livemood.datasets.files import decode
from livemood.sources.image.decode import decode_photo

SIDES = (4000, 8000)
WIDTH, HEIGHT = 8000, 6000
ACROSS = 3
"""Photos in a row of a mosaic, and in a column."""
_SAME_FACE = 0.4


def main() -> int:
    """Print a table; return the exit code."""
    groups = list(group_photos(Path(sys.argv[1]) / "wild.zip"))
    cases: dict[str, Iterator[Image]] = {
        f"of {SIDES[0]:,} px": (enlarged(image, SIDES[0]) for image in groups),
        f"of {SIDES[1]:,} px": (enlarged(image, SIDES[1]) for image in groups[::2]),
        "mosaics of nine": mosaics(groups),
    }
    print("| photos | in full | smaller | both ways | of one label | CPU s in full | smaller |")
    print("|---|---|---|---|---|---|---|")
    with Session() as session:
        reader = PhotoReader(session, PhotoOptions(ReaderSettings(), DrawStyle()))
        for name, images in cases.items():
            counts = sum((np.array(measured(reader, image)) for image in images), np.zeros(7))
            photos, full, smaller, both, same, slow, fast = counts.tolist()
            found = f"{full:.0f} | {smaller:.0f} | {both:.0f} | {same:.0f}"
            print(f"| {photos:.0f} {name} | {found} | {slow / photos:.3f} | {fast / photos:.3f} |", flush=True)
    return 0


def group_photos(archive: Path) -> Iterator[Image]:
    """Yield the group photos of ``wild.zip``."""
    with zipfile.ZipFile(archive) as file:
        for name in sorted(file.namelist()):
            if "/groups/" in name and (image := decode(file.read(name))) is not None:
                yield image


def enlarged(image: Image, side: int) -> Image:
    """Return a photo whose longer side has ``side`` px."""
    scale = side / max(image.shape[:2])
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


def measured(reader: PhotoReader, image: Image) -> tuple[float, ...]:
    """Return 1, the faces found in full size, as ``livemood image`` reads it and in both, and of these those with the
    same label, and the CPU seconds of each.
    """
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    began = time.process_time()
    full = reader.session.read_photo(decode_photo(data, "photo").image)
    between = time.process_time()
    smaller = reader.read_content("photo", data).moods
    ended = time.process_time()
    pairs = [(one, other) for one in full for other in smaller if one.box.iou(other.box) > _SAME_FACE]
    same = sum(one.label == other.label for one, other in pairs)
    return 1, len(full), len(smaller), len(pairs), same, between - began, ended - between


if __name__ == "__main__":
    sys.exit(main())

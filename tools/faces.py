"""Faces of the evaluation and training sets: detected once, cropped in any framing within seconds.

    python -m tools.faces DATA WORK ferplus|smiled|strangers|london|smiles ...

``DATA`` holds the zips. ``WORK/NAME.points.npz`` stores the six keypoints of the largest face of every picture (NaN if
none was found), so that a new framing needs no detection.
"""

import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import CROP, FER2013_TEMPLATE, CropSpec
from livemood.core.types import Frame, Image
from livemood.detection.combined import FaceDetector
from livemood.emotion import crop
from livemood.sources.image.decode import decoded

TABLES = {
    "ferplus": "ferplus/{}/label.csv",
    "smiled": "smiled/labels.csv",
    "strangers": "strangers/strangers.csv",
    "london": "london/london.csv",
    "smiles": "smiles/labels.csv",
}
_TIGHT = ("ferplus", "smiled")
_FERPLUS_SPLITS = ("FER2013Train", "FER2013Valid", "FER2013Test")
_ENLARGED_PX, _BORDER_PX = 192, 32


def framed(factor: float, size_px: int = CROP.size_px) -> CropSpec:
    """Return the crop with FER2013's template scaled around the centre by ``factor``: above 1 is tighter."""
    points = tuple((0.5 + (x - 0.5) * factor, 0.5 + (y - 0.5) * factor) for x, y in FER2013_TEMPLATE)
    return replace(CROP, template=points, size_px=size_px)


def rows(data: Path, name: str) -> list[list[str]]:
    """Return the set's table without its header, pictures as paths inside the zip."""
    with zipfile.ZipFile(data / f"{name}.zip") as archive:
        found = []
        for split in _FERPLUS_SPLITS if name == "ferplus" else ("",):
            table = TABLES[name].format(split)
            lines = archive.read(table).decode().splitlines()
            for line in lines if name == "ferplus" else lines[1:]:
                file, *rest = line.split(",")
                found.append([f"{table.rpartition('/')[0]}/{file}", *rest])
    return found


def pictures(data: Path, name: str, files: list[str]) -> Iterator[Image]:
    """Yield each picture, (H, W, 3) uint8 BGR, as the detector gets it: tight crops enlarged, with a border."""
    with zipfile.ZipFile(data / f"{name}.zip") as archive:
        for file in files:
            image = read(archive, file)
            yield bordered(image) if name in _TIGHT else image


def read(archive: zipfile.ZipFile, file: str) -> Image:
    """Return a picture of a zip, (H, W, 3) uint8 BGR."""
    image = decoded(archive.read(file))
    if image is None:
        raise ValueError(f"{archive.filename}: {file} is no picture")
    return image


def bordered(image: Image) -> Image:
    """Enlarge a tight crop and add a border, as ``livemood train`` does before detection."""
    sides = (_ENLARGED_PX, _ENLARGED_PX)
    image = np.asarray(cv2.resize(image, sides, interpolation=cv2.INTER_CUBIC), np.uint8)
    return np.asarray(cv2.copyMakeBorder(image, *(_BORDER_PX,) * 4, cv2.BORDER_REPLICATE), np.uint8)


def points(data: Path, work: Path, name: str) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return the files of a set and the keypoints of their largest faces, (N, 6, 2) float32; cached in ``work``."""
    kept = work / f"{name}.points.npz"
    if not kept.exists():
        files = [row[0] for row in rows(data, name)]
        found = np.full((len(files), 6, 2), np.nan, np.float32)
        with FaceDetector("auto") as detector:
            for place, image in enumerate(pictures(data, name, files)):
                if faces := detector.detect(Frame(0, 0.0, image)):
                    found[place] = faces[0].keypoints
        np.savez(kept, files=np.array(files), points=found)
    with np.load(kept) as arrays:
        return arrays["files"].tolist(), arrays["points"]


def crops(data: Path, work: Path, name: str, factor: float, size_px: int = CROP.size_px) -> npt.NDArray[np.uint8]:
    """Return (N, S, S, 1) uint8 crops of a set in one framing; the whole picture if no face was found (tight sets)."""
    kept = work / f"{name}.x{factor:g}.{size_px}.npy"
    if not kept.exists():
        spec = framed(factor, size_px)
        files, where = points(data, work, name)
        cut = np.zeros((len(files), *spec.shape), np.uint8)
        for place, image in enumerate(pictures(data, name, files)):
            if np.isfinite(where[place]).all():
                cut[place] = crop.crop_face(image, where[place], spec)
            elif name in _TIGHT:
                inside = slice(_BORDER_PX, -_BORDER_PX)
                cut[place] = crop.resize_crop(np.ascontiguousarray(image[inside, inside]), spec)
        np.save(kept, cut)
    return np.asarray(np.load(kept, mmap_mode="r"))


if __name__ == "__main__":
    data, work = map(Path, sys.argv[1:3])
    work.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[3:]:
        files, where = points(data, work, name)
        print(f"{name}: {len(files)} pictures, {np.isfinite(where[:, 0, 0]).sum()} faces found", flush=True)

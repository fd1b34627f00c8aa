"""Smiles in whole photos, end to end: detect, crop, classify; a smile must be classified as happy.

Reads the layout of GENKI-4K as a zip: photos and a ``labels.csv`` with image, smile, yaw_rad, pitch_rad, roll_rad.
"""

import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from livemood.bundles.manifest import Bundle, read_bundle
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import DatasetError
from livemood.core.settings import PriorName
from livemood.core.types import Detection, Image
from livemood.datasets.files import Files, decode
from livemood.datasets.largest_face import largest_face
from livemood.detection.combined import FaceDetector
from livemood.emotion import crop
from livemood.emotion.classifier import EmotionClassifier
from livemood.evaluation.groups import compare_groups
from livemood.evaluation.metrics import accuracy_by_coverage, auc, wilson_of_mean

_CHEEKS = ((0.20, 0.36), (0.64, 0.80))  # left and right in the aligned crop
_CHEEK_HEIGHT = (0.52, 0.66)
_ITA_CROP_PX = 96
_TONES = ("darkest third", "middle third", "lightest third")
_POSES = ("under 5°", "5° to 15°", "over 15°")


@dataclass(frozen=True, slots=True)
class _Photo:
    smiling: bool
    yaw_deg: float
    score: float | None  # of happy; None where no face was found
    right: bool
    ita_deg: float


def examine_smiles(bundle: Path, path: Path, prior: PriorName = "training") -> dict[str, Any]:
    """Return accuracy, AUC, and accuracy by skin tone and head pose, with Wilson intervals.

    A photo is right when the largest face's top emotion is happy exactly if it smiles; no face is wrong.

    Args:
        bundle: An emotion model that knows ``happy``.
        path: The zip.
        prior: How common the model assumes emotions to be.

    Returns:
        Plain data for JSON; ``auc`` is None if all faces smile or none does.

    Raises:
        DatasetError: It is not such a zip.
        ModelError: The bundle cannot be used.
    """
    photos = _read(bundle, path, prior)
    found = [photo for photo in photos if photo.score is not None]
    if not found:
        raise DatasetError(f"no face was found in any of the {len(photos)} photos of {path}")
    hits = np.array([photo.right for photo in photos])
    scores = np.array([photo.score for photo in found], np.float64)
    smiling = np.array([photo.smiling for photo in found])
    cuts = np.quantile([photo.ita_deg for photo in found], (1 / 3, 2 / 3))
    tones = [_TONES[int((photo.ita_deg > cuts).sum())] for photo in found]
    poses = [_pose(photo.yaw_deg) for photo in photos]
    low, high = wilson_of_mean(hits)
    return {
        "photos": len(photos),
        "file": path.name,
        "found": round(len(found) / len(photos), 4),
        "accuracy": round(float(hits.mean()), 4),
        "interval": [round(low, 4), round(high, 4)],
        "auc": round(auc(scores, smiling), 4) if 0 < smiling.sum() < len(smiling) else None,
        "coverage": accuracy_by_coverage(np.maximum(scores, 1 - scores), np.array([photo.right for photo in found])),
        "skin_tone_cuts_deg": [round(float(cut), 1) for cut in cuts],
        "groups": {
            "skin tone": compare_groups(np.array([photo.right for photo in found]), np.array(tones), _TONES),
            "head turned": compare_groups(hits, np.array(poses), _POSES),
        },
    }


def skin_tone(image: Image, face: Detection, spec: CropSpec) -> float:
    """Return the individual typology angle of the cheeks in degrees; larger is lighter (Chardon et al. 1991).

    Args:
        image: (H, W, 3) uint8 BGR.
        face: In its pixels.
        spec: How the face is cropped, to find the cheeks.
    """
    colour = crop.crop_face(image, face.keypoints, CropSpec(_ITA_CROP_PX, "bgr", spec.template))
    rows = slice(*(round(share * _ITA_CROP_PX) for share in _CHEEK_HEIGHT))
    cheeks = [colour[rows, slice(*(round(share * _ITA_CROP_PX) for share in sides))] for sides in _CHEEKS]
    pixels = np.concatenate([cheek.reshape(-1, 1, 3) for cheek in cheeks]).astype(np.float32) / 255
    lightness, _, yellow = np.median(cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB).reshape(-1, 3), axis=0)
    return math.degrees(math.atan2(float(lightness) - 50, max(float(yellow), 1e-3)))


def check_smiles(bundle: Bundle, path: Path) -> None:
    """Check that a bundle can be measured on smiles, before anything is measured.

    Raises:
        DatasetError: The bundle does not know ``happy``, or ``path`` is not such a zip.
    """
    if "happy" not in bundle.labels:
        raise DatasetError(f"bundle {bundle.folder} does not know happy, so it cannot be measured on smiles")
    _listed(path)


def _read(bundle: Path, path: Path, prior: PriorName) -> list[_Photo]:
    known = read_bundle(bundle)
    check_smiles(known, path)
    classifier, spec = EmotionClassifier(bundle, prior=prior), known.crop
    happy = classifier.labels.index("happy")
    photos = []
    with FaceDetector("auto") as detector:
        for smiling, yaw, image in read_photos(path):
            face = largest_face(image, detector, spec)
            if face is None:
                photos.append(_Photo(smiling, yaw, None, False, math.nan))
                continue
            scores = classifier.probabilities(face.image[None])[0]
            right = (int(scores.argmax()) == happy) == smiling
            tone = skin_tone(image, face.track.detection, spec)
            photos.append(_Photo(smiling, yaw, float(scores[happy]), right, tone))
    return photos


def read_photos(path: Path) -> Iterator[tuple[bool, float, Image]]:
    """Yield whether it smiles, the head's yaw in degrees, and the picture, one photo after another."""
    files, rows = _listed(path)
    for file, smiling, yaw_deg in rows:
        image = decode(files.read(file))
        if image is not None:
            yield smiling, yaw_deg, image


def _listed(path: Path) -> tuple[Files, list[tuple[str, bool, float]]]:
    """Return the zip, and file, smile and yaw in degrees of every photo in its table."""
    if not zipfile.is_zipfile(path):
        raise DatasetError(f"{path} is not a zip with photos and a labels.csv", "give GENKI-4K's")
    files = Files(path)
    table = next((name for name in files.names if name.endswith("labels.csv")), None)
    header, *rows = (list(files.rows(table)) if table else []) or [[]]
    if not table or not {"image", "smile", "yaw_rad"} <= set(header):
        raise DatasetError(
            f"{path} is not a zip with photos and a labels.csv of image, smile, yaw_rad", "give GENKI-4K's"
        )
    name, smile, yaw = map(header.index, ("image", "smile", "yaw_rad"))
    photos = []
    for number, row in enumerate(rows, 2):
        try:
            file = table.removesuffix("labels.csv") + row[name]
            photos.append((file, row[smile] == "1", math.degrees(float(row[yaw]))))
        except (IndexError, ValueError) as error:
            raise DatasetError(f"{table} line {number}: expected an image, a smile of 0 or 1, and angles") from error
    return files, photos


def _pose(yaw_deg: float) -> str:
    turned = abs(yaw_deg)
    return _POSES[(turned >= 5) + (turned >= 15)]

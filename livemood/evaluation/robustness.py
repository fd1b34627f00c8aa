"""Accuracy of a bundle under corruptions: on labelled crops, and end to end on whole photos."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livemood.bundles.manifest import read_bundle
from livemood.core.crop_spec import FER2013_TEMPLATE
from livemood.core.settings import PriorName
from livemood.core.stage_settings import SmootherSettings
from livemood.core.types import Detection, Frame, Image, Quality
from livemood.datasets.largest_face import largest_face
from livemood.datasets.split import RAW, Split
from livemood.detection.combined import FaceDetector
from livemood.emotion.classifier import EmotionClassifier
from livemood.emotion.doubt import doubt
from livemood.emotion.quality import measure, of_pixels
from livemood.evaluation.corruptions import CORRUPTIONS, Corruption, FaceSample, corrupt, one_pixel_shifts
from livemood.evaluation.metrics import Probabilities, calibration_error
from livemood.evaluation.smiles import read_photos

_CHUNK = 512
_JITTER = "crop jitter"
# Photos are first scaled so that the face has this side, as on a webcam; severities are then comparable.
_FACE_PX = 96
# Side of a detected box in a 48-px crop: medians over FER2013 (docs/crop.md).
_BOX_PX = 0.849 * 48


def stress_crops(bundle: Path, split: Split, prior: PriorName = "training") -> list[dict[str, Any]]:
    """Return the figures under every corruption, on unaligned pictures with a majority.

    Args:
        bundle: Folder.
        split: Pictures, cropped by the bundle's own ``CropSpec``.
        prior: How common the model assumes emotions to be.

    Returns:
        A row for each corruption, the uncorrupted pictures first: ``kind``, ``amount``, ``accuracy``, ``unsure``,
        ``accuracy_when_sure`` and ``ece_when_sure``, 0..1, the last two None if no picture is sure. Empty if no picture
        has a majority.
    """
    spec = read_bundle(bundle).crop
    framed = replace(spec, template=FER2013_TEMPLATE)  # as FER2013's pictures come
    classifier = EmotionClassifier(bundle, emotions=split.labels, prior=prior)
    known = split.only(split.majority >= 0)
    if not len(known):
        return []
    pixels, truth = known.crops(RAW), known.majority
    rows = []
    for kind, amount, corruption in [("none", "", _as_it_is), *_stresses(CORRUPTIONS)]:
        corrupted = corrupt(pixels, framed, corruption)
        scores = _predicted(classifier, corrupted)
        unsure = [_unsure(row, of_pixels(crop, spec)) for row, crop in zip(scores, corrupted, strict=True)]
        is_unsure = np.array(unsure)
        rows.append(_row(kind, amount, scores.max(1), scores.argmax(1) == truth, is_unsure, ~is_unsure))
    return rows


def flips(bundle: Path, split: Split, prior: PriorName = "training") -> dict[str, float]:
    """Return how often a shift by one pixel changes the leading emotion.

    Returns:
        ``shifts``: share of all shifts that change it; ``pictures``: share of the pictures with such a shift.
    """
    classifier = EmotionClassifier(bundle, emotions=split.labels, prior=prior)
    pixels = split.crops(RAW)
    before = _predicted(classifier, pixels).argmax(1)
    changed = np.stack([_predicted(classifier, moved).argmax(1) != before for moved in one_pixel_shifts(pixels)])
    return {"shifts": round(float(changed.mean()), 4), "pictures": round(float(changed.any(0).mean()), 4)}


def stress_photos(
    bundle: Path,
    path: Path,
    corruptions: Mapping[str, Mapping[str, Corruption]] = CORRUPTIONS,
    prior: PriorName = "training",
) -> list[dict[str, Any]]:
    """Return the same for smiles in whole photos; faces are detected and cropped again in every corrupted photo.

    A photo whose face is not found counts as wrong, and as neither sure nor unsure.

    Args:
        bundle: An emotion model that knows ``happy``.
        path: GENKI-4K's photos as a zip, see ``examine_smiles``.
        corruptions: By amount by kind.
        prior: How common the model assumes emotions to be.

    Returns:
        Such rows, and ``found``, the share of the photos with a face.

    Raises:
        DatasetError: It is not such a zip.
    """
    spec = read_bundle(bundle).crop
    classifier = EmotionClassifier(bundle, prior=prior)
    happy = classifier.labels.index("happy")
    stresses = [("none", "", _as_it_is), *(s for s in _stresses(corruptions) if s[0] != _JITTER)]
    tops: list[list[float]] = [[] for _ in stresses]
    hits: list[list[bool]] = [[] for _ in stresses]
    unsure: list[list[bool]] = [[] for _ in stresses]
    found: list[list[bool]] = [[] for _ in stresses]
    rng = np.random.default_rng(0)
    with FaceDetector("auto") as detector:
        for smiling, _, photo in read_photos(path):
            sample = _webcam_sized(photo, detector.detect(Frame(0, 0.0, photo)))
            for place, (_, _, corruption) in enumerate(stresses):
                face = largest_face(np.ascontiguousarray(corruption(sample, rng)), detector, spec)
                scores = np.zeros(len(classifier.labels), np.float32)
                is_unsure = False
                if face:
                    scores = classifier.probabilities(face.image[None])[0]
                    is_unsure = _unsure(scores, measure(face, spec, 1.0))
                # The prediction is binary, happy or not; its confidence is the total score of that side.
                smiles = float(scores[happy])
                tops[place].append(max(smiles, 1 - smiles))
                found[place].append(face is not None)
                hits[place].append(face is not None and (int(scores.argmax()) == happy) == smiling)
                unsure[place].append(is_unsure)
    return [
        _photos_row(kind, amount, *map(np.array, (top, right, is_unsure, seen)))
        for (kind, amount, _), top, right, is_unsure, seen in zip(stresses, tops, hits, unsure, found, strict=True)
    ]


def _stresses(corruptions: Mapping[str, Mapping[str, Corruption]]) -> Iterator[tuple[str, str, Corruption]]:
    for kind, amounts in corruptions.items():
        for amount, corruption in amounts.items():
            yield kind, amount, corruption


def _as_it_is(sample: FaceSample, _: np.random.Generator) -> Image:
    return sample.image


def _webcam_sized(photo: Image, faces: tuple[Detection, ...]) -> FaceSample:
    """Scale a photo so that its face has ``_FACE_PX``; without a face, the whole picture counts as one."""
    box_px = faces[0].box.width if faces else min(photo.shape[:2]) * 0.6
    scale = _FACE_PX / box_px
    sized = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    points = faces[0].keypoints[:4].astype(np.float64) * scale if faces else np.full((4, 2), -1e3)
    return FaceSample(np.asarray(sized, np.uint8), points, _FACE_PX / _BOX_PX)


def _predicted(classifier: EmotionClassifier, pixels: Image) -> Probabilities:
    return np.concatenate([classifier.probabilities(pixels[s : s + _CHUNK]) for s in range(0, len(pixels), _CHUNK)])


def _photos_row(
    kind: str,
    amount: str,
    confidence: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool_],
    unsure: npt.NDArray[np.bool_],
    found: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    """Return a row over whole photos; one without a detected face is wrong, and neither sure nor unsure."""
    row = _row(kind, amount, confidence, right, unsure, found & ~unsure)
    return {**row, "found": round(float(found.mean()), 4)}


def _unsure(scores: npt.NDArray[np.float32], quality: Quality) -> bool:
    """Return whether a single picture with (K,) scores would be labelled unsure."""
    return doubt(quality, float(scores.max()), SmootherSettings()) is not None


def _row(
    kind: str,
    amount: str,
    confidence: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool_],
    unsure: npt.NDArray[np.bool_],
    sure: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    return {
        "kind": kind,
        "amount": amount,
        "accuracy": round(float(right.mean()), 4),
        "unsure": round(float(unsure.mean()), 4),
        "accuracy_when_sure": round(float(right[sure].mean()), 4) if sure.any() else None,
        "ece_when_sure": round(calibration_error(confidence[sure], right[sure]), 4) if sure.any() else None,
    }

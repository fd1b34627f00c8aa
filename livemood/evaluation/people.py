"""People with a neutral and a smiling photo each: how they are read, by group, with and without their resting face.

Reads a zip of photos and a table of ``file``, ``person``, ``kind`` (neutral or smiling), and further columns such as
``age``, ``gender`` or ``ethnicity``, which are the groups. With the resting face: the neutral photo is shown for some
seconds, from which the baseline learns, and then both photos are read.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.bundles.manifest import Bundle, read_bundle
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.core.settings import PriorName
from livemood.core.types import Prediction
from livemood.datasets.files import Files, decode
from livemood.datasets.largest_face import largest_face
from livemood.detection.combined import FaceDetector
from livemood.emotion.classifier import EmotionClassifier, heads_of
from livemood.emotion.neutral_baseline import NeutralBaseline
from livemood.evaluation.groups import compare_groups

_KINDS = ("neutral", "smiling")
_COLUMNS = ("file", "person", "kind")
_WANTED = {"neutral": "neutral", "smiling": "happy"}
_RESTED_S = 5.0
_STEP_S = 0.2
_AGES = (25, 35)
_UNSAID = ("", "NA")
_EVERYONE = "everyone"
# Smaller groups are shown, but say too little for a gap.
_LEAST = 5


@dataclass(frozen=True, slots=True)
class _Person:
    """Files by kind, and values by attribute."""

    files: Mapping[str, str]
    groups: Mapping[str, str]


def examine_people(folder: Path, path: Path, prior: PriorName = "training") -> dict[str, Any]:
    """Return the share of photos read right for everyone and by group, with Wilson intervals; no face is wrong.

    Args:
        folder: An emotion model that knows ``neutral`` and ``happy``.
        path: The zip.
        prior: How common the model assumes emotions to be.

    Returns:
        ``people``, and by attribute (``everyone`` first) and by measure what ``compare_groups`` returns; the measures
        are ``neutral`` and ``smiling``, and each ``after rest``.

    Raises:
        DatasetError: It is not such a zip.
        ModelError: The bundle cannot be used.
    """
    check_people(read_bundle(folder), path)
    files, people = _listed(path)
    classifier = EmotionClassifier(folder, prior=prior)
    heads = heads_of(classifier)
    measures = [(kind, rested) for rested in (False, True) for kind in _KINDS]
    hits = np.zeros((len(people), len(measures)), np.bool_)
    with FaceDetector("auto") as detector:
        for place, person in enumerate(people):
            predictions = {kind: _look(files, person.files[kind], classifier, detector) for kind in _KINDS}
            hits[place] = [_right(predictions, kind, rested, heads) for kind, rested in measures]
    names = [f"{kind} after rest" if rested else kind for kind, rested in measures]
    attributes = {_EVERYONE: [_EVERYONE] * len(people)}
    attributes |= {name: [person.groups[name] for person in people] for name in people[0].groups}
    groups = {
        attribute: {name: _compared(hits[:, place], values) for place, name in enumerate(names)}
        for attribute, values in attributes.items()
        if any(values)
    }
    return {"people": len(people), "file": path.name, "least": _LEAST, "groups": groups}


def check_people(bundle: Bundle, path: Path) -> None:
    """Check that a bundle can be measured on people, before anything is measured.

    Raises:
        DatasetError: The bundle does not know what is measured, or ``path`` is not such a zip.
    """
    if missing := [label for label in _WANTED.values() if label not in bundle.labels]:
        raise DatasetError(f"bundle {bundle.folder} does not know {missing[0]}, so it cannot be measured on people")
    _listed(path)


def _listed(path: Path) -> tuple[Files, list[_Person]]:
    wanted = f"give a zip of photos with a table of {', '.join(_COLUMNS)} and groups"
    if not zipfile.is_zipfile(path):
        raise DatasetError(f"{path} is not a zip", wanted)
    files = Files(path)
    tables = {name: list(files.rows(name)) for name in files.names if name.lower().endswith(".csv")}
    table = next((name for name, rows in tables.items() if rows and set(_COLUMNS) <= set(rows[0])), None)
    if table is None:
        raise DatasetError(f"{path} has no such table", wanted)
    header, *rows = tables[table]
    known = set(files.names)
    listed: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for number, row in enumerate(rows, 2):
        values = dict(zip(header, row, strict=False))
        file = f"{table.rpartition('/')[0]}/{values.get('file', '')}".lstrip("/")
        if len(row) != len(header) or values["kind"] not in _KINDS or file not in known:
            raise DatasetError(
                f"{path}: {table} line {number}: expected a file in the zip, a person, neutral or smiling, and "
                f"{len(header)} columns"
            )
        groups = {name: _band(name, value) for name, value in values.items() if name not in _COLUMNS}
        listed.setdefault(values["person"], ({}, groups))[0][values["kind"]] = file
    people = [_Person(found, groups) for found, groups in listed.values() if len(found) == len(_KINDS)]
    if not people:
        raise DatasetError(f"{path}: nobody in {table} has both a neutral and a smiling photo")
    return files, people


def _band(name: str, value: str) -> str:
    """Return the age band of an age, and any other value as it is; empty where it was not given."""
    value = value.strip()
    if value in _UNSAID:
        return ""
    if name != "age" or not value.isdecimal():
        return value
    young, old = _AGES
    age = int(value)
    return f"under {young}" if age < young else f"{young} to {old - 1}" if age < old else f"{old} and over"


def _look(files: Files, file: str, classifier: EmotionClassifier, detector: FaceDetector) -> Prediction | None:
    image = decode(files.read(file))
    face = None if image is None else largest_face(image, detector, classifier.crop_spec)
    return classifier.classify([face])[0] if face else None


def _right(
    predictions: Mapping[str, Prediction | None], kind: str, rested: bool, heads: Mapping[str, tuple[str, ...]]
) -> bool:
    """Return whether a photo is read right, after the person's neutral photo if ``rested``."""
    shown, rest = predictions[kind], predictions["neutral"]
    if shown is None:
        return False
    if rested and rest is not None:
        baseline, time_s = NeutralBaseline(heads[EMOTION], mode="auto", others=heads), 0.0
        while time_s < _RESTED_S:
            baseline.adjust([rest], time_s)
            time_s += _STEP_S
        track = replace(shown.track, id=rest.track.id)
        (shown,) = baseline.adjust([replace(shown, track=track)], time_s)
    return heads[EMOTION][int(shown.probabilities.argmax())] == _WANTED[kind]


def _compared(hits: npt.NDArray[np.bool_], values: Sequence[str]) -> dict[str, Any]:
    every = np.array(values)
    names = sorted(set(values) - {""}, key=lambda name: (not name.startswith("under"), name))
    found = compare_groups(hits, every, names)
    large = [name for name in names if (every == name).sum() >= _LEAST]
    gap = compare_groups(hits, every, large) if len(large) > 1 else {"largest_gap": None, "between": None}
    return {**found, "largest_gap": gap["largest_gap"], "between": gap["between"]}

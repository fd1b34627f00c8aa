"""A trained model on disk: weights and a manifest that says how to feed and read them.

A bundle is a folder::

    manifest.json   labels, crop, temperature, metrics, and the sha256 of every file below
    model.keras     the Keras model: (N, S, S, C) raw 0..255 -> (N, K) probabilities
    model.tflite    the same for LiteRT
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from livemood.errors import ModelIncompatible, ModelMissing
from livemood.values import CropSpec

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An emotion model's manifest, read and checked.

    Attributes:
        folder: Where it lies.
        name: What ``livemood models`` calls it.
        labels: Classes in the order of the model's outputs.
        crop: How faces are cut for it.
        temperature: Divides the logits; fitted on the validation split.
        metrics: Figures measured when it was made.
        sha256: Hex digest by file name.
    """

    folder: Path
    name: str
    labels: tuple[str, ...]
    crop: CropSpec
    temperature: float
    metrics: Mapping[str, Any]
    sha256: Mapping[str, str]

    @property
    def keras(self) -> Path:
        """The Keras file."""
        return self.folder / "model.keras"

    @property
    def tflite(self) -> Path:
        """The LiteRT file."""
        return self.folder / "model.tflite"

    def checked(self, file: Path) -> Path:
        """Return ``file`` after comparing it with its recorded sha256.

        Raises:
            ModelMissing: It is not there.
            ModelIncompatible: It is not the file that the manifest describes.
        """
        _check_sha256(file, self.sha256.get(file.name))
        return file


def models_folder() -> Path:
    """Return the folder of the shipped models: inside an installed package, or the checkout's ``models/``."""
    inside = Path(__file__).parent / "models"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "models"


def default_bundle() -> Path:
    """Return the folder of the shipped emotion model."""
    return models_folder() / "emotion"


def face_model(which: Literal["near", "far"]) -> Path:
    """Return MediaPipe's near- or far-range detector, checked against its recorded sha256.

    Raises:
        ModelMissing: It is not there.
        ModelIncompatible: Its bytes are not those that were shipped.
    """
    folder = models_folder() / "face"
    for entry in _read_manifest(folder)["models"]:
        if entry["name"] == which:
            file: Path = folder / entry["file"]
            _check_sha256(file, entry["sha256"])
            return file
    raise ModelIncompatible(f"{folder / MANIFEST} names no {which}-range detector; reinstall livemood")


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle's manifest; weights are checked when they are loaded.

    Raises:
        ModelMissing: The folder or its manifest is not there.
        ModelIncompatible: The manifest is not one of ours.
    """
    data = _read_manifest(folder)
    try:
        if data["format"] != FORMAT:
            raise ModelIncompatible(
                f"bundle {folder} has format {data['format']}, this livemood reads {FORMAT}; make it again or upgrade"
            )
        spec = data["crop"]
        bundle = Bundle(
            folder=folder,
            name=str(data["name"]),
            labels=tuple(map(str, data["labels"])),
            crop=CropSpec(int(spec["size_px"]), spec["colour"], tuple((x, y) for x, y in spec["template"])),
            temperature=float(data["temperature"]),
            metrics=dict(data["metrics"]),
            sha256=dict(data["sha256"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ModelIncompatible):
            raise
        raise ModelIncompatible(f"{folder / MANIFEST} is not a livemood manifest ({error!r})") from error
    if len(set(bundle.labels)) != len(bundle.labels) or len(bundle.labels) < 2 or not bundle.temperature > 0:
        raise ModelIncompatible(
            f"{folder / MANIFEST} needs two or more different labels and a temperature above 0, "
            f"got {list(bundle.labels)} and {bundle.temperature}"
        )
    return bundle


def sha256_of(file: Path) -> str:
    """Return the hex sha256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelMissing(f"no model bundle at {folder}: {MANIFEST} is not there") from error
    except (OSError, ValueError) as error:
        raise ModelIncompatible(f"{file} cannot be read as JSON ({error})") from error
    if not isinstance(data, dict):
        raise ModelIncompatible(f"{file} is not a livemood manifest (no JSON object)")
    return data


def _check_sha256(file: Path, expected: str | None) -> None:
    if not file.is_file():
        raise ModelMissing(f"model file {file} is not there; reinstall livemood or make the bundle again")
    found = sha256_of(file)
    if found != expected:
        raise ModelIncompatible(
            f"model file {file} was altered or damaged: sha256 {found[:12]}…, manifest says {str(expected)[:12]}…"
        )

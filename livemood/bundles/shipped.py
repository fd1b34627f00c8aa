"""The networks that are shipped beside the emotion model: for finding faces, and for covered and tilted ones."""

from pathlib import Path
from typing import Literal, NamedTuple

from livemood.bundles.manifest import MANIFEST, check_sha256, models_folder, read_manifest, shortened
from livemood.core.errors import ModelIncompatible

DoubtNetwork = Literal["covered", "tilted"]
"""The networks whose outputs make a face ``unsure``."""


def face_model(which: Literal["near", "far", "yunet", "yunet-onnx"]) -> Path:
    """Return MediaPipe's near- or far-range face network or YuNet, checked against its recorded sha256.

    Raises:
        ModelMissing: It is not there.
        ModelIncompatible: Its bytes are not those that were shipped.
    """
    return _shipped("face", which)


def doubt_model(which: DoubtNetwork) -> Path:
    """Return the file of the network that detects covered or tilted faces, checked against its recorded sha256.

    Raises:
        ModelMissing: It is not there.
        ModelIncompatible: Its bytes are not those that were shipped.
    """
    return _shipped("doubt", which)


class ShippedModel(NamedTuple):
    """A network beside the emotion model.

    Attributes:
        name: Such as ``near``.
        kind: ``face`` or ``doubt``.
        file: Its weights.
        sha256: Of the file.
        size_px: Side of its input, px.
        channels: Of its input.
    """

    name: str
    kind: str
    file: Path
    sha256: str
    size_px: int
    channels: int


def shipped_models() -> list[ShippedModel]:
    """Return the face networks and those that detect covered and tilted faces, each checked against its sha256.

    Raises:
        ModelMissing: One is not there.
        ModelIncompatible: The bytes of one are not those that were shipped.
    """
    found = [model for kind in ("face", "doubt") for model in _listed(kind)]
    for model in found:
        check_sha256(model.file, model.sha256)
    return found


def _shipped(kind: str, name: str) -> Path:
    model = next((model for model in _listed(kind) if model.name == name), None)
    if model is None:
        raise ModelIncompatible(f"{models_folder() / kind / MANIFEST} names no model {name!r}", "reinstall livemood")
    check_sha256(model.file, model.sha256)
    return model.file


def _listed(kind: str) -> list[ShippedModel]:
    folder = models_folder() / kind
    try:
        return [
            ShippedModel(
                entry["name"],
                kind,
                folder / entry["file"],
                entry["sha256"],
                entry["input"]["size_px"],
                entry["input"]["channels"],
            )
            for entry in read_manifest(folder)["models"]
        ]
    except (KeyError, TypeError) as error:
        raise ModelIncompatible(f"{folder / MANIFEST} is damaged ({shortened(error)})", "reinstall livemood") from error

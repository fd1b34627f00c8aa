"""A trained model on disk: weights, and a manifest that describes their input and output.

A bundle is a folder::

    manifest.json   heads, crop, metrics, and the sha256 of every file below
    model.keras     the Keras model: (N, S, S, C) raw 0..255 -> (N, K) probabilities of each head
    model.tflite    the same for LiteRT

A head is one output of the network, with a name, labels and a temperature. The head ``emotion`` always exists.
Manifests of format 1 have that head only, with ``labels`` and ``temperature`` at the top level.

A bundle may be untrusted: sizes are bounded before anything is read, and labels must be valid folder names.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livemood.bundles.verify.keras_file import check_keras_file
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import ModelIncompatible, ModelMissing
from livemood.core.labels import EMOTION, OWN_WORDS
from livemood.core.settings import PriorName
from livemood.core.text_tables import printable
from livemood.records.inputs import is_field
from livemood.runtime.paths import name_of

FORMAT = 2
MANIFEST = "manifest.json"
MAX_LABEL = 64
"""Longest label, characters."""
MAX_NAME = 80
"""Longest name of a bundle, characters."""
MAX_LABELS = 256
"""Most classes of a head."""
MAX_HEADS = 16
"""Most heads of a bundle."""

_MAX_MANIFEST_BYTES = 4 << 20
_MAX_MODEL_BYTES = 1 << 29
# A fitted temperature is near 1; far outside this range all probabilities are equal, or 0 and 1.
_TEMPERATURES = (0.01, 100.0)
# Of a logit; with more, only one class would be left.
_MOST_OFFSET = 10.0
_SHOWN = 80
# Devices on Windows, which no file or folder there can be called, whatever follows a dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """One output of a network.

    Attributes:
        name: ``emotion``, or the name of a further head.
        labels: Classes in the order of the output.
        temperature: Divides the logits; fitted on the validation split.
        balanced: Added to the logits for the prior ``balanced``, one number per label; empty if there is none.
    """

    name: str
    labels: tuple[str, ...]
    temperature: float = 1.0
    balanced: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """An emotion model's manifest, read and checked.

    Attributes:
        folder: Its folder.
        name: Its name, as ``livemood models`` prints it.
        heads: ``emotion`` first, then further heads in the order of their names in the manifest.
        crop: How faces are cropped for it.
        metrics: Figures measured when it was made.
        sha256: Hex digest by file name.
        training: How it was made, as the manifest says and unchecked; empty if it does not say.
    """

    folder: Path
    name: str
    heads: tuple[Head, ...]
    crop: CropSpec
    metrics: Mapping[str, Any]
    sha256: Mapping[str, str]
    training: Mapping[str, Any]

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions, in the order of the model's output."""
        return self.heads[0].labels

    @property
    def temperature(self) -> float:
        """The temperature of the head ``emotion``."""
        return self.heads[0].temperature

    def offsets(self, prior: PriorName) -> tuple[float, ...]:
        """Return what a class prior adds to the logits of the head ``emotion``, one number per label.

        Raises:
            ModelIncompatible: The bundle does not say what ``balanced`` adds.
        """
        if prior == "training":
            return (0.0,) * len(self.labels)
        if not self.heads[0].balanced:
            raise ModelIncompatible(
                f"bundle {self.folder} has no prior {prior}, only training", "make it again or leave {prior} out"
            )
        return self.heads[0].balanced

    @property
    def keras(self) -> Path:
        """The Keras file."""
        return self.folder / "model.keras"

    @property
    def tflite(self) -> Path:
        """The LiteRT file."""
        return self.folder / "model.tflite"

    def checked(self, file: Path) -> Path:
        """Return ``file`` after comparing its sha256 with the manifest, and checking the layers of a Keras file.

        Raises:
            ModelMissing: It does not exist.
            ModelIncompatible: It is not the file that the manifest describes, is too large, or is a Keras model with
                layers that are not allowed.
        """
        check_sha256(file, self.sha256.get(file.name))
        if file == self.keras:
            check_keras_file(file)
        return file


def models_folder() -> Path:
    """Return the folder of the shipped models: inside an installed package, or the checkout's ``models/``."""
    inside = Path(__file__).parents[1] / "models"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "models"


def default_bundle() -> Path:
    """Return the folder of the shipped emotion model."""
    return models_folder() / "emotion"


def named_bundle(name: str | Path | None) -> Path:
    """Return the folder of a bundle: None and ``default`` are the shipped model, anything else is a path.

    Raises:
        ModelMissing: No folder can have this name.
    """
    if name is None or str(name) == "default":
        return default_bundle()
    if not str(name) or "\0" in str(name):
        raise ModelMissing(f"no model bundle can be at {str(name)!r}", "give its folder")
    return Path(name)


def bundle_name(folder: Path) -> str:
    """Return a bundle's name for ``named_bundle``, without its folders: ``default`` for the shipped model."""
    return "default" if folder == default_bundle() else name_of(folder)


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle's manifest; weights are checked when they are loaded.

    Raises:
        ModelMissing: The folder or its manifest is not there.
        ModelIncompatible: It is not a valid livemood manifest.
    """
    data = read_manifest(folder)
    if data.get("format") not in (1, FORMAT):
        raise ModelIncompatible(
            f"bundle {folder} has format {shortened(data.get('format'))}, this version reads 1 and {FORMAT}",
            "make it again or upgrade",
        )
    try:
        bundle = Bundle(
            folder=folder,
            name=_words(data["name"]),
            heads=_heads(data["heads"]) if "heads" in data else (_head(data, EMOTION),),
            crop=_crop(data["crop"]),
            metrics=_mapping(data["metrics"]),
            sha256=_mapping(data["sha256"]),
            training=_mapping(data.get("training", {})),
        )
    except KeyError as error:
        raise ModelIncompatible(f"{folder / MANIFEST} is no manifest of an emotion model: it has no {error}") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelIncompatible(f"{folder / MANIFEST} is not a livemood manifest ({shortened(error)})") from error
    lowest, highest = _TEMPERATURES
    for head in bundle.heads:
        if not lowest <= head.temperature <= highest:
            raise ModelIncompatible(
                f"{folder / MANIFEST} needs a temperature in {lowest:g}..{highest:g}, got {head.temperature:g}"
            )
    return bundle


def is_name(text: str) -> bool:
    """Return whether a text is a valid name of a bundle: one line, not too long."""
    return text.isprintable() and len(text) <= MAX_NAME


def is_label(text: str) -> bool:
    """Return whether a text is a valid label: short, one line, and a valid folder name on every system."""
    return (
        0 < len(text) <= MAX_LABEL
        and text.isprintable()
        and text == text.strip()
        and not text.startswith(".")
        and not text.endswith(".")
        and not set(text) & set('/\\:*?"<>|')
        and not _DEVICE.fullmatch(text)
    )


def _heads(entries: Any) -> tuple[Head, ...]:
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_HEADS:
        raise ValueError(f"heads are a list of 1 to {MAX_HEADS}, got {shortened(entries)}")
    heads = [_head(entry, entry["name"]) for entry in entries]
    names = [head.name for head in heads]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"head {name} is listed twice")
    if EMOTION not in names:
        raise ValueError(f"no head is called {EMOTION}, got {', '.join(names)}")
    return tuple(sorted(heads, key=lambda head: head.name != EMOTION))


def _head(entry: Any, name: Any) -> Head:
    if not isinstance(name, str) or not name.isidentifier() or len(name) > MAX_LABEL:
        raise ValueError(f"a head's name is one word of letters, digits and _, got {shortened(name)}")
    if is_field(name):
        raise ValueError(f"a head cannot be called {name}, as a field of the records is")
    labels = _labels(entry["labels"])
    return Head(name, labels, float(entry["temperature"]), _offsets(entry.get("balanced", []), len(labels)))


def _offsets(numbers: Any, count: int) -> tuple[float, ...]:
    if not isinstance(numbers, list) or len(numbers) not in (0, count):
        raise ValueError(f"balanced is a list of a number per label, got {shortened(numbers)}")
    found = tuple(float(number) for number in numbers)
    if not all(abs(number) <= _MOST_OFFSET for number in found):
        raise ValueError(f"numbers of balanced are in -{_MOST_OFFSET:g}..{_MOST_OFFSET:g}, got {shortened(numbers)}")
    return found


def _labels(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not 2 <= len(names) <= MAX_LABELS:
        raise ValueError(f"labels are a list of 2 to {MAX_LABELS} names, got {shortened(names)}")
    for name in names:
        if not isinstance(name, str) or not is_label(name):
            raise ValueError(f"a label is a folder's name of at most {MAX_LABEL} characters, got {shortened(name)}")
        if name in OWN_WORDS:
            raise ValueError(f"a label cannot be {name}, livemood's own word for faces and photos without one")
        if names.count(name) > 1:
            raise ValueError(f"label {name} is listed twice")
    return tuple(names)


def _crop(spec: Any) -> CropSpec:
    template = tuple((float(x), float(y)) for x, y in spec["template"])
    # With points far outside the crop, the face would be scaled to almost nothing.
    if not all(-1 <= side <= 2 for point in template for side in point):
        raise ValueError("a crop's points are fractions of its side")
    return CropSpec(int(spec["size_px"]), spec["colour"], template)


def _mapping(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"expected an object, got {shortened(data)}")
    return data


def _words(text: Any) -> str:
    if not isinstance(text, str) or not is_name(text):
        raise ValueError(f"a name is one line of at most {MAX_NAME} characters, got {shortened(text)}")
    return text


def shortened(value: object) -> str:
    """Return an untrusted value as a short text without control characters."""
    text = str(value) if isinstance(value, ValueError) else repr(value)
    text = printable(text[: 3 * _SHOWN])
    return text if len(text) <= 2 * _SHOWN else f"{text[: 2 * _SHOWN]}…"


def sha256_of(file: Path) -> str:
    """Return the hex sha256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of models as plain data, not yet checked.

    Raises:
        ModelMissing: It is not there.
        ModelIncompatible: It is too large, or not a JSON object.
    """
    file = folder / MANIFEST
    try:
        if file.stat().st_size > _MAX_MANIFEST_BYTES or not file.is_file():
            raise ModelIncompatible(
                f"{file} is not a manifest: it is no file of at most {_MAX_MANIFEST_BYTES >> 20} MB"
            )
        data = json.loads(file.read_text(encoding="utf-8"))
    except ModelIncompatible:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        if folder.is_file():
            raise ModelMissing(
                f"{folder} is a file", "give the folder of the model bundle, with {0}", MANIFEST
            ) from error
        raise ModelMissing(f"no model bundle at {folder}: {MANIFEST} is not there") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelIncompatible(f"{file} cannot be read as JSON ({shortened(error)})") from error
    if not isinstance(data, dict):
        raise ModelIncompatible(f"{file} is not a livemood manifest (no JSON object)")
    return data


def check_sha256(file: Path, expected: object) -> None:
    """Compare a file with its recorded sha256.

    Raises:
        ModelMissing: It is not there.
        ModelIncompatible: It is too large, or its bytes are others.
    """
    if not file.is_file():
        raise ModelMissing(f"model file {file} is not there", "reinstall livemood or make the bundle again")
    if file.stat().st_size > _MAX_MODEL_BYTES:
        raise ModelIncompatible(f"model file {file} is larger than {_MAX_MODEL_BYTES >> 20} MB")
    found = sha256_of(file)
    if found != expected:
        raise ModelIncompatible(
            f"model file {file} was altered or damaged: sha256 {found[:12]}…, "
            f"manifest says {shortened(str(expected)[:12])}…"
        )

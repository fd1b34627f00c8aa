"""Check a ``.keras`` file before Keras opens it: only known layers, and a bounded size.

Keras's own safe mode refuses Lambda layers and pickled code. This allow list is narrower: it also leaves out layers
that read files, load other models or run code, and everything custom.
"""

import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

from livemood.core.errors import ModelIncompatible
from livemood.core.text_tables import printable

_MEMBERS: Final = frozenset({"metadata.json", "config.json", "model.weights.h5"})
_MAX_CONFIG_BYTES: Final = 4 << 20
_MAX_WEIGHTS: Final = 1 << 26
_MAX_NUMBER: Final = 1 << 13
_ANY_NUMBER: Final = ("seed", "shared_object_id")
_LAYERS: Final = frozenset(
    {
        "Activation",
        "Add",
        "Average",
        "AveragePooling2D",
        "BatchNormalization",
        "Concatenate",
        "Conv2D",
        "Cropping2D",
        "Dense",
        "DepthwiseConv2D",
        "Dropout",
        "ELU",
        "Flatten",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "GroupNormalization",
        "Identity",
        "InputLayer",
        "LayerNormalization",
        "LeakyReLU",
        "MaxPooling2D",
        "Maximum",
        "Multiply",
        "Normalization",
        "PReLU",
        "ReLU",
        "Rescaling",
        "SeparableConv2D",
        "Softmax",
        "SpatialDropout2D",
        "Subtract",
        "ZeroPadding2D",
    }
)
_ALLOWED: Final = {
    "keras.layers": _LAYERS,
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.src.models.sequential": frozenset({"Sequential"}),
    "keras.models": frozenset({"Functional", "Sequential"}),
    "keras": frozenset({"DTypePolicy", "Functional", "Sequential"}),
    "keras.initializers": frozenset(
        {
            "Constant",
            "GlorotNormal",
            "GlorotUniform",
            "HeNormal",
            "HeUniform",
            "LecunNormal",
            "LecunUniform",
            "Ones",
            "RandomNormal",
            "RandomUniform",
            "TruncatedNormal",
            "VarianceScaling",
            "Zeros",
        }
    ),
    "keras.regularizers": frozenset({"L1", "L1L2", "L2"}),
    "keras.constraints": frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}),
    None: frozenset({"__keras_tensor__", "__tuple__"}),
}


def check_keras_file(file: Path) -> None:
    """Check that a Keras file holds nothing but a network of allowed layers.

    Args:
        file: A ``.keras`` zip.

    Raises:
        ModelIncompatible: It is damaged, holds other files or a layer that is not allowed, or is too large.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if not set(names) <= _MEMBERS or len(names) != len(set(names)):
                other = next((name for name in names if name not in _MEMBERS), names[0])
                raise _refused(file, f"a file {other[:40]!r} inside")
            if any(archive.getinfo(name).file_size > file.stat().st_size * 2 for name in names):
                raise _refused(file, "a file inside that grows when it is unpacked")
            if archive.getinfo("config.json").file_size > _MAX_CONFIG_BYTES:
                raise _refused(file, "a description too long")
            config = json.loads(archive.read("config.json"))
    except ModelIncompatible:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelIncompatible(f"{file} is not a model that Keras can load (no whole .keras file)") from error
    if not isinstance(config, dict) or "class_name" not in config:
        raise ModelIncompatible(f"{file} is not a model that Keras can load (it describes no network)")
    try:
        # The training configuration is not loaded.
        weights = _checked(file, {name: part for name, part in config.items() if name != "compile_config"})
    except ModelIncompatible:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise _refused(file, "a description that makes no sense") from error
    if weights > _MAX_WEIGHTS:
        raise _refused(file, f"{weights / 1e6:,.0f} million weights, more than {_MAX_WEIGHTS / 1e6:.0f} million")


def _checked(file: Path, part: Any) -> int:
    """Check a network's configuration recursively; return the number of weights of its large layers."""
    waiting, weights = [part], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += (value for name, value in part.items() if name not in _ANY_NUMBER)
            if "class_name" in part:
                _check_class(file, part)
                weights += _weights(part)
        elif isinstance(part, int | float) and not abs(part) <= _MAX_NUMBER:
            raise _refused(file, f"the number {part!s:.20}")
    return weights


def _check_class(file: Path, part: dict[str, Any]) -> None:
    module, name, registered = part.get("module"), part["class_name"], part.get("registered_name")
    if not isinstance(name, str) or not isinstance(module, str | None) or name not in _ALLOWED.get(module, ()):
        raise _refused(file, f"{f'{module}.{name}'[:60]!r}")
    if registered not in (None, name):
        raise _refused(file, f"a custom {str(registered)[:60]!r}")


def _weights(part: dict[str, Any]) -> int:
    """Return how many weights Keras would allocate for a layer before comparing them with the file."""
    settings = part.get("config")
    if not isinstance(settings, dict) or "build_config" not in part or part["build_config"] is None:
        return 0
    shape = part["build_config"].get("input_shape") or [1]
    channels = shape[-1] if isinstance(shape[-1], int) else 1
    if part["class_name"] == "Dense":
        return channels * int(settings["units"])
    if "kernel_size" not in settings:
        return math.prod(side for side in shape[1:] if isinstance(side, int)) if part["class_name"] == "PReLU" else 0
    return channels * math.prod(settings["kernel_size"]) * int(settings.get("filters") or settings["depth_multiplier"])


def _refused(file: Path, what: str) -> ModelIncompatible:
    return ModelIncompatible(
        f"{file} contains {printable(what)}; only plain networks are loaded, never code from a model"
    )

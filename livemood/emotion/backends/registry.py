"""The registry of backends, and the one place that opens them."""

import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from livemood.bundles.manifest import Bundle
from livemood.core.settings import EngineName
from livemood.emotion.backends.base import Backend


@dataclass(frozen=True, slots=True)
class BackendKind:
    """One kind of backend.

    Attributes:
        module: Its module, which holds ``open_backend(bundle)``.
        weights: Name of the file in a bundle that it runs.
    """

    module: str
    weights: str


BACKENDS: Final[dict[EngineName, BackendKind]] = {
    "litert": BackendKind("livemood.emotion.backends.litert", "model.tflite"),
    "keras": BackendKind("livemood.emotion.backends.keras_backend", "model.keras"),
}
"""Every kind of backend by the name of its engine; a new one is a module and a line here."""


def open_backend(bundle: Bundle, engine: EngineName) -> Backend:
    """Open a bundle's network.

    Where LiteRT has no wheel for the platform, Keras takes over with a RuntimeWarning.

    Raises:
        ModelMissing: The weights are not there.
        ModelIncompatible: They are broken, altered, or another network than the manifest says.
        ValueError: There is no such engine.
    """
    if engine not in BACKENDS:
        raise ValueError(f"engine is one of {', '.join(BACKENDS)}, got {engine!r}")
    try:
        return _open(bundle, engine)
    except ImportError:
        if engine != "litert":
            raise
    warnings.warn(
        "ai-edge-litert is not installed here, so Keras runs the model: starting takes some seconds longer",
        RuntimeWarning,
        stacklevel=4,
    )
    return _open(bundle, "keras")


def sha256_of_weights(bundle: Bundle, engine: EngineName) -> str:
    """Return the hex digest of the file that an engine runs, as the manifest states it; empty if it does not."""
    return str(bundle.sha256.get(BACKENDS[engine].weights, ""))


def _open(bundle: Bundle, engine: EngineName) -> Backend:
    module: Any = import_module(BACKENDS[engine].module)
    backend: Backend = module.open_backend(bundle)
    return backend

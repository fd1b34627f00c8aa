"""The registry of backends, and the one place that opens them."""

import warnings
from importlib import import_module
from typing import Any, Final

from livemood.bundles.manifest import Bundle
from livemood.core.settings import EngineName
from livemood.emotion.backends.base import Backend

BACKENDS: Final[dict[EngineName, str]] = {
    "litert": "livemood.emotion.backends.litert",
    "keras": "livemood.emotion.backends.keras_backend",
}
"""Module of each backend; it holds ``open_backend(bundle)``."""


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


def _open(bundle: Bundle, engine: EngineName) -> Backend:
    module: Any = import_module(BACKENDS[engine])
    backend: Backend = module.open_backend(bundle)
    return backend

"""Libraries that are missing or cannot be imported, and what to do then."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from livemood.core.errors import LivemoodError

LSL: Final = "'livemood[lsl]'"
"""The extra that installs pylsl, for sinks and sources."""


_KERAS_ENGINE: Final = "training and the Keras engine"
NEEDED_FOR: Final = {
    "tensorflow": _KERAS_ENGINE,
    "keras": _KERAS_ENGINE,
    "scipy": "training and measuring models",
    "mediapipe": "MediaPipe's own way of running face networks",
    "ai_edge_litert": "the LiteRT engine",
}
"""Libraries that the slim install leaves out, or that some systems lack, and what they are needed for."""

# Packages of the libraries that every install needs.
_PACKAGES: Final = {
    "numpy": "numpy",
    "cv2": "opencv-contrib-python",
    "av": "av",
    "PIL": "pillow",
    "typer": "typer",
    "rich": "rich",
}

_NO_TENSORFLOW: Final = (3, 14)

_TRAINING_BACKENDS: Final = ("tensorflow", "jax", "torch")
_OTHER_BACKENDS: Final = ("numpy", "openvino")


def not_installed(module: str) -> LivemoodError:
    """Return an error that says what a library of ``NEEDED_FOR`` is needed for, and how to install it."""
    return LivemoodError(f"{module} is not installed, and is needed for {NEEDED_FOR[module]}", how_to_install(module))


def how_to_install(module: str) -> str:
    """Return what to do where a library of ``NEEDED_FOR`` is not installed."""
    if module == "tensorflow" and sys.version_info >= _NO_TENSORFLOW:
        return "use Python 3.13 or older, as tensorflow has no release for Python 3.14 yet"
    return f"try: pip install {module.replace('_', '-')}"


def import_failed(error: ImportError) -> LivemoodError | None:
    """Return what to tell about a library that cannot be imported; None if a module of livemood is the cause."""
    name = (error.name or "").partition(".")[0]
    if name == "livemood":
        return None
    if not isinstance(error, ModuleNotFoundError):  # a part of it is missing, such as libGL.so.1 of the system
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return LivemoodError(
            f"{name or 'a library'} cannot be imported ({lines[0]})", "reinstall it, or see livemood doctor"
        )
    if name in NEEDED_FOR:
        return not_installed(name)
    advice = "try: pip install {0}" if name in _PACKAGES else "see livemood doctor"
    return LivemoodError(f"{name or error} is not installed", advice, _PACKAGES.get(name, ""))


def need(*modules: str) -> None:
    """Check, without importing them, that libraries of ``NEEDED_FOR`` are installed.

    Raises:
        LivemoodError: One is not.
    """
    for module in modules:
        if module not in sys.modules and find_spec(module) is None:
            raise not_installed(module)


def need_keras(to_train: bool = False) -> None:
    """Check that Keras and its backend are installed.

    Args:
        to_train: The backend must be one that trains.

    Raises:
        LivemoodError: One is not, or ``KERAS_BACKEND`` names none.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    known = _TRAINING_BACKENDS if to_train else (*_TRAINING_BACKENDS, *_OTHER_BACKENDS)
    if backend not in known:
        what = "no backend of Keras that trains" if to_train else "no backend of Keras"
        raise LivemoodError(f"KERAS_BACKEND is {backend!r}, {what}", "set it to one of {0}", ", ".join(known))
    need("keras")
    if backend in NEEDED_FOR:
        need(backend)
    elif find_spec(backend) is None:
        what = f"{backend} is not installed; KERAS_BACKEND={backend} needs it"
        raise LivemoodError(what, "try: pip install {0}", backend)


def check_installed(module: str, package: str) -> None:
    """Check, without importing it, that an optional library is installed, before work is done that would be lost.

    Args:
        module: The library.
        package: As for ``required``.

    Raises:
        LivemoodError: As ``required``.
    """
    if find_spec(module) is None:
        raise _not_there(module, package)


def required(module: str, package: str) -> Any:
    """Import an optional library.

    Args:
        module: What to import.
        package: What to name for pip: an extra, such as ``'livemood[report]'``, or the library itself.

    Raises:
        LivemoodError: It is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise _not_there(module, package) from error


def _not_there(module: str, package: str) -> LivemoodError:
    return LivemoodError(f"{module.partition('.')[0]} is not installed", "try: pip install {0}", package)

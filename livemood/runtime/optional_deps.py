"""Optional dependencies."""

from importlib import import_module
from typing import Any

from livemood.core.errors import LivemoodError


def required(module: str, package: str) -> Any:
    """Import an optional library.

    Args:
        module: What to import.
        package: What to name for pip: an extra, such as ``'livemood[report]'``, or the library itself.

    Raises:
        LivemoodError: It is not installed; the message says how to get it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = module.partition(".")[0]
        raise LivemoodError(f"{name} is not installed; try: pip install {package}") from error

"""Libraries that livemood can do without."""

from importlib import import_module
from typing import Any, Final

from livemood.core.errors import LivemoodError

LSL: Final = "'livemood[lsl]'"
"""What brings pylsl, for sinks and sources."""


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

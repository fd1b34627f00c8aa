"""Figures drawn by matplotlib, an optional dependency, without its global state."""

from pathlib import Path
from typing import Any, Final

from livemood.core.errors import SinkError
from livemood.runtime.optional_deps import required

MATPLOTLIB: Final = "'livemood[plots]'"
"""The extra that installs matplotlib."""


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of ``width`` by ``height`` inches.

    Raises:
        LivemoodError: matplotlib is not installed.
    """
    return required("matplotlib.figure", MATPLOTLIB).Figure(figsize=(width, height), layout="constrained")


def save_png(figure: Any, file: Path) -> None:
    """Write a figure as a PNG of 110 dots per inch, the same bytes every time; a missing folder is made.

    Raises:
        SinkError: The file cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=110, metadata={"Software": None})
    except OSError as error:
        raise SinkError(f"{file} cannot be written: {error.strerror}") from error

"""The plots of a report of ``examine``, for HTML page and model card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from livemood.reporting import plots


def report_pictures(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw ``confusion.png`` and ``reliability.png`` of a report of ``examine``, and return their paths.

    Raises:
        LivemoodError: matplotlib is not installed.
        SinkError: The files cannot be written.
    """
    files = [folder / "confusion.png", folder / "reliability.png"]
    plots.confusion_matrix(np.array(report["confusion"]), report["labels"], files[0])
    plots.reliability_diagram(report["reliability"], files[1])
    return files

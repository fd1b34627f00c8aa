"""Small PNG pictures for a model card: learning curves, confusion matrix, reliability diagram."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.errors import SinkError
from livemood.evaluation.metrics import Bin
from livemood.training.loop.checkpoint import Epoch

_INK, _ACCENT, _FAINT = "#1f2937", "#0072b2", "#d1d5db"


def learning_curves(history: Sequence[Epoch], file: Path) -> None:
    """Draw training loss, validation NLL and accuracy over epochs.

    Raises:
        SinkError: matplotlib is missing, or the file cannot be written.
    """
    epochs = [line.epoch for line in history]
    with _figure(file, 7.2, 2.8, columns=2) as (left, right):
        left.plot(epochs, [line.loss for line in history], color="#d55e00", label="training loss (both heads)")
        left.plot(epochs, [line.valid_nll for line in history], color=_ACCENT, label="validation NLL")
        left.set_ylabel("nats")
        left.legend(frameon=False, fontsize=8)
        right.plot(epochs, [100 * line.valid_accuracy for line in history], color=_ACCENT)
        right.set_ylabel("validation accuracy, %")
        for axes in (left, right):
            axes.set_xlabel("epoch")


def confusion_matrix(matrix: npt.NDArray[np.int64], labels: Sequence[str], file: Path) -> None:
    """Draw (K, K) counts, rows the truth; colours and numbers are shares of each row.

    Raises:
        SinkError: matplotlib is missing, or the file cannot be written.
    """
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    side = max(2.6, 0.55 * len(labels) + 1.1)
    with _figure(file, side + 0.6, side) as (axes,):
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
        axes.set_yticks(range(len(labels)), [f"{n} ({c})" for n, c in zip(labels, matrix.sum(1), strict=True)])
        axes.set_xlabel("read as")
        axes.set_ylabel("label (pictures)")
        axes.grid(visible=False)
        for row, column in np.ndindex(*shares.shape):
            if matrix[row, column]:
                colour = "white" if shares[row, column] > 0.5 else _INK
                percent = f"{100 * shares[row, column]:.0f}"
                axes.text(column, row, percent, ha="center", va="center", color=colour, fontsize=8)


def reliability_diagram(bins: Sequence[Bin], file: Path) -> None:
    """Draw accuracy over confidence, and how many pictures each bin holds.

    Raises:
        SinkError: matplotlib is missing, or the file cannot be written.
    """
    total = max(sum(b.pictures for b in bins), 1)
    width = 1 / len(bins)
    middles = [(place + 0.5) * width for place in range(len(bins))]
    with _figure(file, 3.6, 3.4) as (axes,):
        axes.bar(middles, [b.pictures / total for b in bins], width * 0.9, color=_FAINT, label="share of pictures")
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle=":")
        full = [b for b in bins if b.pictures]
        axes.plot(
            [b.confidence for b in full], [b.accuracy for b in full], color=_ACCENT, marker="o", markersize=3.5,
            label="accuracy",
        )  # fmt: skip
        axes.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
        axes.legend(frameon=False, fontsize=8, loc="upper left")


def report_pictures(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw ``confusion.png`` and ``reliability.png`` of a report of ``examine``, and return where they are.

    Raises:
        SinkError: matplotlib is missing, or the files cannot be written.
    """
    files = [folder / "confusion.png", folder / "reliability.png"]
    confusion_matrix(np.array(report["confusion"]), report["labels"], files[0])
    reliability_diagram([Bin(**values) for values in report["reliability"]], files[1])
    return files


@contextmanager
def _figure(file: Path, width: float, height: float, columns: int = 1) -> Iterator[Sequence[Any]]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SinkError("pictures need matplotlib; pip install 'livemood[plots]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = [figure.add_subplot(1, columns, place + 1) for place in range(columns)]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
        one.grid(color=_FAINT, linewidth=0.4)
        one.set_axisbelow(True)
    yield axes
    FigureCanvasAgg(figure)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=110, metadata={"Software": None})
    except OSError as error:
        raise SinkError(f"{file} cannot be written: {error.strerror}") from error

"""Small PNG pictures about models: learning curves, confusion matrix, reliability diagram."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.reporting.matplotlib_figure import new_figure, save_png

_INK, _ACCENT, _FAINT = "#1f2937", "#0072b2", "#d1d5db"


def learning_curves(history: Sequence[Mapping[str, float]], file: Path) -> None:
    """Draw training loss, validation NLL and accuracy over epochs.

    Args:
        history: ``epoch``, ``loss``, ``valid_nll`` and ``valid_accuracy`` (0..1) of each epoch.
        file: The picture to write.

    Raises:
        LivemoodError: matplotlib is not installed.
        SinkError: The file cannot be written.
    """
    epochs = [line["epoch"] for line in history]
    figure, (left, right) = _axes(7.2, 2.8, columns=2)
    left.plot(epochs, [line["loss"] for line in history], color="#d55e00", label="training loss (all heads)")
    left.plot(epochs, [line["valid_nll"] for line in history], color=_ACCENT, label="validation NLL")
    left.set_ylabel("nats")
    left.legend(frameon=False, fontsize=8)
    right.plot(epochs, [100 * line["valid_accuracy"] for line in history], color=_ACCENT)
    right.set_ylabel("validation accuracy, %")
    for axes in (left, right):
        axes.set_xlabel("epoch")
    save_png(figure, file)


def confusion_matrix(matrix: npt.NDArray[np.int64], labels: Sequence[str], file: Path) -> None:
    """Draw (K, K) counts, rows the truth; colours and numbers are shares of each row.

    Raises:
        LivemoodError: matplotlib is not installed.
        SinkError: The file cannot be written.
    """
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    side = max(2.6, 0.55 * len(labels) + 1.1)
    figure, (axes,) = _axes(side + 0.6, side)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), [f"{n} ({c})" for n, c in zip(labels, matrix.sum(1), strict=True)])
    axes.set_xlabel("predicted")
    axes.set_ylabel("label (pictures)")
    axes.grid(visible=False)
    for row, column in np.ndindex(*shares.shape):
        if matrix[row, column]:
            colour = "white" if shares[row, column] > 0.5 else _INK
            percent = f"{100 * shares[row, column]:.0f}"
            axes.text(column, row, percent, ha="center", va="center", color=colour, fontsize=8)
    save_png(figure, file)


def reliability_diagram(bins: Sequence[Mapping[str, float]], file: Path) -> None:
    """Draw accuracy over confidence, and the number of pictures in each bin.

    Args:
        bins: ``pictures``, mean ``confidence`` and ``accuracy`` of each bin of equal width, from 0 to 1.
        file: The picture to write.

    Raises:
        LivemoodError: matplotlib is not installed.
        SinkError: The file cannot be written.
    """
    total = max(sum(b["pictures"] for b in bins), 1)
    width = 1 / len(bins)
    middles = [(place + 0.5) * width for place in range(len(bins))]
    full = [b for b in bins if b["pictures"]]
    confidence, right = [b["confidence"] for b in full], [b["accuracy"] for b in full]
    figure, (axes,) = _axes(3.6, 3.4)
    axes.bar(middles, [b["pictures"] / total for b in bins], width * 0.9, color=_FAINT, label="share of pictures")
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle=":")
    axes.plot(confidence, right, color=_ACCENT, marker="o", markersize=3.5, label="accuracy")
    axes.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    save_png(figure, file)


def _axes(width: float, height: float, columns: int = 1) -> tuple[Any, list[Any]]:
    figure = new_figure(width, height)
    axes = [figure.add_subplot(1, columns, place + 1) for place in range(columns)]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
        one.grid(color=_FAINT, linewidth=0.4)
        one.set_axisbelow(True)
    return figure, axes

"""The settings of a training run, with every default."""

from dataclasses import dataclass, replace
from typing import Literal

PresetName = Literal["small", "default", "large", "huge"]
"""Sizes of the network: keys of ``training.model.network.PRESETS``."""
Precision = Literal["float32", "bfloat16"]
"""Of convolutions and feature maps in training; weights are float32 in both."""

_FEWEST_STEPS = 16
_SMALLEST_BATCH = 8


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """All settings of a run.

    Attributes:
        preset: Size of the network.
        epochs: Passes over the training pictures, unless the time budget ends first.
        time_budget_s: Wall time over all resumed parts, s; the learning rate reaches 0 at its end.
        batch: Pictures per step; fewer where the data would not make 16 steps an epoch.
        learning_rate: Peak, after a warm-up and before a cosine down to 0; scaled with the batch where that shrinks.
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled, per step and learning rate, on convolution kernels only.
        ema_decay: Of the averaged weights, per step; these are validated and shipped.
        further_weight: Weight of the loss of each head except the first.
        ease_after: Fraction of the run after which degradations are half as frequent.
        seed: Of initial weights, order and augmentation.
        early_stop: Number of epochs without a better validation NLL after which the run ends; 0 for never.
        distil_weight: Weight of the teachers in the targets, if there are any; the rest is the labels'.
        blends: Number of blends of each picture with another (mixup); 0 for none.
        precision: Of convolutions and feature maps while a preset trains; what is shipped is measured in float32.
        class_balance: Adjust the last bias for rare classes, as far as accuracy on valid allows, and for happy, so that
            it is predicted as often as it is labelled.
    """

    preset: PresetName = "default"
    epochs: int = 80
    time_budget_s: float | None = None
    batch: int = 128
    learning_rate: float = 0.1
    warmup_epochs: float = 1.0
    weight_decay: float = 2.5e-3
    ema_decay: float = 0.999
    further_weight: float = 0.3
    ease_after: float = 0.9
    seed: int = 1
    early_stop: int = 0
    distil_weight: float = 0.7
    blends: int = 0
    precision: Precision = "float32"
    class_balance: bool = True

    def fitted_to(self, pictures: int) -> "TrainSettings":
        """Return these settings with a batch size for enough steps per epoch, and the learning rate scaled with it.

        Args:
            pictures: Number of training pictures.
        """
        batch = min(self.batch, max(pictures // _FEWEST_STEPS, _SMALLEST_BATCH))
        return replace(self, batch=batch, learning_rate=self.learning_rate * batch / self.batch)


def usual(fine_tuning: bool) -> TrainSettings:
    """Return the default settings; fewer and smaller steps for fine-tuning."""
    return TrainSettings(epochs=40, learning_rate=0.02) if fine_tuning else TrainSettings()

"""The settings of a training run, with every default."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from livemood.core.errors import LivemoodError

PresetName = Literal["small", "default", "large", "huge"]
"""Sizes of the network: keys of ``training.model.network.PRESETS``."""
Precision = Literal["float32", "bfloat16"]
"""Of convolutions and feature maps in training; weights are float32 in both."""

MAX_SEED = 2**32 - 1
"""Largest seed that Keras takes."""
MAX_BLENDS = 100
"""Most blends of a picture; those of all pictures are drawn before training and held in memory."""

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

    Raises:
        LivemoodError: The learning rate, the seed or the number of blends is out of range.
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

    def __post_init__(self) -> None:
        if not is_learning_rate(self.learning_rate):
            raise LivemoodError(f"{self.learning_rate} is not a learning rate", "give {learning_rate} one above 0")
        if not 0 <= self.seed <= MAX_SEED:
            raise LivemoodError(f"{self.seed} is not a seed", "give {seed} one from 0 to {0}", MAX_SEED)
        if not 0 <= self.blends <= MAX_BLENDS:
            raise LivemoodError(f"{self.blends} blends of a picture", "give {blends} 0 to {0}", MAX_BLENDS)

    def fitted_to(self, pictures: int) -> "TrainSettings":
        """Return these settings with a batch size for enough steps per epoch, and the learning rate scaled with it.

        Args:
            pictures: Number of training pictures.
        """
        batch = min(self.batch, max(pictures // _FEWEST_STEPS, _SMALLEST_BATCH))
        return replace(self, batch=batch, learning_rate=self.learning_rate * batch / self.batch)


def is_learning_rate(value: float) -> bool:
    """Return whether training can begin with this rate: a finite one above 0."""
    return 0 < value < math.inf


def usual(fine_tuning: bool) -> TrainSettings:
    """Return the default settings; fewer and smaller steps for fine-tuning."""
    return TrainSettings(epochs=40, learning_rate=0.02) if fine_tuning else TrainSettings()

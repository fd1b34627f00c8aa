"""The settings of a training run, with every default."""

import math
from dataclasses import dataclass, fields, replace
from typing import Literal

from livemood.core.errors import LivemoodError
from livemood.core.settings import setting

PresetName = Literal["small", "default", "large", "huge"]
"""Sizes of the network: keys of ``training.model.network.PRESETS``."""
Precision = Literal["float32", "bfloat16"]
"""Of convolutions and feature maps in training; weights are float32 in both."""

# Largest seed that Keras takes.
_MAX_SEED = 2**32 - 1
# Most blends of a picture; those of all pictures are drawn before training and held in memory.
_MAX_BLENDS = 100
_FEWEST_STEPS = 16
_SMALLEST_BATCH = 8


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """All settings of a run; those made by ``setting`` say in their help what they are.

    Attributes:
        time_budget_s: Wall time over all resumed parts, s; the learning rate reaches 0 at its end.
        batch: Pictures per step; fewer where the data would not make 16 steps an epoch.
        learning_rate: Peak, after a warm-up and before a cosine down to 0; scaled with the batch where that shrinks.
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled, per step and learning rate, on convolution kernels only.
        ema_decay: Of the averaged weights, per step; these are validated and shipped.
        further_weight: Weight of the loss of each head except the first.
        ease_after: Fraction of the run after which degradations are half as frequent.
        distil_weight: Weight of the teachers in the targets, if there are any; the rest is the labels'.
        early_stop: Number of epochs without a better NLL on valid after which the run ends; 0 for never.
        precision: Of convolutions and feature maps while a preset trains; what is shipped is measured in float32.
        class_balance: Adjust the last bias, as fitted on valid: for rare classes (at most 0.3 points of accuracy), for
            happy, so that it is predicted as often as it is labelled, and for the classes besides neutral and happy (at
            most 0.6 points).

    Raises:
        LivemoodError: A number is out of range.
    """

    preset: PresetName = setting("default", "Size of the network.")
    epochs: int = setting(80, "Passes over the pictures.", min=1)
    time_budget_s: float | None = setting(
        None,
        "End training after this time, such as 45m or 2h, whatever the number of epochs. Cutting faces out before it, "
        "and measuring and converting the model after it, take additional time.",
        metavar="TIME",
    )
    batch: int = setting(128, "Pictures per step.", min=1)
    learning_rate: float = setting(0.1, "Peak learning rate, above 0.")
    warmup_epochs: float = 1.0
    weight_decay: float = 2.5e-3
    seed: int = setting(1, "Seed of weights, order and augmentation.", min=0, max=_MAX_SEED)
    blends: int = setting(0, "Number of blends of each picture with others (mixup).", min=0, max=_MAX_BLENDS)
    ema_decay: float = setting(0.999, "Decay of the averaged weights, per step.", min=0, max=1)
    further_weight: float = 0.3
    ease_after: float = 0.9
    distil_weight: float = setting(0.7, "Weight of the teachers in the targets.", min=0, max=1)
    precision: Precision = setting(
        "float32", "bfloat16 trains most presets faster on processors and GPUs that support it."
    )
    early_stop: int = setting(0, "End after this many epochs without improvement; 0 for never.", min=0)
    class_balance: bool = setting(
        True, "Adjust the scores of rare classes, happy, and the others against neutral, at little loss of accuracy."
    )

    def __post_init__(self) -> None:
        if not is_learning_rate(self.learning_rate):
            raise LivemoodError(f"{self.learning_rate} is not a learning rate", "give {learning_rate} one above 0")
        for field in (field for field in fields(self) if "min" in field.metadata):
            value, least, most = getattr(self, field.name), field.metadata["min"], field.metadata.get("max", math.inf)
            if not least <= value <= most:
                wanted = f"{least} to {most}" if most < math.inf else f"at least {least}"
                raise LivemoodError(f"{field.name} is {value}", f"give {{{field.name}}} {wanted}")

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

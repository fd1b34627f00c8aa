"""A loop over ``train_on_batch``. Every epoch is checkpointed; a stopped run can be resumed."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION
from livemood.datasets.split import ALIGNED, RAW, Split
from livemood.evaluation.metrics import nll
from livemood.runtime.stopping import held
from livemood.training.loop import checkpoint
from livemood.training.loop.batches import Batches
from livemood.training.loop.checkpoint import Epoch, Run, Step
from livemood.training.model.network import predict
from livemood.training.settings import TrainSettings

_EMA_EVERY = 4


class Trainer:
    """Weights, their average, the optimizer's state and the elapsed time; saved and restored together.

    Args:
        model: Compiled keras.Model with all heads.
        work: Folder of the checkpoint; one that is there is resumed.
        settings: The run.

    Attributes:
        state: The run so far: its history, best epoch and how it ended.
        best: The averaged weights of the best epoch; until there is one, those at the start.

    Raises:
        DatasetError: The checkpoint is not one of this model.
    """

    def __init__(self, model: Any, work: Path, settings: TrainSettings) -> None:
        self._model, self._settings, self.state = model, settings, Run()
        self._average: list[npt.NDArray[Any]] = [np.array(w) for w in model.get_weights()]
        self.best: checkpoint.Weights = [w.copy() for w in self._average]
        self._steps = 0
        self._work = work
        work.mkdir(parents=True, exist_ok=True)
        self._restore()

    def run_until_done(
        self,
        batches: Batches,
        valid: Split,
        on_step: Callable[[Step], None],
        on_epoch: Callable[[Epoch], None],
    ) -> None:
        """Train until the time or the epochs are spent, or something ends the run early (``state.ended``).

        Args:
            batches: Training batches.
            valid: Pictures on which the best epoch is chosen.
            on_step: Called after every step.
            on_epoch: Called after every epoch.

        Raises:
            DatasetError: No epoch gave a loss that is a number.
            KeyboardInterrupt: The run was interrupted before it had a best epoch.
        """
        began = time.monotonic() - self.state.elapsed_s
        per_epoch = batches.per_epoch
        try:
            with held():
                while not self.state.ended and self._fraction(time.monotonic() - began, per_epoch) < 1:
                    loss, rate = self._epoch(batches, began, on_step)
                    if not self.state.ended:
                        self._end_epoch(valid, loss, rate, time.monotonic() - began)
                        on_epoch(self.state.history[-1])
        except KeyboardInterrupt:
            self.state.ended = "interrupted"
        if not self.state.best_epoch:
            if self.state.ended == "interrupted":
                raise KeyboardInterrupt
            raise DatasetError("the loss is not a number from the start", "try a lower {learning_rate}")

    def _epoch(self, batches: Batches, began: float, on_step: Callable[[Step], None]) -> tuple[float, float]:
        """Train for one epoch and return mean loss and last learning rate."""
        losses, rate, epoch_began, per_epoch = [], 0.0, time.monotonic(), batches.per_epoch
        fraction = self._fraction(time.monotonic() - began, per_epoch)
        strength = 1.0 if fraction < self._settings.ease_after else 0.5
        for pixels, heads, weights in batches.epoch((self._settings.seed, self.state.epoch), strength):
            rate = self._rate(self._fraction(time.monotonic() - began, per_epoch), per_epoch)
            self._model.optimizer.learning_rate.assign(rate)
            loss = self._model.train_on_batch(pixels, heads, sample_weight=weights)
            losses.append(float(np.asarray(loss).flat[0]))
            if not math.isfinite(losses[-1]):
                self.state.ended = "loss not a number"
                break
            self._steps += 1
            self._average_weights()
            done = self._fraction(time.monotonic() - began, per_epoch)
            speed = len(losses) * self._settings.batch / (time.monotonic() - epoch_began)
            on_step(Step(self.state.epoch + 1, min(done, 1.0), losses[-1], speed))
            if done >= 1:
                break
        return float(np.mean(losses)), rate

    def _end_epoch(self, valid: Split, loss: float, rate: float, elapsed_s: float) -> None:
        raw = self._model.get_weights()
        self._model.set_weights(self._average)
        known = valid.only(valid.top_vote >= 0)
        errors, hits = [], []
        for framing in (RAW, ALIGNED):
            probabilities = predict(self._model, known, framing)
            errors.append(nll(probabilities, known.targets[EMOTION]))
            hits.append(float((probabilities.argmax(1) == known.top_vote).mean()))
        self._model.set_weights(raw)
        state, error = self.state, float(np.mean(errors))
        state.epoch, state.elapsed_s = state.epoch + 1, elapsed_s
        state.history.append(Epoch(state.epoch, rate, loss, error, float(np.mean(hits)), round(elapsed_s, 1)))
        if error < state.best_nll:
            state.best_nll, state.best_epoch = error, state.epoch
            self.best = [w.copy() for w in self._average]
        if self._settings.early_stop and state.epoch - state.best_epoch >= self._settings.early_stop:
            state.ended = "early stop"
        self._save()

    def _fraction(self, elapsed_s: float, per_epoch: int) -> float:
        """Return the share of the run that is done, 0..1: by time or by epochs, whichever is larger."""
        by_epochs = self._steps / (self._settings.epochs * per_epoch)
        budget = self._settings.time_budget_s
        return max(by_epochs, elapsed_s / budget if budget else 0.0)

    def _rate(self, fraction: float, per_epoch: int) -> float:
        warmup = min(1.0, (self._steps + 1) / max(self._settings.warmup_epochs * per_epoch, 1))
        return self._settings.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))

    def _average_weights(self) -> None:
        """Update the average of all weights, batch statistics included, every few steps; faster at first."""
        if self._steps % _EMA_EVERY:
            return
        decay = min(self._settings.ema_decay, (1 + self._steps) / (10 + self._steps)) ** _EMA_EVERY
        for mean, weight in zip(self._average, self._model.get_weights(), strict=True):
            mean += (1 - decay) * (weight - mean)

    def _save(self) -> None:
        groups = {
            "weight": self._model.get_weights(),
            "average": self._average,
            "best": self.best,
            "optimizer": [_numpy(variable) for variable in self._model.optimizer.variables],
        }
        checkpoint.save(self._work, self.state, self._steps, groups)

    def _restore(self) -> None:
        many = len(self._average)
        counts = {"weight": many, "average": many, "best": many, "optimizer": len(self._model.optimizer.variables)}
        found = checkpoint.restore(self._work, counts)
        if not found:
            return
        self.state, self._steps, groups = found
        try:
            self._model.set_weights(groups["weight"])
            for variable, value in zip(self._model.optimizer.variables, groups["optimizer"], strict=True):
                variable.assign(value)
        except ValueError as error:
            raise DatasetError(
                f"{self._work} contains a checkpoint of another network", "remove it to begin again"
            ) from error
        self._average, self.best = [np.array(w) for w in groups["average"]], groups["best"]
        for layer in self._model.layers:
            if generator := getattr(layer, "seed_generator", None):
                # Seed and number of draws, one per step, so that dropout continues as in an uninterrupted run.
                generator.state.assign(np.array([_numpy(generator.state)[0], self._steps]))


def _numpy(variable: Any) -> npt.NDArray[Any]:
    from keras import ops

    return np.asarray(ops.convert_to_numpy(variable))

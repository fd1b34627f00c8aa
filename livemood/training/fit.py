"""TrainSettings -> fitted weights and a history. Every epoch is checkpointed; a stopped run goes on where it was.

Runs on any Keras 3 backend: one plain loop over ``train_on_batch``.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.training.augment import augment
from livemood.training.dataset import FER2013_LABELS, Dataset, Split
from livemood.training.evaluate import nll
from livemood.training.model import EMOTION_HEAD, FER2013_HEAD, PRESETS, build
from livemood.values import CropSpec

_EMA_EVERY = 4
_LOOKAHEAD = 6
_PREDICT_BATCH = 256


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Everything that decides a run.

    Attributes:
        preset: Key of ``PRESETS``.
        epochs: Passes over the training pictures, unless the time budget ends first.
        time_budget_s: Wall seconds over all resumed parts; the learning rate reaches 0 when they are spent.
        batch: Pictures per step.
        learning_rate: Peak, after a warm-up and before a cosine down to 0.
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled, per step and learning rate, on convolution kernels only.
        ema_decay: Of the averaged weights, per step; these are validated and shipped.
        fer2013_weight: Weight of the second head's loss.
        ease_after: Share of the run after which degradations come half as often.
        seed: Of initial weights, order and augmentation.
    """

    preset: str = "default"
    epochs: int = 80
    time_budget_s: float | None = None
    batch: int = 128
    learning_rate: float = 0.1
    warmup_epochs: float = 1.0
    weight_decay: float = 2.5e-3
    ema_decay: float = 0.999
    fer2013_weight: float = 0.3
    ease_after: float = 0.9
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of a run's history; losses in nats, times in wall seconds since the run began."""

    epoch: int
    learning_rate: float
    loss: float
    valid_nll: float
    valid_accuracy: float
    elapsed_s: float


@dataclass(slots=True)
class Run:
    """Where a run stands: what a checkpoint holds besides arrays."""

    epoch: int = 0
    elapsed_s: float = 0.0
    best_nll: float = math.inf
    best_epoch: int = 0
    history: list[Epoch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """What a progress display shows after each step."""

    epoch: int
    fraction: float
    loss: float
    images_per_s: float


def fit(
    dataset: Dataset,
    spec: CropSpec,
    settings: TrainSettings,
    work: Path,
    on_step: Callable[[Step], None] = lambda _: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> tuple[Any, Run]:
    """Train, or go on training, and return the model with its best weights.

    Args:
        dataset: Splits ``train`` and ``valid`` are used, never ``test``.
        spec: How the crops were cut.
        settings: The run.
        work: Folder of the checkpoint; one that is there is resumed.
        on_step: Called after every step.
        on_epoch: Called after every epoch.

    Returns:
        The two-headed keras.Model, and the run with its history. A KeyboardInterrupt or a loss that is no longer
        a number ends the run early; the best weights so far are kept.
    """
    import keras

    keras.utils.set_random_seed(settings.seed)
    train = dataset.splits["train"].only(dataset.splits["train"].top_vote >= 0)
    model = build(PRESETS[settings.preset], spec, len(dataset.labels))
    optimizer = keras.optimizers.SGD(
        settings.learning_rate, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        loss={EMOTION_HEAD: "categorical_crossentropy", FER2013_HEAD: "categorical_crossentropy"},
        loss_weights={EMOTION_HEAD: 1.0, FER2013_HEAD: settings.fer2013_weight},
    )
    optimizer.build(model.trainable_variables)
    trainer = _Trainer(model, work, settings)
    try:
        trainer.run_until_done(train, dataset.splits["valid"], on_step, on_epoch)
    except KeyboardInterrupt:
        pass
    model.set_weights(trainer.best)
    return model, trainer.state


def predict(model: Any, crops: npt.NDArray[np.uint8], head: str = EMOTION_HEAD) -> npt.NDArray[np.float32]:
    """Return one head's (N, K) probabilities of (N, S, S, C) uint8 crops."""
    parts = [
        np.asarray(model.predict_on_batch(crops[start : start + _PREDICT_BATCH])[head], np.float32)
        for start in range(0, len(crops), _PREDICT_BATCH)
    ]
    return np.concatenate(parts)


class _Trainer:
    """Weights, their average, the optimizer's state and the clock; saved and restored together."""

    def __init__(self, model: Any, work: Path, settings: TrainSettings) -> None:
        self.model, self.settings, self.state = model, settings, Run()
        self.average = [np.array(w) for w in model.get_weights()]
        self.best = self.average
        self.steps = 0
        self._checkpoint = work / "checkpoint.npz"
        work.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.exists():
            self._restore()

    def run_until_done(
        self, train: Split, valid: Split, on_step: Callable[[Step], None], on_epoch: Callable[[Epoch], None]
    ) -> None:
        began = time.monotonic() - self.state.elapsed_s
        per_epoch = max(len(train) // self.settings.batch, 1)
        while (fraction := self._fraction(time.monotonic() - began, per_epoch)) < 1:
            losses, epoch_began = [], time.monotonic()
            for count, (pixels, targets, weights) in enumerate(self._batches(train, fraction), 1):
                rate = self._rate(self._fraction(time.monotonic() - began, per_epoch), per_epoch)
                self.model.optimizer.learning_rate.assign(rate)
                loss = self.model.train_on_batch(pixels, targets, sample_weight=weights)
                losses.append(float(np.asarray(loss).flat[0]))
                if not math.isfinite(losses[-1]):
                    return
                self.steps += 1
                self._average_weights()
                done = self._fraction(time.monotonic() - began, per_epoch)
                speed = count * self.settings.batch / (time.monotonic() - epoch_began)
                on_step(Step(self.state.epoch + 1, min(done, 1.0), losses[-1], speed))
                if done >= 1:
                    break
            self._end_epoch(valid, float(np.mean(losses)), rate, time.monotonic() - began)
            on_epoch(self.state.history[-1])

    def _end_epoch(self, valid: Split, loss: float, rate: float, elapsed_s: float) -> None:
        raw = self.model.get_weights()
        self.model.set_weights(self.average)
        known = valid.only(valid.top_vote >= 0)
        errors, hits = [], []
        for framing in (0, 1):
            probabilities = predict(self.model, known.crops[:, framing])
            errors.append(nll(probabilities, known.targets))
            hits.append(float((probabilities.argmax(1) == known.top_vote).mean()))
        self.model.set_weights(raw)
        state = self.state
        state.epoch, state.elapsed_s = state.epoch + 1, elapsed_s
        state.history.append(
            Epoch(state.epoch, rate, loss, float(np.mean(errors)), float(np.mean(hits)), round(elapsed_s, 1))
        )
        if np.mean(errors) < state.best_nll:
            state.best_nll, state.best_epoch = float(np.mean(errors)), state.epoch
            self.best = [w.copy() for w in self.average]
        self._save()

    def _fraction(self, elapsed_s: float, per_epoch: int) -> float:
        """How much of the run is done, 0..1: by time or by epochs, whichever is further."""
        by_epochs = self.steps / (self.settings.epochs * per_epoch)
        budget = self.settings.time_budget_s
        return max(by_epochs, elapsed_s / budget if budget else 0.0)

    def _rate(self, fraction: float, per_epoch: int) -> float:
        warmup = min(1.0, (self.steps + 1) / max(self.settings.warmup_epochs * per_epoch, 1))
        return self.settings.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))

    def _average_weights(self) -> None:
        """Average all weights, batch statistics included, every few steps; follow closely at first."""
        if self.steps % _EMA_EVERY:
            return
        decay = min(self.settings.ema_decay, (1 + self.steps) / (10 + self.steps)) ** _EMA_EVERY
        for mean, weight in zip(self.average, self.model.get_weights(), strict=True):
            mean += (1 - decay) * (weight - mean)

    def _batches(self, train: Split, fraction: float) -> Iterator[tuple[Any, Any, Any]]:
        """Yield an epoch of batches, prepared ahead in a thread; the same for the same seed and epoch."""
        epoch, batch = self.state.epoch, self.settings.batch
        order = np.random.default_rng((self.settings.seed, epoch)).permutation(len(train))
        strength = 1.0 if fraction < self.settings.ease_after else 0.5
        targets = train.targets
        starts = range(0, max(len(order) - batch + 1, 1), batch)

        def make(start: int) -> tuple[Any, Any, Any]:
            rng = np.random.default_rng((self.settings.seed, epoch, start))
            chosen = order[start : start + batch]
            framing = rng.integers(0, 2, len(chosen))
            pixels = np.stack(
                [augment(train.crops[i, f], rng, strength) for i, f in zip(chosen, framing, strict=True)]
            )
            second = train.fer2013[chosen]
            heads = {EMOTION_HEAD: targets[chosen], FER2013_HEAD: np.eye(len(FER2013_LABELS), dtype="f4")[second]}
            weights = {EMOTION_HEAD: np.ones(len(chosen), "f4"), FER2013_HEAD: (second >= 0).astype("f4")}
            return pixels, heads, weights

        with ThreadPoolExecutor(1) as pool:
            ahead: list[Future[tuple[Any, Any, Any]]] = []
            try:
                for start in starts:
                    ahead.append(pool.submit(make, start))
                    if len(ahead) >= _LOOKAHEAD:
                        yield ahead.pop(0).result()
                for waiting in ahead:
                    yield waiting.result()
            finally:
                for waiting in ahead:
                    waiting.cancel()

    def _save(self) -> None:
        groups = {
            "weight": self.model.get_weights(),
            "average": self.average,
            "best": self.best,
            "optimizer": [np.asarray(_numpy(v)) for v in self.model.optimizer.variables],
        }
        arrays = {f"{name}_{place}": a for name, group in groups.items() for place, a in enumerate(group)}
        part = self._checkpoint.with_suffix(".part")
        with part.open("wb") as stream:
            np.savez(stream, steps=self.steps, state=json.dumps(asdict(self.state)), **arrays)
        part.replace(self._checkpoint)

    def _restore(self) -> None:
        with np.load(self._checkpoint) as data:
            saved = json.loads(str(data["state"]))
            self.state = Run(**{**saved, "history": [Epoch(**line) for line in saved["history"]]})
            self.steps = int(data["steps"])
            count = len(self.average)
            self.model.set_weights([data[f"weight_{i}"] for i in range(count)])
            self.average = [data[f"average_{i}"] for i in range(count)]
            self.best = [data[f"best_{i}"] for i in range(count)]
            for place, variable in enumerate(self.model.optimizer.variables):
                variable.assign(data[f"optimizer_{place}"])


def _numpy(variable: Any) -> npt.NDArray[Any]:
    from keras import ops

    return np.asarray(ops.convert_to_numpy(variable))

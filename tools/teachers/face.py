"""Fine-tune a face recognition network on FER+'s votes, to find out whether it is a useful teacher.

    python -m tools.teachers.face DATA WORK MOBILEFACENET.json OUT --loader mobilefacenet.py --minutes 60

Its input is that of the shipped network, grey crops of 48 px with the same augmentation, enlarged to 112 px, so it can
be measured and used like any other teacher. Layers whose maps are larger than 14x14 are frozen: they detect edges, and
take two thirds of the time of a step. Every epoch is checkpointed (``OUT``), and its figures on valid are printed.
"""

import argparse
import importlib.util
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from livemood.core.labels import EMOTION
from livemood.evaluation.metrics import nll
from livemood.training.loop.augment import augment
from tools import faces, votes

_SIDE = 112
_LARGEST_LEARNT = 14
_BATCH = 64


def build(backbone: Any, classes: int) -> Any:
    """Return a keras.Model, (N, 48, 48, 1) raw 0..255 to (N, K) probabilities, on a backbone of 112x112 RGB."""
    from keras import Input, Model, layers, ops

    for layer in backbone.layers:
        layer.trainable = layer.output.shape[1] <= _LARGEST_LEARNT
    pixels = Input((48, 48, 1), name="pixels")
    large = layers.Resizing(_SIDE, _SIDE, interpolation="bilinear")(pixels)
    rgb = ops.tile((large - 127.5) / 128, (1, 1, 1, 3))
    pooled = layers.GlobalAveragePooling2D()(backbone(rgb))
    head = layers.Dense(classes, activation="softmax", name="emotion")(layers.Dropout(0.3)(pooled))
    return Model(pixels, head)


def main() -> None:
    """Run the script with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "work", "json", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=3e-4, help="of the backbone; the head has ten times as much")
    parser.add_argument("--loader", type=Path, required=True, help="mobilefacenet.py, which rebuilds the backbone")
    parser.add_argument("--begin", type=Path, help="weights to go on from")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    source = importlib.util.spec_from_file_location("mobilefacenet", args.loader)
    assert source
    assert source.loader
    loader = importlib.util.module_from_spec(source)
    source.loader.exec_module(loader)
    split = votes.parts(args.data, args.work)
    framings = (votes.raw(args.data, args.work), faces.crops(args.data, args.work, "ferplus", 1.05))
    model = build(loader.load(args.json, features=True), len(split["train"].split.labels))
    if args.begin:
        model.load_weights(args.begin)
    _fit(model, split, framings, args)


def _fit(model: Any, split: dict[str, votes.Part], framings: Any, args: Any) -> None:
    import keras
    import tensorflow as tf

    slow, fast = keras.optimizers.Adam(args.rate), keras.optimizers.Adam(args.rate * 10)
    head = model.get_layer("emotion").trainable_variables
    body = [each for each in model.trainable_variables if not any(each is own for own in head)]

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(pixels: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            said = model(pixels, training=True)
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(targets, said))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, [*body, *head]), 5.0)
        slow.apply_gradients(zip(gradients[: len(body)], body, strict=True))
        fast.apply_gradients(zip(gradients[len(body) :], head, strict=True))
        return loss

    train, rng = split["train"], np.random.default_rng(1)
    targets, began, epoch = train.split.targets[EMOTION], time.monotonic(), 0
    average = [np.array(each) for each in model.get_weights()]
    steps, done = 0, 0.0
    while done < 1:
        losses, order = [], rng.permutation(len(train.rows))
        for at in range(0, len(order) - _BATCH + 1, _BATCH):
            chosen = order[at : at + _BATCH]
            pixels = _augmented(framings, train.rows[chosen], rng)
            done = (time.monotonic() - began) / 60 / args.minutes
            pace = args.rate * min(1.0, (steps + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
            slow.learning_rate.assign(pace)
            fast.learning_rate.assign(pace * 10)
            losses.append(float(step(pixels, targets[chosen])))
            steps += 1
            if steps % 4 == 0:
                decay = min(0.995, (1 + steps) / (10 + steps)) ** 4
                for mean, weight in zip(average, model.get_weights(), strict=True):
                    mean += (1 - decay) * (weight - mean)
            if steps % 100 == 0:
                print(f"step {steps}, {100 * done:.0f} %, loss {np.mean(losses[-100:]):.4f}, "
                      f"{steps * _BATCH / (time.monotonic() - began):.1f} pictures/s", flush=True)  # fmt: skip
            if done >= 1 or steps % 218 == 0:
                _evaluate(model, average, split["valid"], framings, args.out, steps)
            if done >= 1:
                break
        epoch += 1


def _augmented(framings: Any, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    which = rng.integers(0, 2, len(rows))
    crops = [augment(np.asarray(framings[framing][row]), rng) for framing, row in zip(which, rows, strict=True)]
    return np.stack(crops).astype(np.float32)


def _evaluate(model: Any, average: Any, valid: votes.Part, framings: Any, out: Path, steps: int) -> None:
    """Save the averaged weights, and print their figures on every other picture of valid."""
    weights = model.get_weights()
    model.set_weights(average)
    model.save_weights(out / f"step{steps:05}.weights.h5")
    known = np.flatnonzero(valid.split.top_vote >= 0)[::3]
    figures = []
    for framing in framings:
        pixels = np.asarray(framing[valid.rows[known]], np.float32)
        said = np.concatenate([model.predict_on_batch(pixels[at : at + 128]) for at in range(0, len(pixels), 128)])
        right = float((said.argmax(1) == valid.split.top_vote[known]).mean())
        figures.append(f"{100 * right:.1f} % (nll {nll(said, valid.split.targets[EMOTION][known]):.4f})")
    print(f"step {steps}: valid top vote, a third, raw and aligned: {', '.join(figures)}", flush=True)
    model.set_weights(weights)


if __name__ == "__main__":
    main()

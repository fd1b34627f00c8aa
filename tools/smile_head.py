"""Train a second head (no, closed or open smile) on a feature map of the shipped network, whose weights stay fixed.

    python -m tools.smile_head DATA WORK BUNDLE OUT [--map fine|early|late|pooled] [--weak 0.6]

Training data are FER+'s training pictures. The target for a smile is the share of happy votes; its kind comes from
tools/data (labelled by eye), or from the landmarker's weak labels. Several heads that differ in their seed are trained,
and their mean teaches others, on the same pictures and on unlabelled ones of smiled.zip; the best of these is written.
Two sets labelled by eye are for model selection: a fifth of FER+'s that were drawn at random, and smiled.zip's, which
are of another kind. smiles.zip, labelled by eye too, is for the final report only. ``OUT`` is a bundle with two heads:
``emotion``, as in BUNDLE, and ``smile``.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from livemood.bundles.manifest import MANIFEST, Head, read_bundle
from livemood.evaluation.metrics import auc
from livemood.training.export.bundle import to_tflite, write_bundle
from livemood.training.model.equivariant_layers import both_halves, mirrored_layers
from tools import faces, measure
from tools.smile_data import TrainingData, through, unlabelled
from tools.smile_weak import kinds

KINDS = ("none", "closed", "open")
MAPS = {"fine": "re_lu_2", "early": "re_lu_6", "late": "re_lu_10", "pooled": "dropout"}
_HOW = "python -m tools.smile_head"
_BATCH = 256
_RATE = 2e-3
_DROPOUT = {"teacher": 0.3, "student": 0.1}


def head(shape: tuple[int, ...], dropout: float) -> Any:
    """Return a keras.Model from a map to (N, 3) probabilities of the kinds, invariant to mirroring.

    Args:
        shape: Of the map, without the batch.
        dropout: Share of the channels before the last convolution that are left out in training.
    """
    from keras import Input, Model, layers, regularizers

    mirrored, given = mirrored_layers(), Input(shape)
    x = given
    if len(shape) == 3:
        for place, filters in enumerate({24: (16, 16), 12: (64,), 6: ()}[shape[0]]):
            x = layers.ReLU(name=f"smile_relu_{place}")(_biased(x, filters, 4, 2, place))
        x = layers.SpatialDropout2D(dropout)(x)
        x = layers.ReLU(name="smile_relu_last")(_biased(x, 96, 6, 6, "last"))
        x = layers.GlobalAveragePooling2D(name="smile_pool")(x)
    x = layers.Dropout(0.2)(mirrored.Halves()(x))
    said = layers.Dense(len(KINDS), activation="softmax", name="smile", kernel_regularizer=regularizers.L2(1e-4))(x)
    model = Model(given, said)
    for layer in model.layers:
        if layer.name.startswith("smile_normalization"):
            layer.momentum = 0.9
    return model


def _biased(x: Any, filters: int, size: int, stride: int, place: object) -> Any:
    """Apply a mirrored convolution with a bias, given by a normalisation whose statistics stay 0 and 1."""
    mirrored = mirrored_layers()
    x = mirrored.Convolution(filters, size, stride, name=f"smile_convolution_{place}")(x)
    return mirrored.Normalization(name=f"smile_normalization_{place}")(x)


def fit(model: Any, data: TrainingData, epochs: int) -> None:
    """Train the head; weights are averaged over the last third."""
    import keras
    import tensorflow as tf

    optimizer, rng, batch = keras.optimizers.Adam(_RATE), np.random.default_rng(1), _BATCH
    at = np.flatnonzero(~data.kept)
    closed = (data.opened < 0.5) & (data.weight > 0)
    share = float(closed[at].sum() / (data.weight[at] > 0).sum())
    balance = np.where(closed, 0.5 / share, 0.5 / (1 - share)).astype("f4")

    @tf.function  # type: ignore[untyped-decorator]
    def step(maps: Any, smiling: Any, opened: Any, weight: Any) -> Any:
        with tf.GradientTape() as tape:
            said = tf.clip_by_value(model(tf.cast(maps, tf.float32), training=True), 1e-6, 1.0)
            none, smile = said[:, 0], said[:, 1] + said[:, 2]
            there = -(1 - smiling) * tf.math.log(none) - smiling * tf.math.log(smile)
            kind = -opened * tf.math.log(said[:, 2] / smile) - (1 - opened) * tf.math.log(said[:, 1] / smile)
            loss = tf.reduce_mean(there + weight * kind) + sum(model.losses)
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    steps, done, average, many = epochs * (len(at) // batch), 0, None, 0
    for epoch in range(epochs):
        order, losses = rng.permutation(at), []
        for start in range(0, len(order) - batch + 1, batch):
            these = np.sort(order[start : start + batch])
            optimizer.learning_rate.assign(_RATE * 0.5 * (1 + np.cos(np.pi * done / steps)))
            losses.append(
                float(
                    step(
                        data.maps[these], data.smiling[these], data.opened[these],
                        data.weight[these] * balance[these],
                    )
                )
            )  # fmt: skip
            done += 1
        if epoch >= epochs * 2 // 3:
            now = model.get_weights()
            average = (
                now
                if average is None
                else [mean + (w - mean) / (many + 1) for mean, w in zip(average, now, strict=True)]
            )
            many += 1
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, kept {_kept(model, data)}", flush=True)
    if average is not None:
        model.set_weights(average)
    print("averaged: kept", _kept(model, data))


def _kept(model: Any, data: TrainingData) -> str:
    said = model.predict(data.maps[data.kept].astype("f4"), batch_size=256, verbose=0)
    opened, score = data.opened[data.kept] > 0.5, openness(said)
    right, closed = ((score > 0.5) == opened).mean(), (score[~opened] <= 0.5).mean()
    return f"AUC {auc(score, opened):.4f}, right {right:.3f}, closed {closed:.3f}"


def mean(models: Sequence[Any], maps: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """Return the (N, 3) probabilities of the mean of several heads' logits."""
    logits = [np.log(np.maximum(model.predict(maps, batch_size=256, verbose=0), 1e-7)) for model in models]
    return measure.softmax(np.mean(logits, axis=0))


def distil(student: Any, maps: npt.NDArray[np.float16], targets: npt.NDArray[np.float32], epochs: int) -> None:
    """Train a head on (N, 3) probabilities of other heads."""
    import keras

    steps, rng = epochs * (len(maps) // _BATCH), np.random.default_rng(2)
    rate = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    student.compile(keras.optimizers.Adam(rate), "kl_divergence")
    for _ in range(epochs):
        order = rng.permutation(len(maps))
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            these = np.sort(order[start : start + _BATCH])
            student.train_on_batch(maps[these].astype("f4"), targets[these])


def openness(said: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the probability of an open smile if there is one, (N,), from (N, 3) probabilities."""
    return np.asarray(said[:, 2] / np.maximum(said[:, 1] + said[:, 2], 1e-9), np.float64)


def joined(network: Any, where: str, model: Any) -> Any:
    """Return a keras.Model, (N, 48, 48, 1) to ``emotion`` and ``smile``, of standard Keras layers only."""
    from keras import Model, layers

    x = network.get_layer(where).output
    for each in model.layers:
        if each.name.startswith("smile_convolution"):
            norm = model.get_layer(each.name.replace("convolution", "normalization"))
            gamma, beta, mean, variance = map(both_halves, norm.get_weights())
            scale = gamma / np.sqrt(variance + norm.epsilon)
            plain = layers.Conv2D(each.filters, each.size, each.stride, "same", name=each.name)
            x = plain(x)
            plain.set_weights([np.asarray(each.kernel()) * scale, beta - mean * scale])
        elif each.name.startswith(("smile_relu", "smile_pool")):
            x = type(each).from_config(each.get_config())(x)
    kernel, bias = model.get_layer("smile").get_weights()
    last = layers.Dense(len(KINDS), activation="softmax", name="smile")
    said = last(x)
    last.set_weights([both_halves(kernel) / 2, bias])
    both = Model(network.inputs[0], {"emotion": network.get_layer("emotion").output, "smile": said})
    for layer in both.layers:
        if layer.name.startswith("smile") and layer.get_weights():
            layer.set_weights([weight.astype(np.float16).astype(np.float32) for weight in layer.get_weights()])
    return both


class Selection:
    """The two validation sets, by which heads are chosen: both as maps, with the kinds of smile that the eye saw."""

    def __init__(self, data: Path, work: Path, body: Any, factor: float, drawn: TrainingData) -> None:
        known, files = kinds("smiled", doubtful=True), [row[0] for row in faces.rows(data, "smiled")]
        at = [place for place, file in enumerate(files) if file in known]
        self._sets = {
            "ferplus": (drawn.maps[drawn.kept], drawn.opened[drawn.kept] > 0.5),
            "smiled": (
                through(body, np.asarray(faces.crops(data, work, "smiled", factor)[at])),
                np.array([known[files[place]] == "open" for place in at]),
            ),
        }

    def areas(self, *models: Any) -> dict[str, float]:
        """Return the AUC of open against closed smiles of each set, for the mean of the models."""
        return {
            f"valid_auc_{name}": round(auc(openness(mean(models, maps)), opened), 4)
            for name, (maps, opened) in self._sets.items()
        }


def report(data: Path, work: Path, both: Any, factor: float) -> dict[str, float]:
    """Print the figures on smiles.zip as served; return them by name."""
    pixels = faces.crops(data, work, "smiles", factor)
    said = both.predict(np.asarray(pixels, np.float32), batch_size=256, verbose=0)
    emotion, smile = said["emotion"].astype(np.float64), said["smile"]
    table = measure.table(data, "smiles")
    smiling, known = np.array([row["smile"] == "1" for row in table]), kinds("smiles")
    kind = np.array([known.get(row["image"], "") for row in table])
    sure, top = kind != "", smile.argmax(1)
    opened = kind[sure] == "open"
    found = {
        "open_or_closed_auc": auc(openness(smile[sure]), opened),
        "open_or_closed_auc_of_happy": auc(emotion[sure, 1], opened),
        "closed_called_happy": (emotion[kind == "closed"].argmax(1) == 1).mean(),
        "smile_or_none_auc": auc(1.0 - smile[:, 0].astype(np.float64), smiling),
    }
    for name in ("open", "closed"):
        found |= {f"{name}_read_as_{KINDS[k]}": (top[kind == name] == k).mean() for k in range(3)}
    print(f"smiles.zip, {opened.sum()} open, {(~opened).sum()} closed")
    for name, value in found.items():
        print(f"{name} {value:.4f}")
    return {name: round(float(value), 4) for name, value in found.items()}


def main() -> None:
    """Run the script with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "work", "bundle", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--map", choices=MAPS, default="early")
    parser.add_argument("--weak", type=float, default=0.6)
    parser.add_argument("--factor", type=float, default=1.1)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=8, help="number of heads that teach")
    parser.add_argument("--students", type=int, default=4, help="number of heads that are taught, to choose from")
    args = parser.parse_args()
    import keras

    known = read_bundle(args.bundle)
    network = measure.emotion_network(known.checked(known.keras))
    body = keras.Model(network.inputs[0], network.get_layer(MAPS[args.map]).output)
    data = TrainingData(args.data, args.work, body, args.weak, args.factor)
    print(f"{len(data.maps)} views, {data.kept.sum()} kept", flush=True)
    selection = Selection(args.data, args.work, body, args.factor, data)
    shape, teachers = tuple(data.maps.shape[1:]), []
    for seed in range(args.seeds):
        keras.utils.set_random_seed(seed)
        teachers.append(head(shape, _DROPOUT["teacher"]))
        fit(teachers[-1], data, args.epochs)
        print(f"seed {seed}: {selection.areas(teachers[-1])}", flush=True)
    print(f"their mean: {selection.areas(*teachers)}", flush=True)
    maps = np.concatenate([data.maps[~data.kept], unlabelled(args.data, args.work, body, args.factor)])
    targets, taught = mean(teachers, maps), []
    for seed in range(args.seeds, args.seeds + args.students):
        keras.utils.set_random_seed(seed)
        model = head(shape, _DROPOUT["student"])
        distil(model, maps, targets, args.epochs)
        taught.append((selection.areas(model), model))
        print(f"taught by it, seed {seed}: {taught[-1][0]}", flush=True)
    areas, model = max(taught, key=lambda one: sum(one[0].values()))
    both = joined(network, MAPS[args.map], model)
    check = np.asarray(faces.crops(args.data, args.work, "london", args.factor)[:64], np.float32)
    apart = both.predict(check, verbose=0)["smile"] - model.predict(
        through(body, check.astype(np.uint8)).astype("f4"), verbose=0
    )
    print(f"joined: at most {np.abs(apart).max():.1e} apart")
    metrics = {**areas, **report(args.data, args.work, both, args.factor)}
    training = json.loads((args.bundle / MANIFEST).read_text(encoding="utf-8"))["training"]
    heads = [known.heads[0], Head("smile", KINDS, 1.0)]
    write_bundle(
        both, to_tflite(both), args.out, name=known.name, heads=heads, spec=known.crop,
        metrics={**known.metrics, "smile": metrics}, training={**training, "smile": _HOW},
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""Re-estimate batch-norm statistics on other faces, without labels or training.

    python -m tools.restatistics DATA WORK MODEL.keras OUT --factor 1.1

The shipped network has its batch normalisation folded into its kernels. ``unfolded`` puts it back exactly: every folded
convolution is followed by a normalisation that undoes itself (gamma is the deviation, beta the mean of what comes in on
FER+'s training faces). Then means and variances are estimated on other faces, or mixed, and folded in again.
"""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from tools import faces, measure, votes

Statistics = dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]
"""Mean and variance, (C,) each, of the input of every normalisation, by the name of its convolution."""

_EPSILON = 1e-3
_BATCH = 512


def convolutions(model: Any) -> list[Any]:
    """Return the convolutions that were followed by a normalisation: all except the first."""
    return [layer for layer in model.layers if type(layer).__name__ == "Conv2D"][1:]


def estimate(model: Any, crops: npt.NDArray[np.uint8], old: Statistics | None = None) -> Statistics:
    """Return statistics over (N, S, S, 1) crops.

    Args:
        model: The folded network.
        crops: Its input.
        old: Statistics that are folded into its weights. If given, each batch is normalised by its own statistics in
            every layer, as in training; otherwise the network is run unchanged.
    """
    sums: dict[str, list[npt.NDArray[np.float64]]] = {layer.name: [] for layer in convolutions(model)}
    names = set(sums)
    pixels = crops
    for at in range(0, len(pixels) - _BATCH + 1, _BATCH):
        _walk(model, pixels[at : at + _BATCH].astype(np.float32), names, sums, old)
    found = {}
    for name, seen in sums.items():
        means, variances = np.mean([each[0] for each in seen], 0), np.mean([each[1] for each in seen], 0)
        found[name] = (_shared(means), _shared(variances))
    return found


def mixed(one: Statistics, other: Statistics, share: float) -> Statistics:
    """Return the statistics of a mixture of both distributions, in which ``other`` has the weight ``share``."""
    found = {}
    for name, (mean, variance) in one.items():
        far, spread = other[name]
        middle = (1 - share) * mean + share * far
        inside = (1 - share) * (variance + (mean - middle) ** 2) + share * (spread + (far - middle) ** 2)
        found[name] = (middle, inside)
    return found


def between(one: Statistics, other: Statistics, share: float) -> Statistics:
    """Return the linear interpolation between the statistics, ``share`` of the way from ``one`` to ``other``."""
    return {
        name: ((1 - share) * mean + share * other[name][0], (1 - share) * variance + share * other[name][1])
        for name, (mean, variance) in one.items()
    }


def refolded(weights: Mapping[str, list[npt.NDArray[np.float32]]], old: Statistics, new: Statistics) -> dict[str, Any]:
    """Return kernels and biases by name, with the statistics ``new`` folded in instead of ``old``."""
    found = {}
    for name, (mean, variance) in new.items():
        kernel, bias = weights[name]
        scale = np.sqrt((old[name][1] + _EPSILON) / (variance + _EPSILON))
        # y = x + bias, x being the kernel's; normalised anew: (x - mean) * scale + old mean + bias
        found[name] = [kernel * scale, bias + old[name][0] - mean * scale]
    return found


def _walk(model: Any, pixels: Any, names: set[str], sums: dict[str, Any], old: Statistics | None) -> None:
    import tensorflow as tf

    done: dict[int, Any] = {id(model.inputs[0]): tf.constant(pixels)}
    last = convolutions(model)[-1].name
    for layer in model.layers:
        if type(layer).__name__ == "InputLayer":
            continue
        node = layer._inbound_nodes[0]
        given = [done[id(each)] for each in node.input_tensors]
        if layer.name in names:
            x = tf.nn.conv2d(given[0], layer.kernel, layer.strides, "SAME")
            mean, variance = tf.nn.moments(x, (0, 1, 2))
            sums[layer.name].append((mean.numpy().astype(np.float64), variance.numpy().astype(np.float64)))
            if old is not None:
                before = old[layer.name]
                mean, variance = _shared(mean.numpy()), _shared(variance.numpy())
                scale = np.sqrt((before[1] + _EPSILON) / (variance + _EPSILON))
                x = x * tf.constant(scale, tf.float32) + tf.constant(before[0] - mean * scale, tf.float32)
            result = x + layer.bias
            if layer.name == last and old is None:
                return
        else:
            result = layer(given if len(given) > 1 else given[0])
        done[id(node.output_tensors[0])] = result
        if layer.name == last:
            return


def _shared(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return (C,) with both halves replaced by their mean, because mirroring the pictures swaps them."""
    half = values.reshape(2, -1).mean(0)
    return np.concatenate([half, half]).astype(np.float64)


def main() -> None:
    """Run the script with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "work", "model", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--factor", type=float, default=1.1)
    parser.add_argument("--many", type=int, default=4096, help="pictures to estimate on")
    parser.add_argument("--only", default="", help="variants whose name holds this")
    args = parser.parse_args()
    data, work, rng = args.data, args.work, np.random.default_rng(0)
    args.out.mkdir(parents=True, exist_ok=True)
    model = measure.emotion_network(args.model)
    weights = {layer.name: layer.get_weights() for layer in convolutions(model)}
    train = votes.parts(data, work)["train"].rows
    chosen = np.sort(rng.choice(train, args.many, replace=False))
    aligned = faces.crops(data, work, "ferplus", args.factor)[chosen]
    half = np.concatenate([votes.raw(data, work)[chosen[::2]], aligned[1::2]])
    order = rng.permutation(len(half))
    ours = estimate(model, half[order])
    smiled = faces.crops(data, work, "smiled", args.factor)
    smiled = smiled[np.sort(rng.choice(len(smiled), min(args.many, len(smiled)), replace=False))]
    as_is = estimate(model, smiled)
    batchwise, at_home = estimate(model, smiled, ours), estimate(model, half[order], ours)
    strangers = measure.found_faces(data, work, "strangers")
    own = estimate(model, np.asarray(faces.crops(data, work, "strangers", args.factor))[strangers][:512], ours)
    variants = {
        "as shipped": ours,
        "home, batchwise": at_home,
        **{f"smiled, in place, {s:g}": between(ours, as_is, s) for s in (0.25, 0.5)},
        **{f"smiled, batchwise, {s:g}": between(ours, batchwise, s) for s in (0.5, 1.0)},
        "smiled, pooled, 0.5": mixed(ours, batchwise, 0.5),
        "strangers themselves, 0.5": between(ours, own, 0.5),
    }
    variants = {name: each for name, each in variants.items() if args.only in name}
    for place, (name, statistics) in enumerate(variants.items()):
        for layer, values in refolded(weights, ours, statistics).items():
            model.get_layer(layer).set_weights(values)
        file = args.out / f"{place:02}-{name.replace(', ', '-').replace(' ', '-')}.keras"
        model.save(file)
        logits = measure.logits(data, work, file, args.factor)
        for rest in (0.0, 0.25, 0.5):
            found = measure.figures(data, work, logits, measure.offsets(0, 0, rest))
            print(f"{name:28} rest +{rest:.2f}: {measure.line(found)}", flush=True)


if __name__ == "__main__":
    main()

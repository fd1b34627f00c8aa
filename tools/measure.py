"""Figures for choosing between candidate models, in seconds: FER+'s valid split, strangers, London, smiles in photos.

    python -m tools.measure DATA WORK MODEL [--factor 1.1] [--rest 0.2] [--rare 0.5] [--happy 0]
        [--prior balanced] [--test]

``MODEL`` is a .keras or .tflite file. Offsets are added to the logits before the temperature, which is fitted on valid
(both framings) as ``livemood train`` does. The network's outputs are cached in ``WORK``, by file and framing.
``--test`` measures FER+'s test split too: once per shipped model.
"""

import argparse
import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from livemood.bundles.manifest import read_bundle
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.core.settings import PriorName
from livemood.evaluation import metrics
from tools import faces, votes

Logits = npt.NDArray[np.float32]
FIVE = ("neutral", "happy", "sad", "angry", "surprise")
_RARE = ("disgust", "fear", "contempt")
_SETS = ("strangers", "london", "smiles")
_WORDS = {"happiness": "happy", "sadness": "sad", "anger": "angry"}
_BATCH = 256


def reader(model: Path) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]:
    """Return a function from (N, 48, 48, 1) uint8 to (N, K) probabilities."""
    if model.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        network = Interpreter(model_path=str(model), num_threads=1)
        network.allocate_tensors()
        start = network.get_input_details()[0]["index"]
        end = next(out["index"] for out in network.get_output_details() if out["shape"][-1] == len(EMOTIONS))

        def run(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            found = []
            for each in crops:
                network.set_tensor(start, each[None].astype(np.float32))
                network.invoke()
                found.append(network.get_tensor(end)[0])
            return np.stack(found)

        return run
    network = emotion_network(model)

    def predict(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        batches = [crops[at : at + _BATCH].astype(np.float32) for at in range(0, len(crops), _BATCH)]
        return np.concatenate([np.asarray(network.predict_on_batch(batch)) for batch in batches])

    return predict


def emotion_network(file: Path) -> Any:
    """Return a .keras file's network with the output ``emotion`` alone, as a keras.Model."""
    import keras

    loaded: Any = keras.saving.load_model(file, compile=False)
    return keras.Model(loaded.inputs[0], loaded.output[EMOTION]) if isinstance(loaded.output, dict) else loaded


def inputs(data: Path, work: Path, factor: float, test: bool = False) -> dict[str, npt.NDArray[np.uint8]]:
    """Return the crops of every set in one framing, and FER+'s unaligned pictures."""
    found, split = {}, votes.parts(data, work)
    for name in ("valid", "test") if test else ("valid",):
        rows = split[name].rows
        found[f"{name} raw"] = np.asarray(votes.raw(data, work)[rows])
        found[f"{name} aligned"] = np.asarray(faces.crops(data, work, "ferplus", factor)[rows])
    return found | {name: faces.crops(data, work, name, factor) for name in _SETS}


def logits(data: Path, work: Path, model: Path, factor: float, test: bool = False) -> dict[str, Logits]:
    """Return log-probabilities by set; cached in ``work``."""
    digest = hashlib.sha1(model.read_bytes()).hexdigest()[:16]
    kept = work / f"logits.{digest}.x{factor:g}{'.test' if test else ''}.npz"
    if not kept.exists():
        read = reader(model)
        by_set = {name: np.log(np.maximum(read(each), 1e-9)) for name, each in inputs(data, work, factor, test).items()}
        np.savez(kept, allow_pickle=False, **by_set)
    with np.load(kept) as arrays:
        return {name: arrays[name] for name in arrays.files}


def figures(data: Path, work: Path, by_set: dict[str, Logits], added: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return every figure of a candidate with ``added`` (K,) on its logits."""
    by_set = {name: np.asarray(each + added, np.float32) for name, each in by_set.items()}
    split = votes.parts(data, work)
    both = np.concatenate([softmax(by_set["valid raw"]), softmax(by_set["valid aligned"])])
    temperature = metrics.fit_temperature(both, np.tile(split["valid"].split.top_vote, 2))
    calibrated = {name: softmax(each / temperature) for name, each in by_set.items()}
    found = {"temperature": temperature}
    for name in ("valid", "test"):
        for framing in ("raw", "aligned"):
            if f"{name} {framing}" in calibrated:
                found |= _ferplus(calibrated[f"{name} {framing}"], split[name].split, f"{name} {framing}")
    found |= strangers(data, calibrated["strangers"], found_faces(data, work, "strangers"))
    found |= _london(data, calibrated["london"], found_faces(data, work, "london"))
    return found | _smiles(data, calibrated["smiles"], found_faces(data, work, "smiles"))


def found_faces(data: Path, work: Path, name: str) -> npt.NDArray[np.bool_]:
    """Return (N,) whether a face was found."""
    return np.asarray(np.isfinite(faces.points(data, work, name)[1][:, 0, 0]))


def table(data: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a set's table, in the order of its crops."""
    with zipfile.ZipFile(data / f"{name}.zip") as archive:
        return list(csv.DictReader(io.StringIO(archive.read(faces.TABLES[name]).decode())))


def offsets(neutral: float, happy: float, rest: float, rare: float = 1.0) -> npt.NDArray[np.float64]:
    """Return the (K,) offsets of the logits: ``rest`` for the other classes, ``rare`` times ``rest`` for rare ones."""
    own = {"neutral": neutral, "happy": happy, **dict.fromkeys(_RARE, rare * rest)}
    return np.array([own.get(name, rest) for name in EMOTIONS])


def softmax(values: Logits) -> npt.NDArray[np.float32]:
    """Return (N, K) probabilities."""
    powers = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


def _ferplus(predictions: npt.NDArray[np.float32], split: Any, name: str) -> dict[str, float]:
    top = metrics.scores(predictions, split.top_vote, split.labels)
    majority = metrics.scores(predictions, split.majority, split.labels)
    versus = metrics.happy_versus_sad(predictions, split.top_vote, split.labels)
    return {
        f"{name} majority": majority.accuracy,
        f"{name} top vote": top.accuracy,
        f"{name} macro-F1": top.macro_f1,
        f"{name} ECE": top.ece,
        f"{name} nll": top.nll,
        f"{name} happy-sad": versus or 0.0,
        f"{name} neutral": top.recall["neutral"] or 0.0,
    }


def strangers(data: Path, predictions: npt.NDArray[np.float32], found_mask: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return accuracy on news photos: overall, averaged over five classes, and by class; no face counts as wrong."""
    truth = [_WORDS.get(row["emotion"], row["emotion"]) for row in table(data, "strangers")]
    right = (predictions.argmax(1) == [EMOTIONS.index(name) for name in truth]) & found_mask
    recall = {f"strangers {name}": float(right[np.array(truth) == name].mean()) for name in FIVE}
    return {"strangers": float(right.mean()), "strangers five": float(np.mean([*recall.values()])), **recall}


def _london(data: Path, predictions: npt.NDArray[np.float32], found_mask: npt.NDArray[np.bool_]) -> dict[str, float]:
    people = table(data, "london")
    smiling = np.array([row["kind"] == "smiling" for row in people])
    women = np.array([row["gender"] == "female" for row in people])
    wanted = np.where(smiling, EMOTIONS.index("happy"), EMOTIONS.index("neutral"))
    right = (predictions.argmax(1) == wanted) & found_mask
    return {
        "london neutral": float(right[~smiling].sum()),
        "london smiling": float(right[smiling].sum()),
        "london women": float(right[smiling & women].mean()),
        "london men": float(right[smiling & ~women].mean()),
    }


def _smiles(data: Path, predictions: npt.NDArray[np.float32], found_mask: npt.NDArray[np.bool_]) -> dict[str, float]:
    smiling = np.array([row["smile"] == "1" for row in table(data, "smiles")])
    happy = EMOTIONS.index("happy")
    right = ((predictions.argmax(1) == happy) == smiling) & found_mask
    area = metrics.auc(predictions[found_mask, happy].astype(np.float64), smiling[found_mask])
    return {"smiles": float(right.mean()), "smiles AUC": area}


SHORT = (
    *("valid raw majority", "valid aligned majority", "valid aligned top vote", "valid raw macro-F1"),
    *("valid raw happy-sad", "valid aligned neutral", "strangers", "strangers five"),
    *("london neutral", "london smiling", "london women", "london men", "smiles", "smiles AUC"),
)


def lead(values: Logits) -> npt.NDArray[np.float64]:
    """Return (N,) the lead of happy's logit over the highest other one."""
    happy = EMOTIONS.index("happy")
    return np.asarray(values[:, happy] - np.delete(values, happy, axis=1).max(1), np.float64)


def line(found: dict[str, float], names: tuple[str, ...] = SHORT) -> str:
    """Return some figures in one line, shares in percent."""
    return " ".join(
        f"{found[name]:.0f}" if name.startswith("london") and found[name] > 1 else f"{100 * found[name]:.2f}"
        for name in names
    )


def main() -> None:
    """Run the script with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "work", "model"):
        parser.add_argument(name, type=Path)
    for name in ("neutral", "happy", "rest"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--rare", type=float, default=1.0, help="part of --rest that rare classes get")
    parser.add_argument("--factor", type=float, default=1.0)
    parser.add_argument("--prior", choices=get_args(PriorName), default="training", help="as MODEL's bundle has it")
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    by_set = logits(args.data, args.work, args.model, args.factor, args.test)
    added = offsets(args.neutral, args.happy, args.rest, args.rare)
    if args.prior != "training":
        added = added + np.array(read_bundle(args.model.parent).offsets(args.prior))
    found = figures(args.data, args.work, by_set, added)
    for name, value in found.items():
        print(f"{name:28} {value:.4f}")


if __name__ == "__main__":
    main()

"""The figures by which a candidate is chosen, in seconds: valid of FER+, strangers, London, smiles in photos.

    python -m tools.measure DATA WORK MODEL [--factor 1.1] [--rest 0.2] [--rare 0.5] [--happy 0] [--test]

``MODEL`` is a .keras or .tflite file. Offsets are added to the logits before the temperature, which is fitted on valid
(both framings) as ``livemood train`` does. What the network says is kept in ``WORK``, by file and framing.
``--test`` reads FER+'s test split too: once per shipped model.
"""

import argparse
import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.core.labels import EMOTIONS
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
        start, end = network.get_input_details()[0]["index"], network.get_output_details()[0]["index"]

        def run(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            found = []
            for each in crops:
                network.set_tensor(start, each[None].astype(np.float32))
                network.invoke()
                found.append(network.get_tensor(end)[0])
            return np.stack(found)

        return run
    import keras

    loaded: Any = keras.saving.load_model(model, compile=False)

    def predict(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        said = [
            loaded.predict_on_batch(crops[at : at + _BATCH].astype(np.float32)) for at in range(0, len(crops), _BATCH)
        ]
        return np.concatenate([np.asarray(each["emotion"] if isinstance(each, dict) else each) for each in said])

    return predict


def inputs(data: Path, work: Path, factor: float, test: bool = False) -> dict[str, npt.NDArray[np.uint8]]:
    """Return the crops of every set in one framing; raw pictures of FER+ have no framing."""
    found, split = {}, votes.parts(data, work)
    for name in ("valid", "test") if test else ("valid",):
        rows = split[name].rows
        found[f"{name} raw"] = np.asarray(votes.raw(data, work)[rows])
        found[f"{name} aligned"] = np.asarray(faces.crops(data, work, "ferplus", factor)[rows])
    return found | {name: faces.crops(data, work, name, factor) for name in _SETS}


def logits(data: Path, work: Path, model: Path, factor: float, test: bool = False) -> dict[str, Logits]:
    """Return log-probabilities by set, kept between calls."""
    digest = hashlib.sha1(model.read_bytes()).hexdigest()[:16]
    kept = work / f"said.{digest}.x{factor:g}{'.test' if test else ''}.npz"
    if not kept.exists():
        read = reader(model)
        said = {name: np.log(np.maximum(read(each), 1e-9)) for name, each in inputs(data, work, factor, test).items()}
        np.savez(kept, allow_pickle=False, **said)
    with np.load(kept) as arrays:
        return {name: arrays[name] for name in arrays.files}


def figures(data: Path, work: Path, said: dict[str, Logits], added: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return every figure of a candidate with ``added`` (K,) on its logits."""
    said = {name: np.asarray(each + added, np.float32) for name, each in said.items()}
    split = votes.parts(data, work)
    both = np.concatenate([softmax(said["valid raw"]), softmax(said["valid aligned"])])
    temperature = metrics.fit_temperature(both, np.tile(split["valid"].split.top_vote, 2))
    sure = {name: softmax(each / temperature) for name, each in said.items()}
    found = {"temperature": temperature}
    for name in ("valid", "test"):
        for framing in ("raw", "aligned"):
            if f"{name} {framing}" in sure:
                found |= _ferplus(sure[f"{name} {framing}"], split[name].split, f"{name} {framing}")
    found |= strangers(data, sure["strangers"], found_faces(data, work, "strangers"))
    found |= _london(data, sure["london"], found_faces(data, work, "london"))
    return found | _smiles(data, sure["smiles"], found_faces(data, work, "smiles"))


def found_faces(data: Path, work: Path, name: str) -> npt.NDArray[np.bool_]:
    """Return (N,) whether a face was found."""
    return np.asarray(np.isfinite(faces.points(data, work, name)[1][:, 0, 0]))


def table(data: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a set's table, in the order of its crops."""
    with zipfile.ZipFile(data / f"{name}.zip") as archive:
        return list(csv.DictReader(io.StringIO(archive.read(faces.TABLES[name]).decode())))


def offsets(neutral: float, happy: float, rest: float, rare: float = 1.0) -> npt.NDArray[np.float64]:
    """Return (K,) what is added to the logits: ``rest`` to all others, that part of it to rare ones."""
    own = {"neutral": neutral, "happy": happy, **dict.fromkeys(_RARE, rare * rest)}
    return np.array([own.get(name, rest) for name in EMOTIONS])


def softmax(values: Logits) -> npt.NDArray[np.float32]:
    """Return (N, K) probabilities."""
    powers = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


def _ferplus(said: npt.NDArray[np.float32], split: Any, name: str) -> dict[str, float]:
    top = metrics.scores(said, split.top_vote, split.labels)
    majority = metrics.scores(said, split.majority, split.labels)
    versus = metrics.happy_versus_sad(said, split.top_vote, split.labels)
    return {
        f"{name} majority": majority.accuracy,
        f"{name} top vote": top.accuracy,
        f"{name} macro-F1": top.macro_f1,
        f"{name} ECE": top.ece,
        f"{name} nll": top.nll,
        f"{name} happy-sad": versus or 0.0,
        f"{name} neutral": top.recall["neutral"] or 0.0,
    }


def strangers(data: Path, said: npt.NDArray[np.float32], there: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return accuracy on news photos, over all, over five classes alike, and by class; no face is wrong."""
    truth = [_WORDS.get(row["emotion"], row["emotion"]) for row in table(data, "strangers")]
    right = (said.argmax(1) == [EMOTIONS.index(name) for name in truth]) & there
    recall = {f"strangers {name}": float(right[np.array(truth) == name].mean()) for name in FIVE}
    return {"strangers": float(right.mean()), "strangers five": float(np.mean([*recall.values()])), **recall}


def _london(data: Path, said: npt.NDArray[np.float32], there: npt.NDArray[np.bool_]) -> dict[str, float]:
    people = table(data, "london")
    smiling = np.array([row["kind"] == "smiling" for row in people])
    women = np.array([row["gender"] == "female" for row in people])
    wanted = np.where(smiling, EMOTIONS.index("happy"), EMOTIONS.index("neutral"))
    right = (said.argmax(1) == wanted) & there
    return {
        "london neutral": float(right[~smiling].sum()),
        "london smiling": float(right[smiling].sum()),
        "london women": float(right[smiling & women].mean()),
        "london men": float(right[smiling & ~women].mean()),
    }


def _smiles(data: Path, said: npt.NDArray[np.float32], there: npt.NDArray[np.bool_]) -> dict[str, float]:
    smiling = np.array([row["smile"] == "1" for row in table(data, "smiles")])
    happy = EMOTIONS.index("happy")
    right = ((said.argmax(1) == happy) == smiling) & there
    area = metrics.auc(said[there, happy].astype(np.float64), smiling[there])
    return {"smiles": float(right.mean()), "smiles AUC": area}


SHORT = (
    *("valid raw majority", "valid aligned majority", "valid aligned top vote", "valid raw macro-F1"),
    *("valid raw happy-sad", "valid aligned neutral", "strangers", "strangers five"),
    *("london neutral", "london smiling", "london women", "london men", "smiles", "smiles AUC"),
)


def lead(said: Logits) -> npt.NDArray[np.float64]:
    """Return (N,) how far happy's logit leads all others."""
    happy = EMOTIONS.index("happy")
    return np.asarray(said[:, happy] - np.delete(said, happy, axis=1).max(1), np.float64)


def line(found: dict[str, float], names: tuple[str, ...] = SHORT) -> str:
    """Return some figures in one line, shares in percent."""
    return " ".join(
        f"{found[name]:.0f}" if name.startswith("london") and found[name] > 1 else f"{100 * found[name]:.2f}"
        for name in names
    )


def main() -> None:
    """Do what the module says, as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "work", "model"):
        parser.add_argument(name, type=Path)
    for name in ("neutral", "happy", "rest"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--rare", type=float, default=1.0, help="part of --rest that rare classes get")
    parser.add_argument("--factor", type=float, default=1.0)
    parser.add_argument("--test", action="store_true")
    asked = parser.parse_args()
    said = logits(asked.data, asked.work, asked.model, asked.factor, asked.test)
    found = figures(asked.data, asked.work, said, offsets(asked.neutral, asked.happy, asked.rest, asked.rare))
    for name, value in found.items():
        print(f"{name:28} {value:.4f}")


if __name__ == "__main__":
    main()

"""Accuracy and speed of int8, for weights alone, for maps too, and with equalised channels, compared with float16.

    python -m tools.int8 DATA WORK MODEL.keras OUT_FOLDER [--factor 1.1] [--every 1] [--into BUNDLE]

Writes five LiteRT files with a batch size of 1, float32 in and out, and prints their agreement with float16 and the
time per face on one thread, measured alternately. Ranges of maps are calibrated on FER+'s train split.
"""

import argparse
import contextlib
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from livemood.bundles.manifest import MANIFEST, sha256_of
from tools import faces, measure, votes
from tools.equalise import equalise

_EXAMPLES = 600
_TIMED = 400


def converted(model: Any, how: str, examples: npt.NDArray[np.uint8]) -> bytes:
    """Return a LiteRT file that takes one face, float32 in and out.

    Args:
        model: Plain keras.Model.
        how: ``float16``; names that begin with ``weights`` for int8 weights with dynamic ranges of maps; anything else
            for int8 maps too.
        examples: (N, S, S, 1) uint8 on which the ranges of int8 maps are calibrated.
    """
    import keras
    import tensorflow as tf

    face = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="pixels")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(face, model(face)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if how == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif not how.startswith("weights"):
        converter.representative_dataset = lambda: ([each[None].astype(np.float32)] for each in examples)
    with contextlib.redirect_stdout(io.StringIO()):
        return bytes(converter.convert())


def runner(file: Path) -> Any:
    """Return a function from (1, S, S, 1) float32 to every output of a LiteRT file, in its order."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(model_path=str(file), num_threads=1)
    network.allocate_tensors()
    start, ends = network.get_input_details()[0]["index"], network.get_output_details()

    def run(face: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        network.set_tensor(start, face)
        network.invoke()
        return [network.get_tensor(end["index"])[0] for end in ends]

    return run


def timed(runs: dict[str, Any], face: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return the least time per face in ms by name, measured alternately; other load can only add to it."""
    least = dict.fromkeys(runs, np.inf)
    for _ in range(_TIMED):
        for name, run in runs.items():
            began = time.perf_counter()
            run(face)
            least[name] = min(least[name], time.perf_counter() - began)
    return {name: 1e3 * seconds for name, seconds in least.items()}


def _put(file: Path, bundle: Path) -> None:
    """Replace the LiteRT file of a bundle."""
    manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    manifest["sha256"]["model.tflite"] = sha256_of(file)
    (bundle / "model.tflite").write_bytes(file.read_bytes())
    (bundle / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Run the script with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "work", "model", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--factor", type=float, default=1.1)
    parser.add_argument("--every", type=int, default=1, help="take every nth picture")
    parser.add_argument("--into", type=Path, help="a bundle that gets the file with equalised int8 weights")
    args = parser.parse_args()
    import keras

    args.out.mkdir(parents=True, exist_ok=True)
    model = keras.saving.load_model(args.model, compile=False)
    rows = votes.parts(args.data, args.work)["train"].rows
    chosen = np.random.default_rng(8).choice(rows, _EXAMPLES, replace=False)
    raw, aligned = votes.raw(args.data, args.work), faces.crops(args.data, args.work, "ferplus", args.factor)
    examples = np.concatenate([raw[chosen[::2]], aligned[chosen[1::2]]])
    files = {
        how: args.out / f"{how}.tflite" for how in ("float16", "weights", "int8", "int8-equalised", "weights-equalised")
    }
    for how, file in files.items():
        if how == "int8-equalised":  # and for the one after it
            equalise(model, examples)
        file.write_bytes(converted(model, how, examples))
    if args.into:
        _put(files["weights-equalised"], args.into)
    runs = {how: runner(file) for how, file in files.items()}
    print({name: file.stat().st_size for name, file in files.items()})
    print("ms a face:", {name: round(ms, 3) for name, ms in timed(runs, examples[:1].astype(np.float32)).items()})
    for name, crops in measure.inputs(args.data, args.work, args.factor, test=True).items():
        if name.startswith("valid"):
            continue
        outputs = {
            how: [run(each[None].astype(np.float32)) for each in crops[:: args.every]] for how, run in runs.items()
        }
        for how in [how for how in files if how != "float16"]:
            for place in range(len(outputs[how][0])):
                exact, coarse = (np.stack([each[place] for each in outputs[which]]) for which in ("float16", how))
                same, gap = 100 * (exact.argmax(1) == coarse.argmax(1)).mean(), np.abs(exact - coarse)
                print(
                    f"{name}, {how} ({exact.shape[1]} classes): labels agree {same:.2f} %, within 0.03 "
                    f"{100 * (gap <= 0.03).mean():.2f} %, 99th {np.quantile(gap, 0.99):.4f}, most {gap.max():.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

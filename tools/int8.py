"""What int8 costs: the converter's own, beside float16, on every set.

    python -m tools.int8 DATA WORK MODEL.keras OUT_FOLDER [--factor 1.1] [--test]

Writes ``float16.tflite`` and ``int8.tflite`` for one face at a time (a fixed batch of 1), both float32 in and out, and
prints how far they agree, and the time of a face on one thread, measured in turns. The ranges of int8 are taken on
crops of FER+'s training split.
"""

import argparse
import contextlib
import io
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from tools import faces, measure, votes

_EXAMPLES = 600
_TIMED = 400


def converted(model: Any, examples: npt.NDArray[np.uint8] | None) -> bytes:
    """Return a LiteRT file that takes one face; int8 with ``examples`` (N, S, S, 1), else with float16 weights."""
    import tensorflow as tf

    taken = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="pixels")
    function = tf.function(lambda pixels: model(pixels, training=False)).get_concrete_function(taken)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if examples is None:
        converter.target_spec.supported_types = [tf.float16]
    else:
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
    """Return the time of a face in ms by name: the least of many, taken in turns, as other work only ever adds to it."""
    least = dict.fromkeys(runs, np.inf)
    for _ in range(_TIMED):
        for name, run in runs.items():
            began = time.perf_counter()
            run(face)
            least[name] = min(least[name], time.perf_counter() - began)
    return {name: 1e3 * seconds for name, seconds in least.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("data", "work", "model", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--factor", type=float, default=1.1)
    parser.add_argument("--test", action="store_true")
    asked = parser.parse_args()
    import keras

    asked.out.mkdir(parents=True, exist_ok=True)
    model = keras.saving.load_model(asked.model, compile=False)
    rows = votes.parts(asked.data, asked.work)["train"].rows
    chosen = np.random.default_rng(8).choice(rows, _EXAMPLES, replace=False)
    raw, aligned = votes.raw(asked.data, asked.work), faces.crops(asked.data, asked.work, "ferplus", asked.factor)
    examples = np.concatenate([raw[chosen[::2]], aligned[chosen[1::2]]])
    files = {"float16": asked.out / "float16.tflite", "int8": asked.out / "int8.tflite"}
    files["float16"].write_bytes(converted(model, None))
    files["int8"].write_bytes(converted(model, examples))
    runs = {name: runner(file) for name, file in files.items()}
    print({name: file.stat().st_size for name, file in files.items()})
    print("ms a face:", {name: round(ms, 3) for name, ms in timed(runs, examples[:1].astype(np.float32)).items()})
    for name, crops in measure.inputs(asked.data, asked.work, asked.factor, asked.test).items():
        said = {which: [run(each[None].astype(np.float32)) for each in crops] for which, run in runs.items()}
        for place in range(len(said["int8"][0])):
            exact, coarse = (np.stack([each[place] for each in said[which]]) for which in ("float16", "int8"))
            same, gap = (exact.argmax(1) == coarse.argmax(1)).mean(), np.abs(exact - coarse)
            print(
                f"{name} ({exact.shape[1]}): labels agree {100 * same:.2f} %, within 0.03 {100 * (gap <= 0.03).mean():.2f} %, "
                f"99th {np.quantile(gap, 0.99):.4f}, most {gap.max():.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

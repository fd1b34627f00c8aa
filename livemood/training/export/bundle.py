"""Write a bundle: .keras, .tflite, manifest. A bundle appears complete or not at all."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from livemood.bundles.manifest import FORMAT, MANIFEST, Head, sha256_of
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import SinkError
from livemood.evaluation.card import CARD, PICTURES
from livemood.runtime.atomic_io import link_target, note_written
from livemood.runtime.native_output import native_stderr_held

MAX_PARITY_GAP = 1e-3
"""Largest difference of a probability between two formats of one model."""


def write_bundle(
    model: Any,
    tflite: bytes,
    folder: Path,
    *,
    name: str,
    heads: Sequence[Head],
    spec: CropSpec,
    metrics: Mapping[str, Any],
    training: Mapping[str, Any],
) -> None:
    """Write a serving model as a bundle folder; an existing one, or the one that a link leads to, is replaced.

    Other files in its folder are kept, but for the model card, which describes the old model.

    Args:
        model: keras.Model, (N, S, S, C) raw 0..255 to (N, K) probabilities; of several heads, a dictionary of these.
        tflite: The same from ``to_tflite``.
        folder: The bundle.
        name: Of the bundle.
        heads: Its heads; labels in output order, temperatures as fitted on the validation split.
        spec: How faces are cropped.
        metrics: Figures for the manifest.
        training: How it was trained, for the manifest: command, seed, environment, history.

    Raises:
        SinkError: The folder cannot be written.
    """
    folder = link_target(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            new = Path(scratch) / folder.name
            new.mkdir()
            model.save(new / "model.keras")
            (new / "model.tflite").write_bytes(tflite)
            manifest = {
                "format": FORMAT,
                "name": name,
                "kind": "emotion",
                "heads": [_head(head) for head in heads],
                "crop": asdict(spec),
                "metrics": dict(metrics),
                "training": dict(training),
                "sha256": {file.name: sha256_of(file) for file in sorted(new.iterdir())},
            }
            (new / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            _replace(new, folder, Path(scratch) / "old")
    except OSError as error:
        raise SinkError(f"bundle {folder} cannot be written: {error.strerror or error}") from error


def _head(head: Head) -> dict[str, Any]:
    described = {"name": head.name, "labels": list(head.labels), "temperature": round(head.temperature, 4)}
    return {**described, "balanced": list(head.balanced)} if head.balanced else described


def to_tflite(model: Any) -> bytes:
    """Convert a Keras model to a LiteRT flatbuffer with float16 weights, which takes one face at a time.

    The batch size is fixed at 1, because runtimes in browsers refuse a dynamic one.

    Raises:
        SinkError: Keras has another backend, and TensorFlow does not work.
    """
    if not on_tensorflow():
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "model.tflite"
            in_tensorflow(
                model,
                file,
                "from pathlib import Path; from livemood.training.export.bundle import to_tflite; "
                "Path(out).write_bytes(to_tflite(model))",
            )
            return file.read_bytes()
    with native_stderr_held(), contextlib.redirect_stdout(io.StringIO()):
        import keras
        import tensorflow as tf

        face = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="pixels")
        converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(face, model(face)))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def on_tensorflow() -> bool:
    """Return whether Keras runs on TensorFlow, whose converters take models of that backend only."""
    import keras

    return bool(keras.backend.backend() == "tensorflow")


def in_tensorflow(model: Any, out: Path, convert: str) -> None:
    """Convert a model of another Keras backend in a process whose Keras runs on TensorFlow.

    Args:
        model: keras.Model; it gets there through a ``.keras`` file.
        out: What is written.
        convert: Python that writes ``model`` to the path ``out``, a str.

    Raises:
        SinkError: TensorFlow is not there, or the conversion failed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "model.keras"
        model.save(source)
        load = "import sys, keras; _, file, out = sys.argv; model = keras.saving.load_model(file, compile=False)"
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
        command = [sys.executable, "-c", f"{load}; {convert}", str(source), str(out)]
        done = subprocess.run(command, capture_output=True, env=environment)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SinkError(f"the conversion needs a working tensorflow beside other Keras backends ({last})")


def _replace(new: Path, folder: Path, old: Path) -> None:
    """Replace the old bundle by the new one; see ``write_bundle``."""
    if folder.exists():
        for other in folder.iterdir():
            if other.name not in (CARD, PICTURES) and not (new / other.name).exists():
                shutil.copy2(other, new / other.name) if other.is_file() else shutil.copytree(other, new / other.name)
        folder.rename(old)
    new.rename(folder)
    note_written(folder)


def parity(model: Any, tflite: bytes, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> float:
    """Return the largest difference between Keras and LiteRT probabilities over (N, S, S, C) uint8 crops."""
    from ai_edge_litert.interpreter import Interpreter

    with native_stderr_held():
        network: Any = Interpreter(model_content=tflite, num_threads=1)
        network.allocate_tensors()
    ((signature, names),) = network.get_signature_list().items()
    run, (taken,) = network.get_signature_runner(signature), names["inputs"]
    wanted = by_head(model.predict_on_batch(pixels.astype(np.float32)), names["outputs"])
    largest = 0.0
    for place, face in enumerate(pixels):
        found = run(**{taken: face[None].astype(np.float32)})
        gaps = (np.abs(found[name][0] - values[place]).max() for name, values in wanted.items())
        largest = max(largest, *map(float, gaps))
    return largest


def by_head(outputs: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return a Keras model's outputs by name; a single output gets the first of ``names``."""
    found = outputs if isinstance(outputs, dict) else {names[0]: outputs}
    return {name: np.asarray(values, np.float32) for name, values in found.items()}

"""Export of a model to LiteRT, ONNX or SavedModel. A result whose outputs differ from the original's is not kept."""

import contextlib
import io
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemood.bundles.keras_model import load_keras
from livemood.bundles.manifest import Bundle
from livemood.core.errors import ModelIncompatible, SinkError
from livemood.core.settings import ExportFormat
from livemood.runtime.atomic_io import note_written, refuse_to_overwrite
from livemood.runtime.native_output import native_stderr_held
from livemood.runtime.optional_deps import required
from livemood.training.export.bundle import MAX_PARITY_GAP, by_head, parity, to_tflite
from livemood.training.export.labels import add_labels

_PROBES = 16
_SAVED_MODEL = "saved_model.pb"


def write(bundle: Bundle, to: ExportFormat, out: Path, force: bool) -> float:
    """Convert and check a bundle's model.

    Args:
        bundle: With a Keras model.
        to: Format.
        out: File, or folder for ``saved-model``.
        force: Replace what is there: a file, for ``saved-model`` only a folder that holds one.

    Returns:
        The largest difference of a probability on random crops.

    Raises:
        LivemoodError: A library for the format is missing.
        ModelIncompatible: The outputs of the result differ from the Keras model's.
        SinkError: ``out`` is there already and may not be replaced, or cannot be written.
    """
    _refuse_to_overwrite(out, to, force)
    network = load_keras(bundle)
    probes = np.random.default_rng(0).integers(0, 256, (_PROBES, *bundle.crop.shape), np.uint8)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
            new = Path(scratch) / out.name
            gap = _WRITERS[to](network, new, probes)
            if not gap < MAX_PARITY_GAP:
                raise ModelIncompatible(f"the {to} model differs from {bundle.keras} by {gap:.1e}; it is not kept")
            add_labels(new, to, bundle.heads)
            if out.is_dir():
                shutil.rmtree(out)
            new.replace(out)
            note_written(out)
    except OSError as error:
        if isinstance(error, SinkError):
            raise
        raise SinkError(f"{out} cannot be written: {error.strerror or error}") from error
    return gap


def _refuse_to_overwrite(out: Path, to: ExportFormat, force: bool) -> None:
    """Raise if ``out`` may not be replaced; a folder that is not a SavedModel never is."""
    if to != "saved-model":
        refuse_to_overwrite(out, "out", force)
    elif out.exists() and not force:
        raise SinkError(f"{out} is there already", "use {force} or another {out}")
    elif out.exists() and not (out / _SAVED_MODEL).is_file():
        raise SinkError(f"{out} is not a SavedModel that could be replaced", "give another {out}")


def _tflite(network: Any, file: Path, probes: npt.NDArray[np.uint8]) -> float:
    data = to_tflite(network)
    file.write_bytes(data)
    return parity(network, data, probes)


def _onnx(network: Any, file: Path, probes: npt.NDArray[np.uint8]) -> float:
    with native_stderr_held():
        onnxruntime = [required(name, "'livemood[onnx]'") for name in ("onnx", "tf2onnx", "onnxruntime")][-1]
        network(probes[:1].astype(np.float32))  # Keras exports a model to ONNX only after it was called once
        _quietly(lambda: network.export(str(file), format="onnx", verbose=False))
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: probes.astype(np.float32)})
    names = [output.name for output in session.get_outputs()]
    return _gap(network, probes, dict(zip(names, found, strict=True)))


def _saved_model(network: Any, folder: Path, probes: npt.NDArray[np.uint8]) -> float:
    with native_stderr_held():
        tf = required("tensorflow", "tensorflow")
        _quietly(lambda: network.export(str(folder), format="tf_saved_model", verbose=False))
        loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures["serving_default"]
    name = next(iter(serve.structured_input_signature[1]))
    return _gap(network, probes, serve(**{name: tf.constant(probes, tf.float32)}))


def _gap(network: Any, probes: npt.NDArray[np.uint8], found: Mapping[str, Any]) -> float:
    """Return the largest difference of a probability from the Keras model; several outputs are matched by name."""
    wanted = by_head(network.predict_on_batch(probes.astype(np.float32)), list(found))
    pairs = ((values, found.get(name, next(iter(found.values())))) for name, values in wanted.items())
    return max(float(np.abs(np.asarray(other) - values).max()) for values, other in pairs)


def _quietly(work: Callable[[], object]) -> None:
    """Call ``work`` with stdout redirected, on which Keras's exporters print tables of endpoints."""
    with contextlib.redirect_stdout(io.StringIO()):
        work()


_WRITERS: dict[ExportFormat, Callable[[Any, Path, npt.NDArray[np.uint8]], float]] = {
    "tflite": _tflite,
    "onnx": _onnx,
    "saved-model": _saved_model,
}

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
from livemood.bundles.manifest import MANIFEST, Bundle
from livemood.core.errors import ModelIncompatible, SinkError
from livemood.core.settings import ExportFormat
from livemood.runtime.atomic_io import link_target, note_written, refuse_other_suffix, refuse_to_overwrite
from livemood.runtime.native_output import native_stderr_held
from livemood.runtime.optional_deps import required
from livemood.runtime.paths import real_path
from livemood.training.export.bundle import MAX_PARITY_GAP, by_head, in_tensorflow, on_tensorflow, parity, to_tflite
from livemood.training.export.labels import add_labels

_PROBES = 16
_SAVED_MODEL = "saved_model.pb"
# All that TensorFlow and ``add_labels`` write into its folder.
_SAVED_MODEL_PARTS = {_SAVED_MODEL, "fingerprint.pb", "keras_metadata.pb", "variables", "assets", "assets.extra"}


def write(bundle: Bundle, to: ExportFormat, out: Path, force: bool) -> float:
    """Convert and check a bundle's model.

    Args:
        bundle: With a Keras model.
        to: Format.
        out: File, or folder for ``saved-model``.
        force: Replace what is there: a file, for ``saved-model`` only a folder that holds one and nothing else.

    Returns:
        The largest difference of a probability on random crops.

    Raises:
        LivemoodError: A library for the format is missing.
        ModelIncompatible: The outputs of the result differ from the Keras model's.
        SinkError: ``out`` has another suffix than its format's, is there already and may not be replaced, belongs to
            a bundle, or cannot be written; or Keras has another backend than TensorFlow, which does not work.
    """
    _refuse_to_overwrite(out, to, force, bundle)
    out = link_target(out)
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
    except SinkError:
        raise
    except OSError as error:
        raise SinkError(f"{out} cannot be written: {error.strerror or error}") from error
    return gap


def _refuse_to_overwrite(out: Path, to: ExportFormat, force: bool, bundle: Bundle) -> None:
    """Raise if ``out`` may not be replaced; files of a bundle, devices and folders of other things never are."""
    target = link_target(out)
    if (target.parent / MANIFEST).exists() and target.name in (MANIFEST, bundle.keras.name, bundle.tflite.name):
        raise SinkError(f"{target} is a file of the bundle {target.parent}", "choose another {out}")
    if real_path(out) in (real_path(bundle.folder), *real_path(bundle.folder).parents):
        raise SinkError(f"{out} contains the bundle that is exported", "choose another {out}")
    if out.exists() and not (out.is_file() or out.is_dir()):
        raise SinkError(f"{out} is a device or a pipe", "give {out} a file")
    if to != "saved-model":
        refuse_other_suffix(out, "out", f".{to}")
        refuse_to_overwrite(out, "out", force)
    elif out.exists() and not force:
        raise SinkError(f"{out} is there already", "use {force} or another {out}")
    elif out.exists() and not (out / _SAVED_MODEL).is_file():
        raise SinkError(f"{out} is not a SavedModel that could be replaced", "give another {out}")
    elif out.exists() and (others := sorted({path.name for path in out.iterdir()} - _SAVED_MODEL_PARTS)):
        raise SinkError(f"{out} contains a SavedModel and other things: {others[0]}", "give another {out}")


def _tflite(network: Any, file: Path, probes: npt.NDArray[np.uint8]) -> float:
    data = to_tflite(network)
    file.write_bytes(data)
    return parity(network, data, probes)


def _onnx(network: Any, file: Path, probes: npt.NDArray[np.uint8]) -> float:
    with native_stderr_held():
        onnxruntime = [required(name, "'livemood[onnx]'") for name in ("onnx", "tf2onnx", "onnxruntime")][-1]
        _export(network, file, "onnx")
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: probes.astype(np.float32)})
    names = [output.name for output in session.get_outputs()]
    return _gap(network, probes, dict(zip(names, found, strict=True)))


def _saved_model(network: Any, folder: Path, probes: npt.NDArray[np.uint8]) -> float:
    with native_stderr_held():
        tf = required("tensorflow", "tensorflow")
        try:
            _export(network, folder, "tf_saved_model")
            loaded = tf.saved_model.load(str(folder))
        except tf.errors.OpError as error:  # TensorFlow's error for a full disk, "...; No space left on device [Op:..."
            raise OSError(error.message.rpartition("; ")[2].partition(" [Op:")[0]) from error
    serve = loaded.signatures["serving_default"]
    name = next(iter(serve.structured_input_signature[1]))
    return _gap(network, probes, serve(**{name: tf.constant(probes, tf.float32)}))


def _gap(network: Any, probes: npt.NDArray[np.uint8], found: Mapping[str, Any]) -> float:
    """Return the largest difference of a probability from the Keras model; several outputs are matched by name."""
    wanted = by_head(network.predict_on_batch(probes.astype(np.float32)), list(found))
    pairs = ((values, found.get(name, next(iter(found.values())))) for name, values in wanted.items())
    return max(float(np.abs(np.asarray(other) - values).max()) for values, other in pairs)


def _export(network: Any, out: Path, kind: str) -> None:
    """Write a model with one of Keras's exporters, which print tables of endpoints on stdout."""
    if not on_tensorflow():
        # Keras exports a model to ONNX only after it was called once.
        call = "model(keras.ops.zeros((1, *model.input_shape[1:])))"
        in_tensorflow(network, out, f"{call}; model.export(out, format={kind!r}, verbose=False)")
        return
    network(np.zeros((1, *network.input_shape[1:]), np.float32))
    with contextlib.redirect_stdout(io.StringIO()):
        network.export(str(out), format=kind, verbose=False)


_WRITERS: dict[ExportFormat, Callable[[Any, Path, npt.NDArray[np.uint8]], float]] = {
    "tflite": _tflite,
    "onnx": _onnx,
    "saved-model": _saved_model,
}

"""Names of classes inside an exported model, so that a file says by itself what its outputs mean."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from livemood.bundles.manifest import Head
from livemood.core.labels import EMOTION
from livemood.runtime.optional_deps import required

_EXTRA = "assets.extra"


def add_labels(file: Path, to: str, heads: Sequence[Head]) -> None:
    """Put ``labels.txt``, one class a line in the order of the output, into an exported model.

    A LiteRT file gets it as LiteRT's metadata keep such files: in a zip behind the network, which ``unzip`` opens. An
    ONNX model has it under its metadata, a SavedModel in ``assets.extra``. Further heads have ``HEAD_labels.txt``.

    Args:
        file: The model, or the folder of a SavedModel.
        to: Its format.
        heads: What it answers.

    Raises:
        LivemoodError: onnx is not installed.
        OSError: The file cannot be written.
    """
    names = {
        "labels.txt" if head.name == EMOTION else f"{head.name}_labels.txt": "".join(f"{x}\n" for x in head.labels)
        for head in heads
    }
    _WAYS[to](file, names)


def _behind_network(file: Path, names: Mapping[str, str]) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in names.items():
            # A fixed date: the same model makes the same file.
            archive.writestr(zipfile.ZipInfo(name), text)


def _in_properties(file: Path, names: Mapping[str, str]) -> None:
    onnx = required("onnx", "'livemood[onnx]'")
    model = onnx.load(str(file))
    onnx.helper.set_model_props(model, dict(names))
    onnx.save(model, str(file))


def _in_assets(folder: Path, names: Mapping[str, str]) -> None:
    (folder / _EXTRA).mkdir(exist_ok=True)
    for name, text in names.items():
        (folder / _EXTRA / name).write_text(text, encoding="utf-8")


_WAYS: dict[str, Callable[[Path, Mapping[str, str]], None]] = {
    "tflite": _behind_network,
    "onnx": _in_properties,
    "saved-model": _in_assets,
}

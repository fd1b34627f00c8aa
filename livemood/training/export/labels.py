"""Class names inside an exported model."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from livemood.bundles.manifest import Head
from livemood.core.labels import EMOTION
from livemood.runtime.optional_deps import required

_EXTRA = "assets.extra"


def add_labels(file: Path, to: str, heads: Sequence[Head]) -> None:
    """Add ``labels.txt`` to an exported model: one class per line, in the order of the output.

    In a LiteRT file it is in a zip appended to the network, as LiteRT's metadata store such files; ``unzip`` opens it.
    In an ONNX model it is in the metadata, in a SavedModel in ``assets.extra``. Further heads have ``HEAD_labels.txt``.

    Args:
        file: The model, or the folder of a SavedModel.
        to: Its format.
        heads: Its heads.

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
            # A fixed date, so that the same model gives the same file.
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

"""What an export or a new bundle replaces, and what it never does."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from livemood.bundles.manifest import MANIFEST, Bundle, Head, default_bundle, read_bundle
from livemood.core.crop_spec import CROP
from livemood.core.errors import SinkError
from livemood.core.settings import ExportFormat
from livemood.training.export import formats
from livemood.training.export.bundle import write_bundle
from livemood.training.export.formats import write


class Network:
    """Stands for a keras.Model: it writes its file."""

    def __init__(self, content: str) -> None:
        self._content = content

    def save(self, file: Path) -> None:
        file.write_text(self._content)


def bundle_at(folder: Path, content: str = "old") -> Bundle:
    """Write a bundle of a network that cannot be run."""
    heads = [Head("emotion", ("happy", "sad"))]
    network: Any = Network(content)
    write_bundle(network, content.encode(), folder, name=folder.name, heads=heads, spec=CROP, metrics={}, training={})
    return read_bundle(folder)


def test_bundle_when_replaced_then_the_card_of_the_old_model_goes_and_other_files_stay(tmp_path: Path) -> None:
    folder = bundle_at(tmp_path / "mine").folder
    (folder / "MODEL_CARD.md").write_text("of the old one")
    (folder / "card").mkdir()
    (folder / "card" / "learning.png").write_text("old")
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("precious")
    bundle_at(folder, "new")
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, "model.keras", "model.tflite", "notes"]
    assert (folder / "notes" / "mine.txt").read_text() == "precious"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_bundle_when_a_link_leads_to_it_then_it_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    real = bundle_at(tmp_path / "models" / "mine").folder
    (tmp_path / "link").symlink_to(real)
    bundle_at(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (real / "model.keras").read_text() == "new"
    assert [path.name for path in tmp_path.glob("models/*")] == ["mine"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("whose", ["mine", "other"])
@pytest.mark.parametrize("file", ["model.tflite", "model.keras", MANIFEST])
def test_export_when_onto_a_file_of_a_bundle_then_refused_and_it_stays(
    tmp_path: Path, file: str, whose: str, force: bool
) -> None:
    bundle, _ = bundle_at(tmp_path / "mine"), bundle_at(tmp_path / "other")
    before = (tmp_path / whose / file).read_bytes()
    with pytest.raises(SinkError, match=rf"{file} is a file of the bundle .*{whose}; choose another out"):
        write(bundle, "tflite", tmp_path / whose / file, force)
    assert (tmp_path / whose / file).read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("to", ["tflite", "onnx", "saved-model"])
def test_export_when_out_is_no_regular_file_then_refused_and_it_stays(
    tmp_path: Path, to: ExportFormat, force: bool
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SinkError, match="pipe is a device or a pipe; give out a file"):
        write(bundle_at(tmp_path / "mine"), to, tmp_path / "pipe", force)
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("to", ["tflite", "onnx"])
def test_export_when_onto_a_file_of_another_kind_then_refused_and_it_stays(tmp_path: Path, to: ExportFormat) -> None:
    (tmp_path / "faces.zip").write_text("mine")
    with pytest.raises(SinkError, match=rf"faces\.zip does not end in \.{to}; give out a name that does"):
        write(bundle_at(tmp_path / "mine"), to, tmp_path / "faces.zip", force=True)
    assert (tmp_path / "faces.zip").read_text() == "mine"


def test_export_when_the_saved_model_holds_the_bundle_then_refused_and_it_stays(tmp_path: Path) -> None:
    bundle = bundle_at(tmp_path / "saved" / "mine")
    (tmp_path / "saved" / "saved_model.pb").write_text("old")
    with pytest.raises(SinkError, match="saved contains the bundle that is exported; choose another out"):
        write(bundle, "saved-model", tmp_path / "saved", force=True)
    assert read_bundle(bundle.folder)


def test_export_when_the_saved_model_lies_among_other_things_then_refused_and_they_stay(tmp_path: Path) -> None:
    other = bundle_at(tmp_path / "saved" / "other").folder
    (tmp_path / "saved" / "saved_model.pb").write_text("old")
    with pytest.raises(SinkError, match="saved contains a SavedModel and other things: other; give another out"):
        write(bundle_at(tmp_path / "mine"), "saved-model", tmp_path / "saved", force=True)
    assert read_bundle(other)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("to", ["tflite", "saved-model"])
def test_export_when_out_is_a_link_then_what_it_leads_to_is_replaced(
    tmp_path: Path, to: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert(_: Any, file: Path, __: Any) -> float:
        if to == "tflite":
            file.write_text("new")
        else:
            file.mkdir()
            (file / "saved_model.pb").write_text("new")
        return 0.0

    monkeypatch.setattr(formats, "load_keras", lambda _: None)
    monkeypatch.setitem(formats._WRITERS, to, convert)
    real = tmp_path / "there" / "real"
    real.parent.mkdir()
    convert(None, real, None)
    link = tmp_path / f"link.{to}"
    link.symlink_to(real)
    file = real if to == "tflite" else real / "saved_model.pb"
    file.write_text("old")
    write(bundle_at(tmp_path / "mine"), to, link, force=True)
    assert link.is_symlink()
    assert file.read_bytes().startswith(b"new")


def test_export_when_tensorflow_finds_the_disk_full_then_one_line_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    def fails(*_: object) -> None:
        said = "{{function_node SaveV2}} .m-x/m/variables/part.tempstate1; No space left on device [Op:SaveV2]"
        raise tf.errors.ResourceExhaustedError(None, None, said)

    monkeypatch.setattr(formats, "load_keras", lambda bundle: None)
    monkeypatch.setattr(formats, "_export", fails)
    with pytest.raises(SinkError, match=r"m cannot be written: No space left on device$"):
        write(read_bundle(default_bundle()), "saved-model", tmp_path / "m", force=False)
    assert not [*tmp_path.iterdir()]

import json
import re
import shutil
from pathlib import Path

import pytest

from livemood.bundles import manifest as bundle
from livemood.bundles.manifest import default_bundle, models_folder, named_bundle, read_bundle
from livemood.bundles.shipped import face_model
from livemood.core.crop_spec import CROP
from livemood.core.errors import ModelIncompatible, ModelMissing
from livemood.core.labels import EMOTIONS


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped bundle, which a test may corrupt."""
    return Path(shutil.copytree(default_bundle(), tmp_path / "bundle"))


def spoil(folder: Path, **changes: object) -> None:
    """Change fields of a manifest; ``labels``, ``temperature`` and ``balanced`` are those of its first head."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    for name, value in changes.items():
        of_head = name in ("labels", "temperature", "balanced")
        (manifest["heads"][0] if of_head else manifest)[name] = value
    file.write_text(json.dumps(manifest))


def test_shipped_bundle_then_eight_emotions_and_the_crop_of_the_settings():
    found = read_bundle(default_bundle())
    assert found.labels == EMOTIONS
    assert found.crop == CROP
    assert 0.2 < found.temperature < 5


def test_shipped_bundle_then_both_files_match_their_checksums():
    found = read_bundle(default_bundle())
    assert found.checked(found.keras).stat().st_size > 100_000
    assert found.checked(found.tflite).stat().st_size <= 3_000_000


@pytest.mark.parametrize("which", ["near", "far"])
def test_shipped_face_models_then_match_their_checksums(which):
    assert face_model(which).read_bytes()[4:8] == b"TFL3"


def test_bundle_when_not_there_then_missing_names_the_folder(tmp_path):
    with pytest.raises(ModelMissing, match=r"no model bundle at .*nowhere"):
        read_bundle(tmp_path / "nowhere")


def test_bundle_when_it_is_a_file_then_says_so(copy):
    with pytest.raises(ModelMissing, match=r"model\.keras is a file; give the folder of the model bundle"):
        read_bundle(copy / "model.keras")


def test_bundle_when_it_is_one_of_other_networks_then_says_what_is_missing():
    with pytest.raises(ModelIncompatible, match="is no manifest of an emotion model: it has no 'name'"):
        read_bundle(models_folder() / "face")


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_bundle_when_no_folder_can_have_its_name_then_missing(name):
    with pytest.raises(ModelMissing, match=re.escape(f"no model bundle can be at {name!r}")):
        named_bundle(name)


def test_bundle_when_weights_are_not_there_then_missing(copy):
    (copy / "model.tflite").unlink()
    found = read_bundle(copy)
    with pytest.raises(ModelMissing, match=r"model\.tflite is not there"):
        found.checked(found.tflite)


def test_bundle_when_weights_are_altered_then_incompatible(copy):
    with (copy / "model.tflite").open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"\x00\x01\x02\x03")
    found = read_bundle(copy)
    with pytest.raises(ModelIncompatible, match="altered or damaged"):
        found.checked(found.tflite)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\xff"])
def test_bundle_when_manifest_is_no_json_object_then_incompatible(copy, text):
    (copy / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelIncompatible, match=r"manifest\.json"):
        read_bundle(copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 99},
        {"labels": ["happy"]},
        {"labels": ["happy", "happy"]},
        {"labels": ["happy", "unsure"]},
        {"labels": ["happy", "no-face"]},
        {"labels": ["happy", "sad."]},
        {"labels": ["happy", "CON"]},
        {"labels": ["happy", "nul.x"]},
        {"labels": ["happy", "Com1"]},
        {"temperature": 0},
        {"temperature": "warm"},
        {"name": "two\nlines"},
        {"name": "x" * 81},
        {"name": 1},
        {"crop": {"size_px": 3, "colour": "grey", "template": [[0, 0]] * 4}},
        {"crop": {}},
        {"sha256": None},
    ],
)
def test_bundle_when_manifest_makes_no_sense_then_incompatible(copy, changes):
    spoil(copy, **changes)
    with pytest.raises(ModelIncompatible, match="bundle"):
        read_bundle(copy)


def test_errors_of_models_then_also_the_standard_ones():
    assert issubclass(ModelMissing, FileNotFoundError)
    assert issubclass(ModelIncompatible, ValueError)


def test_sha256_of_a_file_then_the_known_digest(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert bundle.sha256_of(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_prior_of_the_shipped_bundle_then_balanced_raises_all_classes_but_the_most_common():
    found = read_bundle(default_bundle())
    assert found.offsets("training") == (0,) * 8
    raised = dict(zip(found.labels, found.offsets("balanced"), strict=True))
    assert raised.pop("neutral") == 0
    assert min(raised.values()) == raised["happy"] > 0
    assert max(raised.values()) == raised["angry"] < 1


def test_prior_when_the_bundle_has_no_balanced_one_then_says_so(copy):
    spoil(copy, balanced=[])
    assert read_bundle(copy).offsets("training") == (0,) * 8
    with pytest.raises(ModelIncompatible, match=r"bundle .* has no prior balanced, only training"):
        read_bundle(copy).offsets("balanced")


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([0.5], "balanced is a list of a number per label"),
        ("00000000", "balanced is a list of a number per label"),
        ([float("nan")] * 8, r"numbers of balanced are in -10\.\.10"),
        ([0] * 7 + [1e9], r"numbers of balanced are in -10\.\.10"),
        (["a"] * 8, "could not convert"),
        ([None] * 8, "is not a livemood manifest"),
    ],
)
def test_prior_when_its_numbers_make_no_sense_then_incompatible(copy, numbers, message):
    spoil(copy, balanced=numbers)
    with pytest.raises(ModelIncompatible, match=message):
        read_bundle(copy)

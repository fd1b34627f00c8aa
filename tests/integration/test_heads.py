"""A model with two heads, from drawn faces through every command, and bundles whose heads do not fit."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.core.errors import ModelIncompatible
from livemood.emotion.classifier import EmotionClassifier
from livemood.records import read, to_pandas
from tests.support import commands
from tests.support.builders import SAMPLES
from tests.support.heads import two_heads

CLIP = SAMPLES / "faces.mp4"


def livemood(*words: object, folder: Path) -> str:
    """Run a command, and return what it printed."""
    done = commands.livemood(*words, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny bundle ``mine`` that knows two emotions and two kinds of smile."""
    return two_heads(tmp_path_factory)


def test_train_then_the_bundle_names_both_heads(trained: Path) -> None:
    heads = {head.name: head.labels for head in read_bundle(trained / "mine").heads}
    assert heads == {"emotion": ("happy", "sad"), "smile": ("closed", "open")}


def test_engines_then_both_answer_for_both_heads(trained: Path) -> None:
    pixels = read_pixels(trained)
    litert, keras = (EmotionClassifier(trained / "mine", engine) for engine in ("litert", "keras"))
    for head in ("emotion", "smile"):
        found, wanted = litert.probabilities(pixels, head), keras.probabilities(pixels, head)
        assert found.shape == (len(pixels), 2)
        assert abs(found - wanted).max() < 1e-3


def read_pixels(trained: Path) -> Any:
    from livemood.datasets.dataset import restore

    return restore(trained / "mine.work").splits["train"].crops(0)


def test_evaluate_then_the_figures_of_the_emotions_are_there(trained: Path) -> None:
    printed = livemood("evaluate", "mine", "faces", "--split", "all", "--json", folder=trained)
    assert json.loads(printed)["labels"] == ["happy", "sad"]


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_export_then_the_file_has_both_outputs(trained: Path, tmp_path: Path, kind: str) -> None:
    import onnxruntime

    out = tmp_path / f"mine.{kind}"
    livemood("export", "mine", "--to", kind, "--out", out, folder=trained)
    if kind == "onnx":
        assert len(onnxruntime.InferenceSession(str(out)).get_outputs()) == 2
    else:
        # A bundle with the exported file is read as before: its signature names both heads.
        other = Path(shutil.copytree(trained / "mine", tmp_path / "other"))
        shutil.copy(out, other / "model.tflite")
        manifest = json.loads((other / "manifest.json").read_text())
        from livemood.bundles.manifest import sha256_of

        manifest["sha256"]["model.tflite"] = sha256_of(other / "model.tflite")
        (other / "manifest.json").write_text(json.dumps(manifest))
        assert EmotionClassifier(other).probabilities(read_pixels(trained)[:1], "smile").shape == (1, 2)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_video_records_then_the_second_head_stands_beside_the_emotion(
    trained: Path, tmp_path: Path, ending: str
) -> None:
    records = tmp_path / f"moods.{ending}"
    words = ("--model", "mine", "--duration", "0.2", "--out", tmp_path / "o.mp4", "--records", records)
    livemood("video", CLIP, *words, folder=trained)
    faces = [record for record in read(records) if record.track is not None]
    assert faces
    assert all(set(record.others["smile"].scores) == {"closed", "open"} for record in faces)
    assert all(sum(record.others["smile"].scores.values()) == pytest.approx(1, abs=1e-4) for record in faces)
    assert set(to_pandas(records).columns) >= {"label", "score_happy", "smile", "smile_score_open"}
    if ending == "jsonl":
        line = json.loads(records.read_text().splitlines()[1])
        assert set(line["smile"]) == {"label", "scores"}


def test_image_json_then_the_second_head_stands_beside_the_scores(trained: Path) -> None:
    printed = livemood("image", SAMPLES / "faces.png", "--model", "mine", "--json", folder=trained)
    face = json.loads(printed)["images"][0]["faces"][0]
    assert set(face["scores"]) == {"happy", "sad"}
    assert set(face["smile"]["scores"]) == {"closed", "open"}


SMILE = {"name": "smile", "labels": ["closed", "open"], "temperature": 1.0}
EMOTION = {"name": "emotion", "labels": ["happy", "sad"], "temperature": 1.0}
FIELDS = (
    *("label", "scores", "box_left", "event_name", "v", "path", "livemood"),
    *("score", "score_happy", "raw", "raw_happy", "smile_score", "smile_score_open"),
)


@pytest.mark.parametrize(
    ("heads", "why"),
    [
        ([EMOTION, SMILE, SMILE], "head smile is listed twice"),
        ([SMILE], "no head is called emotion"),
        ([], "heads are a list of 1 to 16"),
        ([EMOTION, {**SMILE, "name": "a b"}], "one word"),
        ([EMOTION, {**SMILE, "temperature": 0}], "needs a temperature"),
        *(([EMOTION, {**SMILE, "name": name}], f"a head cannot be called {name}") for name in FIELDS),
    ],
)
def test_bundle_when_its_heads_cannot_be_then_one_line(tmp_path: Path, heads: list[Any], why: str) -> None:
    bundle = Path(shutil.copytree(default_bundle(), tmp_path / "b"))
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest = {k: v for k, v in manifest.items() if k not in ("labels", "temperature", "heads")}
    (bundle / "manifest.json").write_text(json.dumps({**manifest, "format": 2, "heads": heads}))
    with pytest.raises(ModelIncompatible, match=why) as caught:
        read_bundle(bundle)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ["litert", "keras"])
def test_bundle_when_its_heads_do_not_match_the_network_then_one_line(
    trained: Path, tmp_path: Path, engine: Any
) -> None:
    bundle = Path(shutil.copytree(trained / "mine", tmp_path / "b"))
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["heads"][1]["labels"].append("none")
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelIncompatible) as caught:
        EmotionClassifier(bundle, engine)
    assert "\n" not in str(caught.value)


def test_bundle_of_the_first_format_then_it_has_the_emotions_alone(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(default_bundle(), tmp_path / "b"))
    manifest = json.loads((bundle / "manifest.json").read_text())
    first = {**manifest, "format": 1, "labels": list(read_bundle(bundle).labels), "temperature": 0.7}
    first.pop("heads", None)
    (bundle / "manifest.json").write_text(json.dumps(first))
    (head,) = read_bundle(bundle).heads
    assert (head.name, head.temperature) == ("emotion", 0.7)

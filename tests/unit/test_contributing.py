"""The examples in CONTRIBUTING.md run, and the files and commands that it names are there."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from livemood.bundles.manifest import default_bundle
from livemood.core.settings import CaptureSettings
from livemood.core.video_info import VideoInfo
from livemood.emotion.backends.registry import BACKENDS, BackendKind
from livemood.emotion.classifier import EmotionClassifier
from livemood.sinks.base import SinkContext
from livemood.sources.live import LiveSource
from tests.support.builders import make_frame, make_mood

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def _example(start):
    (code,) = (
        block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if block.startswith(f'"""{start}')
    )
    names = {"__name__": "example"}
    exec(compile(code, start, "exec"), names)
    return names


def test_source_when_made_as_shown_then_gives_frames_of_the_size_asked_for():
    source = _example("A moving")["open_pattern"]("pattern", CaptureSettings(width=64, height=48, fps=1000))
    assert isinstance(source, LiveSource)
    with source:
        frames = source.frames()
        first, second = next(frames), next(frames)
    assert first.image.shape == (48, 64, 3)
    assert (first.image != second.image).any()


def test_sink_when_made_as_shown_then_the_file_has_the_current_labels(tmp_path):
    file = tmp_path / "now.txt"
    context = SinkContext({"emotion": ("happy", "sad")}, VideoInfo(64, 48))
    with _example("The current labels")["open_sink"](str(file), context) as sink:
        sink.write(make_frame(), [make_mood(1, "happy")])
        sink.write(make_frame(), [make_mood(1, "sad"), make_mood(2, "happy")])
    assert file.read_text(encoding="utf-8") == "sad, happy\n"


def test_backend_when_made_as_shown_then_it_can_be_imported():
    assert _example("Run a bundle's ``model.onnx``")["OnnxBackend"].name == "onnx"


def test_backend_when_listed_as_shown_then_the_classifier_names_the_weights_that_it_runs(tmp_path, monkeypatch):
    class Onnx:
        name = "onnx"

    (line,) = re.findall(r'`("onnx": BackendKind\(.*\))`', TEXT)
    ((engine, kind),) = eval(f"{{{line}}}", {"BackendKind": BackendKind}).items()
    monkeypatch.setitem(BACKENDS, engine, kind)
    monkeypatch.setitem(sys.modules, kind.module, SimpleNamespace(open_backend=lambda bundle: Onnx()))
    manifest = json.loads((default_bundle() / "manifest.json").read_text(encoding="utf-8"))
    manifest["sha256"]["model.onnx"] = "0a" * 32
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert EmotionClassifier(tmp_path, engine).sha256 == "0a" * 32


def test_files_when_they_are_named_then_they_are_there():
    examples = {"pattern.py", "label_file.py", "onnx_backend.py"}
    named = set(
        re.findall(r"`((?:livemood|tests|core|apps|records|bundles|datasets|training|emotion)/[\w/]+\.py)`", TEXT)
    )
    missing = {
        name
        for name in named
        if Path(name).name not in examples and not any((base / name).exists() for base in (ROOT, ROOT / "livemood"))
    }
    assert named
    assert not missing


def test_targets_when_they_are_named_then_make_knows_them():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {word for call in re.findall(r"`(?:DATA=\w+ )?make ([a-z -]+)", TEXT) for word in call.split()}
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

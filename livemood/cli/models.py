"""``livemood models``: what is shipped, and whether it is whole."""

import json
from typing import Any

from livemood.cli.options import Json, console_for_tables, print_json


def models(json_: Json = False) -> None:
    """List the models that are shipped, with labels, size, figures and checksums.

    Every file is compared with its checksum first.

    [bold]Examples[/bold]

      livemood models
      livemood models --json
    """
    found = [_emotion(), *_faces()]
    if json_:
        print_json({"models": found})
        return
    from rich.table import Table

    table = Table("name", "kind", "labels", "input", "file", "MB", "sha256", "figures")
    for model in found:
        size, channels = model["input"]["size_px"], model["input"]["channels"]
        figures = ", ".join(f"{k} {v}" for k, v in model["metrics"].items() if isinstance(v, int | float))
        for file, digest in model["sha256"].items():
            megabytes = f"{model['bytes'][file] / 1e6:.2f}"
            labels = ", ".join(model["labels"])
            table.add_row(
                model["name"], model["kind"], labels, f"{size}x{size}x{channels}", file, megabytes, digest[:12], figures
            )
    console_for_tables().print(table)


def _emotion() -> dict[str, Any]:
    from livemood.bundles.manifest import default_bundle, read_bundle

    bundle = read_bundle(default_bundle())
    files = [bundle.checked(bundle.keras), bundle.checked(bundle.tflite)]
    return {
        "name": bundle.name,
        "kind": "emotion",
        "labels": list(bundle.labels),
        "keras": str(bundle.keras),
        "tflite": str(bundle.tflite),
        "input": {"size_px": bundle.crop.size_px, "channels": bundle.crop.channels},
        "temperature": bundle.temperature,
        "metrics": dict(bundle.metrics),
        "sha256": {file.name: bundle.sha256[file.name] for file in files},
        "bytes": {file.name: file.stat().st_size for file in files},
    }


def _faces() -> list[dict[str, Any]]:
    from livemood.bundles.manifest import MANIFEST, face_model, models_folder

    manifest = json.loads((models_folder() / "face" / MANIFEST).read_text(encoding="utf-8"))
    found = []
    for entry in manifest["models"]:
        file = face_model(entry["name"])
        found.append(
            {
                "name": f"face-{entry['name']}",
                "kind": "face",
                "labels": ["face"],
                "keras": None,
                "tflite": str(file) if file.suffix == ".tflite" else None,
                "onnx": str(file) if file.suffix == ".onnx" else None,
                "input": entry["input"],
                "temperature": None,
                "metrics": {},
                "sha256": {file.name: entry["sha256"]},
                "bytes": {file.name: file.stat().st_size},
            }
        )
    return found

"""``livemood models``: the shipped models and their checksums."""

from typing import Annotated, Any, Final

import typer

from livemood.cli.figures import manifest_table, print_table
from livemood.cli.options import Json, print_json

_FIGURES: Final = (
    ("accuracy_majority", "accuracy", ".1%"),
    ("happy_versus_sad", "happy or sad", ".1%"),
    ("ece", "calibration error", ".3f"),
)


def models(
    json_: Json = False,
    full: Annotated[bool, typer.Option("--full", help="Show files, checksums and every figure too.")] = False,
) -> None:
    """List the models that are shipped: name, kind, labels, size and figures.

    Every file is compared with its checksum first.

    Examples:
      livemood models
      livemood models --full
    """
    found = [_emotion(), *_others()]
    if json_:
        print_json({"models": found})
    elif full:
        for model in found:
            _print_full(model)
    else:
        _print_table(found)


def _print_table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    columns = "name", "kind", "labels", "MB", Column("figures", no_wrap=True)
    table = Table(*columns, box=None, header_style="dim", padding=(0, 2, 0, 0))
    for model in found:
        megabytes = f"{sum(model['bytes'].values()) / 1e6:.1f}"
        shown = [f"{title} {model['metrics'][key]:{form}}" for key, title, form in _FIGURES if key in model["metrics"]]
        heads = list(model["heads"].items())[1:]
        labels = [", ".join(model["labels"]), *(f"{name}: {', '.join(known)}" for name, known in heads)]
        table.add_row(model["name"], model["kind"], "\n".join(labels), megabytes, "\n".join(shown))
    Console().print(table, highlight=False)


def _print_full(model: dict[str, Any]) -> None:
    size, channels = model["input"]["size_px"], model["input"]["channels"]
    print(f"{model['name']} ({model['kind']}), input {size}x{size}x{channels}")
    for name, labels in (model["heads"] or {"labels": model["labels"]}).items():
        print(f"  {name}: {', '.join(labels)}")
    for file, digest in model["sha256"].items():
        print(f"  {file}: {model['bytes'][file] / 1e6:.2f} MB, sha256 {digest}")
    if model["metrics"]:
        print_table(manifest_table(model["metrics"]))


def _emotion() -> dict[str, Any]:
    from livemood.bundles.manifest import default_bundle, read_bundle

    bundle = read_bundle(default_bundle())
    files = [bundle.checked(bundle.keras), bundle.checked(bundle.tflite)]
    return {
        "name": bundle.name,
        "kind": "emotion",
        "labels": list(bundle.labels),
        "heads": {head.name: list(head.labels) for head in bundle.heads},
        "keras": str(bundle.keras),
        "tflite": str(bundle.tflite),
        "input": {"size_px": bundle.crop.size_px, "channels": bundle.crop.channels},
        "temperature": bundle.temperature,
        "metrics": dict(bundle.metrics),
        "sha256": {file.name: bundle.sha256[file.name] for file in files},
        "bytes": {file.name: file.stat().st_size for file in files},
    }


def _others() -> list[dict[str, Any]]:
    from livemood.bundles.shipped import shipped_models

    return [
        {
            "name": f"{model.kind}-{model.name}",
            "kind": model.kind,
            "labels": ["face" if model.kind == "face" else f"{model.name} face"],
            "heads": {},
            "keras": None,
            "tflite": str(model.file) if model.file.suffix == ".tflite" else None,
            "onnx": str(model.file) if model.file.suffix == ".onnx" else None,
            "npz": str(model.file) if model.file.suffix == ".npz" else None,
            "input": {"size_px": model.size_px, "channels": model.channels},
            "temperature": None,
            "metrics": {},
            "sha256": {model.file.name: model.sha256},
            "bytes": {model.file.name: model.file.stat().st_size},
        }
        for model in shipped_models()
    ]

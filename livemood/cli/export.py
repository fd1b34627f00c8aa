"""``livemood export``: a bundle's model in another format, checked against the original."""

from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.options import Force
from livemood.core.settings import FormatName


def export(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="Bundle folder; 'default' is the one that is shipped.")
    ],
    to: Annotated[FormatName, typer.Option("--to", help="Format.")],
    out: Annotated[Path, typer.Option("--out", help="File to write; a folder for saved-model.")],
    force: Force = False,
) -> None:
    """Write a model for other programs: raw 0..255 grey crops (N, S, S, 1) in, probabilities (N, K) out.

    The result is compared with the bundle's Keras model on random crops, and removed if it differs. Divide the
    logarithms of its outputs by the manifest's temperature to get calibrated logits. Class names are included as
    labels.txt: in a zip appended to a .tflite (unzip -p FILE labels.txt), in ONNX's metadata, in assets.extra of a
    SavedModel.

    Examples:
      livemood export default --to tflite --out emotion.tflite
      livemood export models/mine --to onnx --out mine.onnx
    """
    from livemood.bundles.manifest import named_bundle, read_bundle
    from livemood.runtime.optional_deps import need_keras
    from livemood.training.export.formats import write

    need_keras()
    model = read_bundle(named_bundle(bundle))
    gap = write(model, to, out, force)
    print(f"{out}: differs from {model.keras.name} by {gap:.1e} at most")

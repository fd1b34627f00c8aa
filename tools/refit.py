"""Refit a bundle from its weights: with the current crop, class prior and temperature, measured on test once.

    python -m tools.refit DATA WORK BUNDLE OUT

Repeats the steps of ``livemood train`` after training, for an existing bundle: the offset of common classes is fitted
on valid and added to the last bias, the temperature is fitted again, and the LiteRT file is converted.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from livemood.bundles.manifest import MANIFEST, Head, read_bundle
from livemood.core.crop_spec import CROP
from livemood.core.labels import EMOTION
from livemood.core.probabilities import with_temperature
from livemood.datasets.split import Split
from livemood.evaluation import metrics as measures
from livemood.training.export import class_prior
from livemood.training.export.bundle import to_tflite, write_bundle
from tools import faces, measure, votes

FACTOR = 1.1


def main() -> None:
    """Run the script with the arguments of the command line."""
    import keras

    data, work, bundle, out = map(Path, sys.argv[1:5])
    if not np.allclose(faces.framed(FACTOR).template, CROP.template, atol=1e-3):
        sys.exit(f"FACTOR {FACTOR} is not that of the current crop")
    known, parts = read_bundle(bundle), votes.parts(data, work)
    raw, aligned = votes.raw(data, work), faces.crops(data, work, "ferplus", FACTOR)
    model = keras.saving.load_model(known.checked(known.keras), compile=False)
    read = measure.reader(known.tflite)
    predictions = {
        (name, framing): read(np.asarray(pixels[parts[name].rows]))
        for name in ("valid", "test")
        for framing, pixels in (("", raw), ("aligned_", aligned))
    }
    valid = parts["valid"].split
    top, both = np.tile(valid.top_vote, 2), np.concatenate([predictions["valid", ""], predictions["valid", "aligned_"]])
    priors = class_prior.class_priors(parts["train"].split.targets[EMOTION])
    others = class_prior.others_offset(both, top, known.labels, class_prior.others_weights(priors, known.labels))
    added = class_prior.offsets(priors, 0.0, 0.0, known.labels, others)
    class_prior.add_to_bias(model, added)
    head = model.get_layer("emotion")
    head.set_weights([weight.astype(np.float16).astype(np.float32) for weight in head.get_weights()])
    temperature = measures.fit_temperature(measures.with_offsets(both, added), top)
    print("added", dict(zip(known.labels, added.round(3).tolist(), strict=True)), f"T {temperature:.4f}")
    metrics: dict[str, object] = {"split": "test"}
    for framing in ("", "aligned_"):
        adjusted = measures.with_offsets(predictions["test", framing], added)
        probabilities = with_temperature(adjusted, temperature)
        metrics |= _metrics(probabilities, parts["test"].split, framing)
    manifest = json.loads((bundle / MANIFEST).read_text())
    metrics |= {name: value for name, value in manifest["metrics"].items() if name in ("fer2013_accuracy", "smile")}
    training = {**manifest["training"], "others_offset": round(others, 3), "refitted": "python -m tools.refit"}
    balanced = class_prior.balanced_offsets(parts["train"].split.targets[EMOTION])
    heads = [Head(EMOTION, known.labels, temperature, balanced), *known.heads[1:]]
    write_bundle(
        model, to_tflite(model), out, name=known.name, heads=heads, spec=CROP, metrics=metrics, training=training
    )
    print(json.dumps(metrics, indent=1))


def _metrics(predictions: measures.Probabilities, split: Split, word: str) -> dict[str, object]:
    top, majority = (measures.scores(predictions, labels, split.labels) for labels in (split.top_vote, split.majority))
    found: dict[str, object] = {
        f"{word}accuracy_majority": round(majority.accuracy, 4),
        f"{word}accuracy_top_vote": round(top.accuracy, 4),
        f"{word}macro_f1": round(top.macro_f1, 4),
        f"{word}ece": round(top.ece, 4),
    }
    if not word:
        found["recall"] = {name: round(value or 0.0, 4) for name, value in top.recall.items()}
        happy_sad = measures.happy_versus_sad(predictions, split.top_vote, split.labels)
        found["happy_versus_sad"] = round(happy_sad or 0.0, 4)
    return found


if __name__ == "__main__":
    main()

"""Compare fine-tuning of the shipped model on 50 pictures of each of two classes with training from scratch.

``python -m tests.tools.fine_tuning [FERPLUS_ZIP]``: happy and sad pictures of FER+ under class names that the shipped
model does not know. It was trained on these pictures, so the gain on other faces is smaller. Both runs are measured on
the same pictures of the validation split, on which it was not trained.
"""

import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from livemood.bundles.manifest import default_bundle
from livemood.core.crop_spec import CROP
from livemood.core.types import Image
from livemood.datasets.open import DataSource, open_collection
from livemood.datasets.samples import Collection, Sample, SplitName
from livemood.emotion import crop
from livemood.emotion.classifier import EmotionClassifier
from livemood.training.run import Job, Watcher, train

FERPLUS = Path(__file__).parents[3] / "shared" / "data" / "ferplus.zip"
PER_CLASS, HELD_OUT, SURE_VOTES = 50, 200, 7
NAMES = {"happy": "up", "sad": "down"}


def main(path: Path = FERPLUS) -> None:
    """Print the accuracy on held-out pictures and the time of both runs."""
    if not path.exists():
        sys.exit(f"no data at {path}; give FER+ as a zip or folder")
    data = open_collection(path)
    held_out = {name: [picture(data, s) for s in draw(data, label, "valid", HELD_OUT)] for label, name in NAMES.items()}
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch) / "own"
        for label, name in NAMES.items():
            (own / name).mkdir(parents=True)
            for sample in draw(data, label, "train", PER_CLASS):
                cv2.imwrite(str(own / name / Path(sample.file).name), picture(data, sample))
        for title, base in (("from scratch", ()), ("--from default", (default_bundle(),))):
            out = Path(scratch) / title
            began = time.perf_counter()
            train(Job(DataSource(own), out, base=base), resume=False, force=False, watcher=Watcher())
            print(f"{title}: {right(out, held_out):.1%} right, {time.perf_counter() - began:.0f} s", flush=True)


def draw(data: Collection, label: str, split: SplitName, count: int) -> list[Sample]:
    """Return pictures on whose label most voters agree, the same ones every time."""
    column = data.labels.index(label)
    pool = [s for s in data.samples if s.split == split and s.votes[column] >= SURE_VOTES]
    chosen = np.random.default_rng(0).permutation(len(pool))[:count]
    return [pool[place] for place in chosen]


def picture(data: Collection, sample: Sample) -> Image:
    """Read a picture that is known to be readable."""
    image = data.read(sample)
    assert image is not None
    return image


def right(bundle: Path, held_out: dict[str, list[Image]]) -> float:
    """Return the accuracy of a bundle on the held-out pictures."""
    classifier = EmotionClassifier(bundle)
    hits = []
    for name, images in held_out.items():
        predicted = classifier.probabilities(np.stack([crop.resize_crop(image, CROP) for image in images])).argmax(1)
        hits.append(predicted == classifier.labels.index(name))
    return float(np.concatenate(hits).mean())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

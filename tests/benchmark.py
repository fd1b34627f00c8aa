"""Time the stages and the start, as ratios measured in one run: ``python -m tests.benchmark`` (``make bench``)."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from livemood.classify import EmotionClassifier
from livemood.crop import crop
from livemood.detect import DetectorMode, FaceDetector
from livemood.draw import Annotator, DrawStyle
from livemood.pipeline import Pipeline
from livemood.track import Tracker
from livemood.values import Frame
from tests.builders import SAMPLES, read_still

ROUNDS = 60
STARTS = 5


def main() -> None:
    """Print every table."""
    stages()
    faces_per_call()
    starts()


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median time of a call."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def stages() -> None:
    """Each stage on a VGA copy of the sample picture, beside one near-range detection."""
    picture = read_still(SAMPLES / "faces.png")[::2, ::2]
    frame = Frame(0, 0.0, np.ascontiguousarray(np.pad(picture, ((60, 60), (0, 0), (0, 0)))))
    classifier = EmotionClassifier()
    modes: tuple[DetectorMode, ...] = ("near", "far", "auto")
    times = {}
    for mode in modes:
        with FaceDetector(mode) as detector:
            times[f"detect {mode}"] = milliseconds(partial(detector.detect, frame))
            if mode == "auto":
                faces = detector.detect(frame)
                pipeline = Pipeline(detector, classifier)
                moods = pipeline.step(frame)
                times["whole step"] = milliseconds(partial(pipeline.step, frame))
    track = Tracker().update(faces, 0.0)[0]
    cut = crop(frame, track, classifier.crop_spec)
    times["crop, one face"] = milliseconds(lambda: crop(frame, track, classifier.crop_spec))
    times["classify, one face"] = milliseconds(lambda: classifier.classify([cut]))
    times["draw"] = milliseconds(lambda: Annotator(classifier.labels, DrawStyle()).draw(frame, moods))
    print(f"stage, at {frame.width}x{frame.height} with {len(faces)} face(s)   ms   x near-range detection")
    for name, value in times.items():
        print(f"{name:30} {value:7.2f} {value / times['detect near']:6.2f}")
    print()


def faces_per_call() -> None:
    """Several faces one by one, as shipped, against one call on all of them."""
    from ai_edge_litert.interpreter import Interpreter

    from livemood.bundle import default_bundle, read_bundle

    file = str(read_bundle(default_bundle()).tflite)
    print("faces   one by one, ms   in one call, ms")
    for count in (1, 2, 4, 8):
        pixels = np.random.default_rng(0).integers(0, 256, (count, 48, 48, 1)).astype(np.float32)
        single, batch = Interpreter(file, num_threads=1), Interpreter(file, num_threads=1)
        batch.resize_tensor_input(batch.get_input_details()[0]["index"], pixels.shape)
        for network in (single, batch):
            network.allocate_tensors()

        def run(network: Interpreter, batches: list[np.ndarray]) -> None:
            for part in batches:
                network.set_tensor(network.get_input_details()[0]["index"], part)
                network.invoke()

        one_by_one = milliseconds(partial(run, single, list(pixels[:, None])))
        at_once = milliseconds(partial(run, batch, [pixels]))
        print(f"{count:5} {one_by_one:16.2f} {at_once:17.2f}")
    print()


def starts() -> None:
    """Whole processes, beside ``python -c "import tensorflow"`` in the same environment."""
    command = str(Path(sys.executable).with_name("livemood"))
    runs = {
        'python -c "import tensorflow"': [sys.executable, "-c", "import tensorflow"],
        "livemood image photo": [command, "image", str(SAMPLES / "faces.png")],
        "livemood --help": [command, "--help"],
        'python -c "import livemood"': [sys.executable, "-c", "import livemood"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    times = {}
    for name, words in runs.items():
        times[name] = milliseconds(partial(subprocess.run, words, capture_output=True, check=True), STARTS)
    first = next(iter(times.values()))
    print("start of a process                    s   x import tensorflow")
    for name, value in times.items():
        print(f"{name:32} {value / 1e3:7.2f} {value / first:8.2f}")


if __name__ == "__main__":
    main()

"""Time single calls and starts, as ratios measured in one run: ``python -m tests.tools.benchmark`` (``make bench``).

More tables, for ``docs/speed.md``: ``python -m tests.tools.benchmark presets CLIP...``, ``crowd``, ``threads``,
``jobs CLIP``, ``camera CLIP``, and ``peer CLIP PYTHON SCRIPT`` with the peer's interpreter and a script that times it.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from livemood.apps.reader import MoodReader, annotate
from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.bundles.shipped import face_model
from livemood.core.crop_spec import CROP
from livemood.core.settings import DetectorMode, DrawStyle
from livemood.core.types import Frame, Image
from livemood.detection.combined import FaceDetector
from livemood.emotion.classifier import EmotionClassifier
from livemood.emotion.crop import crop_track
from livemood.overlay.annotator import Annotator
from livemood.pipeline import Pipeline
from livemood.sinks.video.writer import VideoSink
from livemood.sources.video.file import VideoSource
from livemood.tracking.tracker import Tracker
from tests.support.builders import SAMPLES, make_detection, read_still

ROUNDS = 60
STARTS = 5
LIVEMOOD = str(Path(sys.executable).with_name("livemood"))


def main(table: str = "", *words: str) -> None:
    """Print the tables of ``make bench``, or the one that is named."""
    if not table:
        stages()
        faces_per_call()
        starts()
    else:
        tables: dict[str, Callable[..., None]] = {
            work.__name__: work for work in (presets, crowd, threads, jobs, camera, peer)
        }
        tables[table](*words)


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
    """Time of each stage on a VGA copy of the sample picture, relative to one near-range detection."""
    picture = read_still(SAMPLES / "faces.png")[::2, ::2]
    frame = Frame(0, 0.0, np.ascontiguousarray(np.pad(picture, ((60, 60), (0, 0), (0, 0)))))
    classifier = EmotionClassifier()
    modes: tuple[DetectorMode, ...] = ("near", "far", "fast", "auto")
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
    cut = crop_track(frame, track, classifier.crop_spec)
    times["crop, one face"] = milliseconds(lambda: crop_track(frame, track, classifier.crop_spec))
    times["classify, one face"] = milliseconds(lambda: classifier.classify([cut]))
    times["draw"] = milliseconds(lambda: Annotator(classifier.labels, DrawStyle()).draw(frame, moods))
    print(f"stage, at {frame.width}x{frame.height} with {len(faces)} face(s)   ms   x near-range detection")
    for name, value in times.items():
        print(f"{name:30} {value:7.2f} {value / times['detect near']:6.2f}")
    print()


def faces_per_call() -> None:
    """Time of several faces classified one by one, as shipped, and in one batch."""
    from ai_edge_litert.interpreter import Interpreter

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
    """Time of whole processes, relative to ``python -c "import tensorflow"`` in the same environment."""
    runs = {
        'python -c "import tensorflow"': [sys.executable, "-c", "import tensorflow"],
        "livemood image photo": [LIVEMOOD, "image", str(SAMPLES / "faces.png")],
        "livemood --help": [LIVEMOOD, "--help"],
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


def presets(*clips: str, frames: int = 120) -> None:
    """CPU time, size and quality of H.264's presets at the default quality factor, on labelled frames."""
    print(f"{'clip':12} {'preset':10} {'cpu ms':>7} {'kB/s':>6} {'PSNR dB':>8} {'SSIM':>7}")
    for clip in clips:
        with MoodReader() as reader, VideoSource(Path(clip)) as source:
            info = source.info
            labelled = [(frame, annotate(frame, moods)) for frame, moods in islice(reader.watch(source), frames)]
        for preset in (None, "ultrafast", "superfast", "veryfast", "faster", "medium"):
            with TemporaryDirectory() as folder:
                out = Path(folder) / "out.mp4"
                began = time.process_time()
                with VideoSink(out, info, preset=preset) as sink:
                    for frame, image in labelled:
                        sink.write(frame, (), image)
                cpu_ms = (time.process_time() - began) * 1e3 / len(labelled)
                rate = out.stat().st_size / 1e3 / len(labelled) * info.average_rate
                with VideoSource(out) as copy:
                    pairs = list(zip((image for _, image in labelled), (f.image for f in copy.frames()), strict=True))
            psnr = np.mean([cv2.PSNR(*pair) for pair in pairs])
            ssim = np.mean([np.array(cv2.quality.QualitySSIM_compute(*pair)[0])[:3] for pair in pairs[::10]])  # type: ignore[attr-defined]
            name = preset or "default"
            print(f"{Path(clip).stem:12} {name:10} {cpu_ms:7.2f} {float(rate):6.0f} {psnr:8.2f} {ssim:7.4f}")


def crowd() -> None:
    """Time of a frame with one to ten faces pasted into it."""
    face = cv2.resize(read_still(SAMPLES / "faces.png")[140:640, 160:660], (120, 120), interpolation=cv2.INTER_AREA)
    classifier, times = EmotionClassifier(), {}
    with FaceDetector() as detector:
        for count in (1, 2, 3, 4, 10):
            image = np.full((480, 640, 3), 120, np.uint8)
            for i in range(count):
                y, x = 80 + 180 * (i // 5), 10 + 125 * (i % 5)
                image[y : y + 120, x : x + 120] = face
            pipeline, turn = Pipeline(detector, classifier), iter(range(10**6))

            def step(pipeline: Pipeline = pipeline, image: Image = image, turn: Iterator[int] = turn) -> int:
                index = next(turn)
                return len(pipeline.step(Frame(index, index / 30, image)))

            times[count] = mean_milliseconds(step)
            print(f"{count:3} faces pasted, {step():2} found: {times[count]:6.2f} ms per frame")
        whole = mean_milliseconds(lambda: detector.detect(Frame(0, 0.0, image)))
    extra = (times[10] - times[1]) / 9
    print(f"whole frame searched: {whole:.2f} ms; each further face {extra:.2f} ms, {extra / whole:.0%} of that")


def mean_milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the mean time of a call, for work whose time varies from call to call."""
    work()
    began = time.perf_counter()
    for _ in range(rounds):
        work()
    return (time.perf_counter() - began) / rounds * 1e3


def threads() -> None:
    """Time and CPU time of LiteRT and OpenCV calls on one and two threads."""
    from ai_edge_litert.interpreter import Interpreter

    print("call                          threads   ms   cpu ms")
    files = {"emotion": read_bundle(default_bundle()).tflite, "near window": face_model("near")}
    for name, file in files.items():
        for count in (1, 2):
            network = Interpreter(str(file), num_threads=count)
            network.allocate_tensors()
            timed(f"LiteRT {name}", count, network.invoke)
    frame = Frame(0, 0.0, np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8))
    track = Tracker().update([make_detection(900, 500, 400)], 0.0)[0]
    usual = cv2.getNumThreads()
    for count in (1, 2):
        cv2.setNumThreads(count)
        timed("OpenCV crop, 400 px face", count, lambda: crop_track(frame, track, CROP))
        timed("OpenCV colours, 1080p", count, lambda: cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB))
    cv2.setNumThreads(usual)


def timed(name: str, count: int, work: Callable[[], object]) -> None:
    """Print one row."""
    began = time.process_time()
    took = mean_milliseconds(work, 200)
    print(f"{name:30} {count:6} {took:6.2f} {(time.process_time() - began) * 1e3 / 201:6.2f}")


def jobs(clip: str) -> None:
    """CPU time of two videos in parallel and one after the other."""
    with TemporaryDirectory() as folder:
        pair = [Path(folder) / "a.mp4", Path(folder) / "b.mp4"]
        for path in pair:
            path.symlink_to(Path(clip).resolve())
        spent = {}
        for count in (1, 2):
            words = [LIVEMOOD, "video", *pair, "--out-dir", f"{folder}/{count}", "--jobs", count]
            cpu, wall = cpu_seconds(), time.perf_counter()
            subprocess.run(list(map(str, words)), capture_output=True, check=True)
            spent[count] = cpu_seconds() - cpu
            print(f"--jobs {count}: {time.perf_counter() - wall:6.2f} s, {spent[count]:6.2f} s of CPU time")
    print(f"two at once take {spent[2] / spent[1]:.2f} x the CPU time of one after the other")


def cpu_seconds() -> float:
    """Return the CPU time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


_MEDIAPIPE = "import sys; sys.modules['tensorflow'] = None; import mediapipe"
# Ends the camera command when its first labelled frame reaches the recorder.
_CAMERA = """
import os, sys
from livemood.apps.recorder import Recorder
Recorder.put = lambda *_: os._exit(0)
from livemood.cli import main
main()
"""


def camera(clip: str) -> None:
    """Time from the start of ``livemood camera`` to its first labelled frame, and of ``import mediapipe`` alone."""
    with TemporaryDirectory() as folder:
        rows = f"{folder}/rows.jsonl"
        arguments = ["camera", "--source", clip, "--no-window", "--records", rows, "--force"]
        runs = {"import mediapipe": ["-c", _MEDIAPIPE], "first labelled frame": ["-c", _CAMERA, *arguments]}
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(STARTS + 2):  # in turns
            for name, words in runs.items():
                began = time.perf_counter()
                subprocess.run([sys.executable, *words], capture_output=True, check=True)
                times[name].append(time.perf_counter() - began)
    first, other = (statistics.median(found) for found in times.values())
    for name, found in times.items():
        print(f"{name:22} {statistics.median(found):5.2f} s")
    print(f"ratio {other / first:.2f}")


def peer(clip: str, python: str, script: str, frames: str = "300", turns: str = "5") -> None:
    """Frames per second of whole ``livemood video`` processes and of the peer's loop over frames decoded before.

    They run alternately, because other load on the host can halve the speed for a minute.
    """
    peer_fps, ours = [], []
    for _ in range(int(turns)):
        output = subprocess.run([python, script, clip, frames], capture_output=True, check=True).stdout
        peer_fps.append(json.loads(output)["fps"])
        ours.append(labelled_per_s(clip))
        print(f"peer {peer_fps[-1]:.1f} fps; livemood, with start and encoding {ours[-1]:.1f} fps", flush=True)
    print(f"medians {statistics.median(peer_fps):.1f} and {statistics.median(ours):.1f} fps: ", end="")
    print(f"{statistics.median(ours) / statistics.median(peer_fps):.2f} x")


def labelled_per_s(clip: str) -> float:
    """Return the frames per second of a whole ``livemood video``."""
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        words = [LIVEMOOD, "video", clip, "--out", f"{folder}/out.mp4", "--json"]
        done = subprocess.run(words, capture_output=True, check=True)
        return float(json.loads(done.stdout)["frames"]) / (time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])

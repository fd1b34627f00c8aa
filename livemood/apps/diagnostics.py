"""Checks of everything that livemood needs on this computer, with advice where one fails."""

import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

import numpy as np

from livemood.core.errors import LivemoodError, SinkError
from livemood.runtime.optional_deps import NEEDED_FOR, how_to_install

State = Literal["ok", "note", "problem"]

_NEEDED = ("numpy", "pillow", "av", "typer", "rich")
_USEFUL = ("pyarrow", "plotly", "matplotlib", "supervision", "pyvirtualcam")
_OPENCV = "opencv-contrib-python"
_RIVALS = ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless")
_TEST_S = 1.0
_TEST_SIZE = (720, 1280, 3)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes:
        name: What was checked.
        state: ``ok``; ``note`` if only a part of livemood cannot be used; ``problem`` if something that livemood itself
            needs is missing or broken.
        found: What was found.
        advice: What to do about it; empty if nothing.
    """

    name: str
    state: State
    found: str
    advice: str = ""


def check_all(setting: Callable[[str], str] = str) -> Iterator[Check]:
    """Yield the results of all checks, quick ones first.

    Args:
        setting: Maps the name of a setting, such as ``no_window``, to the front end's name for it.
    """
    yield Check("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)} ({sys.executable})")
    yield from _packages()
    yield from _guarded("windows", lambda: _windows(setting), setting)
    yield from _guarded("video", _video, setting)
    yield from _guarded("cameras", _cameras, setting)
    yield from _guarded("models", _models, setting)
    yield from _guarded("self-test", _self_test, setting)


def _guarded(name: str, look: Callable[[], Iterator[Check]], setting: Callable[[str], str]) -> Iterator[Check]:
    """Yield the results of a check; an exception in it becomes a result too."""
    try:
        yield from look()
    except LivemoodError as error:
        yield Check(name, "problem", error.line(setting), "reinstall livemood with pip")
    except ImportError as error:
        yield Check(name, "problem", f"a package cannot be imported ({error})", "reinstall that package")


def _packages() -> Iterator[Check]:
    for name in (*_NEEDED, *_USEFUL):
        version = _version(name)
        if version:
            yield Check(name, "ok", version)
        elif name in _NEEDED:
            yield Check(name, "problem", "not installed", f"pip install {name}")
    for module, purpose in NEEDED_FOR.items():
        name = module.replace("_", "-")
        version = _version(name)
        found = version or f"not installed, needed for {purpose}"
        yield Check(name, "ok" if version else "note", found, "" if version else how_to_install(module))
    yield from _opencv()


def _opencv() -> Iterator[Check]:
    version, rivals = _version(_OPENCV), list(filter(_version, _RIVALS))
    if version:
        yield Check(_OPENCV, "ok", version)
    elif rivals:
        yield Check(rivals[0], "ok", f"{_version(rivals[0])}, in place of {_OPENCV}")
        return
    else:
        yield Check(_OPENCV, "problem", "not installed", f"pip install {_OPENCV}")
    for name in rivals:
        yield Check(
            name,
            "note",
            f"{_version(name)} shares its folder with opencv-contrib-python",
            f"uninstall {name}, then reinstall opencv-contrib-python without its dependencies",
        )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _windows(setting: Callable[[str], str]) -> Iterator[Check]:
    import cv2

    from livemood.sinks.display import check_display

    try:
        check_display()
    except SinkError as error:
        yield Check("windows", "note", error.line(setting), "livemood video and image need no display")
    else:
        yield Check("windows", "ok", f"{cv2.currentUIFramework()} and a display")


def _video() -> Iterator[Check]:
    import av
    import cv2

    names = [cv2.videoio_registry.getBackendName(backend) for backend in cv2.videoio_registry.getCameraBackends()]
    yield Check("camera backends", "ok" if names else "note", ", ".join(names) or "none")
    missing = [codec for codec in ("libx264", "aac") if codec not in av.codecs_available]
    yield Check(
        "video codecs",
        "problem" if missing else "ok",
        f"PyAV without {', '.join(missing)}" if missing else "H.264 and AAC",
        "reinstall av with pip" if missing else "",
    )


def _cameras() -> Iterator[Check]:
    from livemood.sources.camera import camera_modes
    from livemood.sources.camera_names import CAMERA_NAMES, list_cameras

    cameras = list_cameras()
    if cameras is None:
        advice = f"pip install {CAMERA_NAMES}; livemood camera opens cameras by number without it"
        yield Check("cameras", "note", "cannot be listed", advice)
        return
    for camera in cameras:
        modes = camera_modes(camera.index)
        yield Check(
            f"camera {camera.index}",
            "ok" if modes else "note",
            f"{camera.name}: {', '.join(map(str, modes)) or 'cannot be opened'}",
            "" if modes else "close programs that use it; on Linux join the group video; on macOS allow the terminal",
        )
    if not cameras:
        yield Check("cameras", "note", "none found", "plug one in; livemood camera also plays files and streams")


def _models() -> Iterator[Check]:
    from livemood.bundles.manifest import default_bundle, read_bundle
    from livemood.bundles.shipped import shipped_models

    bundle = read_bundle(default_bundle())
    others = [model.file for model in shipped_models()]
    for file in (bundle.checked(bundle.keras), bundle.checked(bundle.tflite), *others):
        yield Check("model", "ok", f"{file.name}, {file.stat().st_size / 1e6:.1f} MB, checksum right ({file.parent})")


def _self_test() -> Iterator[Check]:
    """Time detecting, classifying and drawing on synthetic pictures, for a second."""
    from livemood.core.types import Frame
    from livemood.detection.combined import FaceDetector
    from livemood.emotion.classifier import EmotionClassifier
    from livemood.overlay.annotator import Annotator

    picture = np.random.default_rng(0).integers(0, 256, _TEST_SIZE, np.uint8)
    frame = Frame(0, 0.0, picture)
    classifier = EmotionClassifier()
    face = np.zeros((1, *classifier.crop_spec.shape), np.uint8)
    with FaceDetector() as detector:
        stages: dict[str, Callable[[], object]] = {
            "detect": lambda: detector.detect(frame),
            "classify": lambda: classifier.probabilities(face),
            "draw": lambda: Annotator(classifier.labels).draw(frame, ()),
        }
        times = {name: _milliseconds(stage) for name, stage in stages.items()}
    found = ", ".join(f"{name} {ms:.1f} ms" for name, ms in times.items())
    yield Check("self-test", "ok", f"at 1280x720 with {classifier.engine}: {found}")


def _milliseconds(stage: Callable[[], object]) -> float:
    """Return the median time of a stage, ms, after a first run, measured for its share of the second."""
    stage()
    taken: list[float] = []
    ends = time.perf_counter() + _TEST_S / 3
    while not taken or time.perf_counter() < ends:
        began = time.perf_counter()
        stage()
        taken.append(1000 * (time.perf_counter() - began))
    return float(np.median(taken))

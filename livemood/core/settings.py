"""What users set, each default and help text once; the thresholds of the stages are in ``stage_settings``.

Fields made by ``setting`` are offered to users; ``help`` is what they read about them.
"""

from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal, get_args

DetectorMode = Literal["auto", "near", "far", "fast"]
"""Which face networks are used."""
EngineName = Literal["litert", "keras"]
"""What runs the emotion model."""
PriorName = Literal["training", "balanced"]
"""How common the emotions are assumed to be."""
BaselineMode = Literal["auto", "key", "off"]
"""How a person's own resting face is learnt."""
EngineChoice = Literal["local", "ray"]
"""What runs the shards of a batch."""
SortBy = Literal["most", "largest", "smile"]
"""What names a photo's folder: the emotion of most faces; of the largest; of most faces, with the kind of smile."""
ExportFormat = Literal["tflite", "onnx", "saved-model"]
"""Formats of exported models."""
SplitChoice = Literal["train", "valid", "test", "all"]
"""Pictures that a model is measured on; ``all`` for data of which none was trained on."""
Codec = Literal["h264", "h265", "vp9", "av1"]
"""Picture codecs of labelled videos."""
DETECTOR_MODES: tuple[DetectorMode, ...] = get_args(DetectorMode)


def setting(default: Any, help: str, **more: Any) -> Any:
    """Return a dataclass field that users may set.

    Args:
        default: Its default.
        help: One line that says what it is.
        more: ``metavar``: name of a value in help texts; ``min``, ``max``: bounds of a number. A field whose name ends
            in ``_s`` is a length of time in seconds.
    """
    return field(default=default, metadata={"help": help, **more})


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """How faces are detected and classified; can be pickled.

    Raises:
        ValueError: An unknown detector, prior, engine or baseline.
    """

    detector: DetectorMode = setting(
        "auto", "auto: faces of every size, also rotated; near: close faces; far: small faces; fast: near and far."
    )
    emotions: tuple[str, ...] | None = setting(None, "Choose among these only, such as happy,sad.", metavar="A,B,...")
    prior: PriorName = setting(
        "training",
        "How common emotions are assumed to be. training: as in the training data; balanced: nearer to equally common.",
    )
    engine: EngineName = setting("litert", "litert starts fast; keras runs the .keras file and starts slowly.")
    model: Path | None = setting(None, "Bundle folder of another emotion model.")
    baseline: BaselineMode = setting(
        "auto", "Learn each person's resting face in videos. auto: continuously; key: on request; off: never."
    )

    def __post_init__(self) -> None:
        choices = {"detector": DetectorMode, "prior": PriorName, "engine": EngineName, "baseline": BaselineMode}
        for name, known in choices.items():
            if (value := getattr(self, name)) not in get_args(known):
                raise ValueError(f"{name} is one of {', '.join(get_args(known))}, got {value!r}")


@dataclass(frozen=True, slots=True)
class CutSettings:
    """Which part of a video is read, and how often."""

    start_s: float = setting(0.0, "Begin here: 65, 1:05 or 1m5s.", metavar="TIME")
    duration_s: float | None = setting(None, "Length of the cut.", metavar="TIME")
    every: int = setting(1, "Classify every Nth frame; all are written.", metavar="N", min=1)


@dataclass(frozen=True, slots=True)
class EncodingSettings:
    """How the picture of a labelled video is encoded; the defaults depend on the container."""

    codec: Codec | None = setting(None, "By default h264, in .webm vp9.")
    crf: int | None = setting(None, "Quality factor: lower is better and larger.")
    preset: str | None = setting(None, "Speed preset of the encoder.")
    strip_metadata: bool = setting(False, "Leave out titles, place, date and other tags, as blurred copies always do.")


@dataclass(frozen=True, slots=True)
class DrawStyle:
    """What is drawn on a frame."""

    ids: bool = True
    panel: bool = setting(False, "Draw all scores of each face as bars, where there is room.")
    blur: bool = setting(False, "Pixelate faces; labels stay.")
    smile_kind: bool = setting(True, "Add the kind of smile, open or closed, to labels of happy faces.")


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """Requested properties of a live source, and its timeouts.

    Attributes:
        width: Requested width, px; None leaves it to the source.
        height: Requested height, px.
        fps: Requested pictures per second; for a folder, pictures shown per second.
        pixel_format: Four letters such as ``MJPG`` or ``YUYV`` for a camera; ``bgr24``, ``rgb24`` or ``gray`` on stdin.
        loop: Begin a file or folder again at its end.
        timeout_s: How long opening, or one picture, may take, s.
        frozen_s: A source is reported as frozen if its picture stays the same for longer, and as stalled if none comes
            for longer, s.
        retry_s: Wait before the first attempt to reopen a lost source, s; doubles with each attempt.
        retry_longest_s: Longest wait between two attempts, s.
        give_up_s: A source lost for longer ends the run, s.

    Raises:
        ValueError: A size that is not a whole number of at least 1, a rate that is not above 0, or a negative time.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = setting(None, "Pictures per second to request.", min=0.01)
    pixel_format: str | None = setting(None, "MJPG, YUYV, ...; for raw pictures bgr24, rgb24, gray.")
    loop: bool = setting(False, "Repeat a file or folder when it ends.")
    timeout_s: float = 5.0
    frozen_s: float = 3.0
    retry_s: float = 0.5
    retry_longest_s: float = 8.0
    give_up_s: float = 120.0

    def __post_init__(self) -> None:
        for name, size in (("width", self.width), ("height", self.height)):
            if size is not None and not (isinstance(size, int) and size >= 1):
                raise ValueError(f"{name} is a whole number of at least 1, got {size!r}")
        if self.fps is not None and not (isinstance(self.fps, int | float) and 0 < self.fps < inf):
            raise ValueError(f"fps is a number above 0, got {self.fps!r}")
        for name in ("timeout_s", "frozen_s", "retry_s", "retry_longest_s", "give_up_s"):
            if not (isinstance(time_s := getattr(self, name), int | float) and time_s >= 0):
                raise ValueError(f"{name} is a number of seconds, 0 or more, got {time_s!r}")

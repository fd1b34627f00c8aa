"""The registry of sinks; opens them by name."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from livemood.sinks.base import Sink, SinkContext


@dataclass(frozen=True, slots=True)
class SinkKind:
    """One kind of sink.

    Attributes:
        name: Name of its setting.
        module: Has ``open_sink(target, context)``, which returns the open sink, and ``SUFFIXES`` if it makes a file.
        help: One line of help.
        metavar: What the target is; empty if there is none.
        for_video: Whether it is offered for video files.
        for_live: Whether it is offered for cameras and streams.
        for_stdout: Whether the target ``-`` is stdout.
    """

    name: str
    module: str
    help: str
    metavar: str = "FILE"
    for_video: bool = True
    for_live: bool = True
    for_stdout: bool = False

    @property
    def makes_file(self) -> bool:
        """Whether the target is a file."""
        return self.metavar == "FILE"


STDOUT: Final = "-"
"""The target that stands for stdout."""

SINKS: Final = (
    SinkKind("out", "livemood.sinks.video.writer", "Labelled video: .mp4 .mkv .mov .webm .gif."),
    SinkKind(
        "records",
        "livemood.sinks.records",
        "Every face of every frame: .jsonl .csv .parquet; - is stdout.",
        for_stdout=True,
    ),
    SinkKind("subtitles", "livemood.sinks.subtitles", "Label changes as .srt or .vtt.", for_live=False),
    SinkKind("markers", "livemood.sinks.markers.sink", "Label changes: .edl .csv .fcpxml .otio .eaf .TextGrid .boris."),
    SinkKind("osc", "livemood.sinks.osc", "Send moods by OSC (UDP).", metavar="HOST:PORT", for_video=False),
    SinkKind("lsl", "livemood.sinks.lsl", "Send moods as an LSL stream of this name.", metavar="NAME", for_video=False),
    SinkKind(
        "virtual_camera",
        "livemood.sinks.virtual_camera",
        "Show the labelled picture as a virtual camera.",
        metavar="",
        for_video=False,
    ),
)
"""Every kind; a new one is a module and a line here."""


@dataclass(frozen=True, slots=True)
class Output:
    """One requested sink.

    Attributes:
        name: Of its kind.
        target: A path, an address, or empty, depending on the kind.
    """

    name: str
    target: str = ""

    @property
    def file(self) -> Path | None:
        """The file to make; None for stdout, and where other programs take the moods."""
        kind = sink_kind(self.name)
        is_stdout = kind.for_stdout and self.target == STDOUT
        return Path(self.target) if kind.makes_file and not is_stdout else None


def sink_kind(name: str) -> SinkKind:
    """Return the kind with a name.

    Raises:
        ValueError: There is none.
    """
    found = next((kind for kind in SINKS if kind.name == name), None)
    if found is None:
        raise ValueError(f"no sink is called {name!r}; there are {', '.join(kind.name for kind in SINKS)}")
    return found


def suffixes_of(name: str) -> tuple[str, ...]:
    """Return the suffixes, in lower case, of the files that a kind of sink writes."""
    module: Any = import_module(sink_kind(name).module)
    suffixes: tuple[str, ...] = module.SUFFIXES
    return suffixes


def open_sink(output: Output, context: "SinkContext") -> "Sink":
    """Open a sink.

    Raises:
        SinkError: The target is there already, is of an unknown form, or cannot be written.
        ValueError: An unknown kind.
    """
    module: Any = import_module(sink_kind(output.name).module)
    sink: Sink = module.open_sink(output.target, context)
    return sink

"""Read emotion from faces, live.

>>> import livemood
>>> with livemood.MoodReader() as reader:
...     for frame, moods in reader.video("clip.mp4"):
...         picture = livemood.annotate(frame, moods)

Importing livemood loads nothing heavy; each name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livemood.apps.reader import MoodReader, annotate
    from livemood.core.errors import LivemoodError
    from livemood.core.geometry import Box
    from livemood.core.labels import EMOTIONS, UNSURE
    from livemood.core.types import Detection, Frame, Mood, Track

__version__ = "0.1.0"

__all__ = [
    "EMOTIONS",
    "UNSURE",
    "Box",
    "Detection",
    "Frame",
    "LivemoodError",
    "Mood",
    "MoodReader",
    "Track",
    "annotate",
]

_HOMES = {
    "MoodReader": "apps.reader",
    "annotate": "apps.reader",
    "LivemoodError": "core.errors",
    "EMOTIONS": "core.labels",
    "UNSURE": "core.labels",
    "Box": "core.geometry",
    "Detection": "core.types",
    "Frame": "core.types",
    "Mood": "core.types",
    "Track": "core.types",
}


if not TYPE_CHECKING:  # a type checker would take any name for one of this package

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'livemood' has no attribute {name!r}")
        return getattr(import_module(f"livemood.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"Any", "TYPE_CHECKING", "import_module"})

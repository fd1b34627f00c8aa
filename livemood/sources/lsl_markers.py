"""Markers from a Lab Streaming Layer stream, such as those of a program that presents stimuli."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from livemood.runtime.closeable import Closeable
from livemood.runtime.optional_deps import LSL, required

_RESOLVE_S = 1.0
_PULL_S = 0.2


class LslMarkers(Closeable):
    """Receives a marker stream in a thread of its own; a missing or lost stream is searched for until it appears.

    Args:
        name: Of the stream.
        on_trouble: Called in that thread with a line about an error, after which nothing more is received.

    Raises:
        LivemoodError: pylsl is not installed.
    """

    def __init__(self, name: str, on_trouble: Callable[[str], None]) -> None:
        self._lsl: Any = required("pylsl", LSL)
        self._name, self._on_trouble = name, on_trouble
        self._heard: SimpleQueue[str] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name="livemood-lsl", daemon=True)
        self._thread.start()

    def take(self) -> list[str]:
        """Return the markers received since the last call, in order; never blocks."""
        found: list[str] = []
        while True:
            try:
                found.append(self._heard.get_nowait())
            except Empty:
                return found

    def close(self) -> None:
        """Stop receiving; a second call does nothing."""
        self._closed = True
        self._thread.join(2 * _RESOLVE_S)

    def _listen(self) -> None:
        try:
            while not self._closed:
                # A query by name would read its quotes as syntax.
                streams = [one for one in self._lsl.resolve_streams(_RESOLVE_S) if one.name() == self._name]
                if streams:
                    self._pull(self._lsl.StreamInlet(streams[0], recover=False))
        except Exception as error:  # noqa: BLE001  # of liblsl, or of a marker that is not UTF-8
            self._on_trouble(f"LSL markers are no longer received ({error})")

    def _pull(self, inlet: Any) -> None:
        while not self._closed:
            try:
                sample, _ = inlet.pull_sample(timeout=_PULL_S)
            except self._lsl.LostError:
                return
            if sample:
                self._heard.put(" ".join(map(str, sample)))

"""Moods as Open Sound Control messages over UDP (OSC 1.0), for programs that make sound, light and pictures."""

import re
import socket
import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, count
from typing import Any, Final

from livemood.core.counts import counted
from livemood.core.errors import SinkError
from livemood.core.types import Frame, Image, Mood
from livemood.sinks.base import Sink, SinkContext

# OSC's time tag "immediately".
_BUNDLE: Final = b"#bundle\0" + struct.pack(">Q", 1)
# Characters that an address of OSC 1.0 cannot have: those it reserves, and all but printable ASCII.
_UNFIT: Final = re.compile(r"[#*,/?\[\]{}]|[^!-~]")
_LABEL: Final = "label"
_ADDRESS: Final = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")


class OscSink(Sink):
    """Sends a bundle for every face of every frame, and the number of faces.

    ``/livemood/face/ID/EMOTION`` has the smoothed score (float), ``/livemood/face/ID/label`` the label (string),
    ``/livemood/faces`` the number of faces (int), ``/livemood/event`` number and name of a marked event. Characters of
    an emotion that an address cannot have are ``_``; of two that would have one address, the second ends in ``_2``.
    Sending never blocks: packets that the system cannot take at once are dropped.

    Args:
        target: HOST:PORT, or [HOST]:PORT for IPv6.

    Raises:
        SinkError: The address has another form, or there is no such host.
    """

    takes_events = True

    def __init__(self, target: str) -> None:
        match = _ADDRESS.fullmatch(target)
        if match is None or not 0 < int(match["port"]) < 65536:
            raise SinkError(f"{target!r} is not an address to send to", "write HOST:PORT, such as 127.0.0.1:9000")
        host = match["six"] or match["host"]
        self._address: Any
        try:
            family, *_, self._address = socket.getaddrinfo(host, int(match["port"]), type=socket.SOCK_DGRAM)[0]
        except OSError as error:
            raise SinkError(
                f"{host} cannot be found ({error.strerror or error})", "use another host with {osc}"
            ) from error
        except UnicodeError as error:  # a part of the name is empty or too long
            raise SinkError(f"{host} is not the name of a host", "use another host with {osc}") from error
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._lost = 0

    def write(self, frame: Frame, moods: Sequence[Mood], image: Image | None = None) -> None:
        """Send one frame's faces."""
        self._send(_message("/livemood/faces", len(moods)))
        for mood in moods:
            face = f"/livemood/face/{mood.track.id}"
            words = _words(tuple(mood.scores))
            scores = [_message(f"{face}/{words[label]}", float(score)) for label, score in mood.scores.items()]
            self._send(_bundle([*scores, _message(f"{face}/{_LABEL}", mood.label)]))

    def mark(self, frame: Frame, event: int, name: str = "") -> None:
        """Send an event."""
        self._send(_message("/livemood/event", event, name))

    def close(self) -> None:
        """Stop sending."""
        self._socket.close()
        if self._lost:
            self.warnings = [f"{counted(self._lost, 'OSC packet')} could not be sent"]

    def _send(self, packet: bytes) -> None:
        try:
            self._socket.sendto(packet, self._address)
        except OSError:  # the network is busy or away: the next frame has newer numbers
            self._lost += 1


def open_sink(target: str, context: SinkContext) -> OscSink:
    """Open a UDP socket to a program that receives OSC."""
    return OscSink(target)


@lru_cache
def _words(labels: tuple[str, ...]) -> dict[str, str]:
    """Return the part of an address for each label, no two alike."""
    words = {label: label for label in labels if label != _LABEL and not _UNFIT.search(label)}
    for label in labels:
        word = _UNFIT.sub("_", label)
        numbered = (f"{word}_{number}" for number in count(2))
        taken = {_LABEL, *words.values()}
        if label not in words:
            words[label] = next(one for one in chain([word], numbered) if one not in taken)
    return words


def _bundle(messages: Sequence[bytes]) -> bytes:
    return _BUNDLE + b"".join(struct.pack(">i", len(message)) + message for message in messages)


def _message(address: str, *values: int | float | str) -> bytes:
    tags, data = ",", b""
    for value in values:
        if isinstance(value, str):
            tags, data = tags + "s", data + _text(value)
        elif isinstance(value, float):
            tags, data = tags + "f", data + struct.pack(">f", value)
        else:
            tags, data = tags + "i", data + struct.pack(">i", value)
    return _text(address) + _text(tags) + data


def _text(text: str) -> bytes:
    """Return text in ASCII, the only encoding of OSC 1.0, padded with zeros to a multiple of four bytes."""
    data = text.encode("ascii", "replace")
    return data + b"\0" * (4 - len(data) % 4)

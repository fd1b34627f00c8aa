"""Packets without data: FFmpeg's mark of the end, and pictures that stay."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


def is_flush(packet: "Packet[VideoStream]") -> bool:
    """Return whether a packet is FFmpeg's mark of the end, which makes a decoder return what it still holds."""
    return not packet.size and packet.pts is None and packet.dts is None


def is_repeat(packet: "Packet[VideoStream]") -> bool:
    """Return whether a packet says that the picture before it stays, as in Theora; a decoder takes it for the end."""
    return not packet.size and not is_flush(packet)

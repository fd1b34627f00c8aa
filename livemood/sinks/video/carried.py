"""State of one stream that is copied."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from livemood.sinks.video.remux import Copied, Track


@dataclass(slots=True)
class Carried:
    """State of one copied stream; times are s in the copy, ``counts`` is what the file's times count in a tick."""

    source: AudioStream | SubtitleStream
    track: Track
    starts: Fraction | None = None
    ends: Fraction = Fraction(0)
    next_s: Fraction | None = None
    last_dts: int | None = None
    last_duration: int = 0
    repaired: bool = False
    damaged: bool = False
    trimmed: bool = False
    began: Fraction | None = None
    step: Fraction = Fraction(0)
    counts: Fraction = Fraction(1)

    @property
    def is_sound(self) -> bool:
        """Whether it is sound, and not subtitles."""
        return isinstance(self.source, AudioStream)

    @property
    def tick(self) -> Fraction:
        """Unit of the source's times, s."""
        return self.source.time_base or Fraction(1, 1000)

    @property
    def fine_tick(self) -> Fraction:
        """One sample of sound, where the container's clock is coarser."""
        if isinstance(self.source, AudioStream):
            return min(self.tick, Fraction(1, self.source.codec_context.sample_rate))
        return self.tick

    def end_of(self, packet: Packet[Stream], time: Fraction) -> Fraction:
        """Return when a packet that starts at a time ends, s.

        Sound of unknown length, such as WavPack in Matroska, lasts as long as the packet before it did.
        """
        if self.began is not None and time > self.began:
            self.step = time - self.began
        self.began = time
        lasting = (packet.duration or 0) * self.tick
        return time + (lasting or (self.step if self.is_sound else Fraction(0)))

    def in_samples(self, time: Fraction) -> Fraction:
        """Undo a coarse clock's rounding, s, so that copied sound continues without a gap of a sample."""
        if not isinstance(self.source, AudioStream) or not isinstance(self.track, Copied):
            return time
        if self.next_s is not None and abs(time - self.next_s) <= self.tick:
            time = self.next_s
        sound = self.source.codec_context
        self.next_s = time + Fraction(sound.frame_size, sound.sample_rate) if sound.frame_size else None
        return time

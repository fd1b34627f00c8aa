"""Copying or re-encoding one stream of sound or subtitles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

_COMMON_RATE = 48_000
# Of an ASS event, before its text.
_COMMAS = 8
# Fills gaps with silence and drops overlaps, so that the sound keeps its timing.
_KEEP_TIME = {"async": "1", "min_hard_comp": "0.01"}


class Track(Protocol):
    """Turns packets of the source into packets of the copy."""

    def take(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Yield the packets for one packet of the source, whose times are already those of the copy."""
        ...

    def rest(self) -> Iterator[Packet[Stream]]:
        """Yield the remaining packets at the end."""
        ...


class Copied:
    """Copies packets unchanged."""

    def __init__(self, output: OutputContainer, source: Stream, tags: tuple[str, ...]) -> None:
        self._target = output.add_stream_from_template(source, opaque=True)
        _label(self._target, source, tags)

    def take(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Yield the packet."""
        packet.stream = self._target
        yield packet

    def rest(self) -> Iterator[Packet[Stream]]:
        """Yield nothing."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a source is copied, on the clock of the copy.

    Attributes:
        begins: Whether there is more before 0.
        length_s: Where it ends, s; None for the end of the source.
    """

    begins: bool = False
    length_s: Fraction | None = None


class Reencoded:
    """Re-encodes sound for a container that cannot hold its codec; more than two channels become two.

    What is heard outside a cut is left out: its first and last packets may reach far beyond it.
    """

    def __init__(
        self, output: OutputContainer, source: AudioStream, tags: tuple[str, ...], encoder: str, cut: Cut | None = None
    ) -> None:
        self._cut = cut or Cut()
        rate, rates = source.codec_context.sample_rate, Codec(encoder, "w").audio_rates
        if rates and rate not in rates:
            rate = _COMMON_RATE
        layout = "mono" if source.codec_context.channels == 1 else "stereo"
        self._source = source
        target = output.add_stream(encoder, rate=rate)
        assert isinstance(target, AudioStream)
        target.codec_context.layout = layout
        target.codec_context.time_base = Fraction(1, rate)
        _label(target, source, tags)
        self._target = target
        self._resampler: AudioResampler | None = None

    def take(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Yield the packets completed by one packet's sound; a damaged one becomes silence."""
        try:
            frames = self._source.decode(packet)
        except FFmpegError:
            return
        for frame in frames:
            if (kept := _within(frame, self._cut)) is not None:
                yield from self._encode(kept)

    def rest(self) -> Iterator[Packet[Stream]]:
        """Yield the packets of the last sound."""
        for frame in self._source.decode(None):
            yield from self._encode(frame)
        yield from self._encode(None)
        yield from self._target.encode(None)

    def _encode(self, frame: AudioFrame | None) -> Iterator[Packet[Stream]]:
        if self._resampler is None:
            context = self._target.codec_context
            context.open(strict=False)
            self._resampler = AudioResampler(
                context.format, context.layout, context.sample_rate, context.frame_size, _KEEP_TIME
            )
        for piece in self._resampler.resample(frame):
            yield from self._target.encode(piece)


def _within(frame: AudioFrame, cut: Cut) -> AudioFrame | None:
    """Return what of a frame is heard within a cut."""
    if frame.pts is None or frame.time_base is None:
        return frame
    start, rate = frame.pts * frame.time_base, frame.sample_rate
    early = max(-round(start * rate), 0) if cut.begins else 0
    end = frame.samples if cut.length_s is None else min(round((cut.length_s - start) * rate), frame.samples)
    if early >= end:
        return None
    if (early, end) == (0, frame.samples):
        return frame
    samples: Any = frame.to_ndarray()
    channels = 1 if frame.format.is_planar else frame.layout.nb_channels
    kept = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples[:, early * channels : end * channels]),
        format=frame.format.name,
        layout=frame.layout.name,
    )
    kept.sample_rate, kept.time_base = rate, frame.time_base
    kept.pts = frame.pts + round(Fraction(early, rate) / frame.time_base)
    return kept


class Rewritten:
    """Converts text subtitles to the codec of the new container."""

    def __init__(self, output: OutputContainer, source: SubtitleStream, tags: tuple[str, ...], encoder: str) -> None:
        self._source = source
        source.codec_context.open(strict=False)
        target = output.add_stream(encoder)
        assert isinstance(target, SubtitleStream)
        target.codec_context.subtitle_header = source.codec_context.subtitle_header
        target.time_base = Fraction(1, 1000)
        _label(target, source, tags)
        self._target = target

    def take(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Yield the packet of one cue; nothing for an empty or damaged one."""
        cue = self._decoded(packet)
        if cue is not None and packet.pts is not None:
            yield self._packet(cue, packet.pts, packet.pts + (packet.duration or 0), packet.time_base)

    def rest(self) -> Iterator[Packet[Stream]]:
        """Yield nothing."""
        yield from ()

    def _decoded(self, packet: Packet[Stream]) -> SubtitleSet | None:
        with suppress(FFmpegError):
            return self._source.decode2(packet)
        return None

    def _packet(self, cue: SubtitleSet, start: int, end: int, tick: Fraction) -> Packet[Stream]:
        text = self._target.codec_context.encode_subtitle(cue)
        text.pts = text.dts = start
        text.duration, text.time_base, text.stream = end - start, tick, self._target
        return text


@dataclass(frozen=True, slots=True)
class _Shown:
    """A cue that is shown until ``end``, ticks."""

    cue: SubtitleSet
    end: int


class Joined(Rewritten):
    """As ``Rewritten``, for a container whose cues cannot overlap: of those shown together it makes one."""

    def __init__(self, output: OutputContainer, source: SubtitleStream, tags: tuple[str, ...], encoder: str) -> None:
        super().__init__(output, source, tags, encoder)
        self._shown: list[_Shown] = []
        self._since = 0
        self._tick = Fraction(1, 1000)

    def take(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Yield the packets of what is shown before the cue of a packet begins."""
        cue = self._decoded(packet)
        if cue is None or packet.pts is None:
            return
        yield from self._until(packet.pts)
        self._since, self._tick = max(packet.pts, self._since), packet.time_base
        self._shown.append(_Shown(cue, packet.pts + (packet.duration or 0)))

    def rest(self) -> Iterator[Packet[Stream]]:
        """Yield the packets of what is shown last."""
        yield from self._until(max((one.end for one in self._shown), default=0))

    def _until(self, time: int) -> Iterator[Packet[Stream]]:
        while self._shown and self._since < time:
            end = min(time, *(one.end for one in self._shown))
            if end > self._since:
                yield self._packet(_joined([one.cue for one in self._shown]), self._since, end, self._tick)
            self._since = max(end, self._since)
            self._shown = [one for one in self._shown if one.end > self._since]


def _joined(cues: Sequence[SubtitleSet]) -> SubtitleSet:
    """Return one cue with the lines of all, of which the first is above."""
    if len(cues) == 1:
        return cues[0]
    events = [line.ass for cue in cues for line in cue.rects if isinstance(line, AssSubtitle)]
    *style, text = events[0].split(b",", _COMMAS)
    texts = [text, *(event.split(b",", _COMMAS)[-1] for event in events[1:])]
    return SubtitleSet.create(b",".join([*style, b"\\N".join(texts)]), 0, 0)


def _label(target: Stream, source: Stream, tags: tuple[str, ...]) -> None:
    target.disposition = source.disposition
    target.metadata.update({name: source.metadata[name] for name in tags if name in source.metadata})

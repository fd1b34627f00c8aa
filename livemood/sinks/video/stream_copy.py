"""Copies sound, subtitles, chapters and tags of a source into a labelled copy."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream

from livemood.core.video_info import VideoInfo
from livemood.sinks.markers.timebase import timebase
from livemood.sinks.video.carried import Carried
from livemood.sinks.video.formats import Format
from livemood.sinks.video.remux import Copied, Cut, Joined, Reencoded, Rewritten, Track
from livemood.sinks.video.seams import Seams

if TYPE_CHECKING:
    from av.container.core import Chapter

# Tags that describe the container, not the content.
_OF_THE_FILE = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "duration"})
# Reading starts this long before a cut, because not every container's index is exact.
_SEEK_PREROLL_S = 10
# Tags of a stream that are copied; a title may name someone.
_TAGS, _STRIPPED_TAGS = ("language", "title"), ("language",)
# Formats of which several files in one are read as one, in the order of the file; broadcasts apart.
_JOINED = frozenset({"matroska,webm", "ogg"})
# MOV and MP4 fill the time between subtitles with this.
_EMPTY_CUE = b"\0\0"
# The samples that a decoder needs first begin no longer before 0; other sound there is hidden by an edit list.
_PRIMING_S = Fraction(1, 5)
# Sound that is missing for longer at either end is reported.
_SILENT_S = Fraction(1, 4)
# TTA decoders need the original packet count, so a cut must be re-encoded.
_UNCUTTABLE = frozenset({"tta"})
# Packets of sound that decide whether times count bytes.
_PROBED_PACKETS = 4


class StreamCopy:
    """Reads the source's file a second time, in step with the picture, and muxes its other streams.

    Args:
        info: The source; its ``path`` is not None.
        output: The copy; its header is not written yet.
        kind: Format of ``output``.
        wanted: Types of streams to copy: ``audio``, ``subtitle``.
        copies_sound: Whether sound may be copied without encoding.
        strip_metadata: Leave tags and titles out; only languages stay.

    Attributes:
        warnings: One line for each thing that could not be preserved.

    Raises:
        av.FFmpegError: The source's file can no longer be read.
    """

    def __init__(
        self,
        info: VideoInfo,
        output: OutputContainer,
        kind: Format,
        wanted: tuple[str, ...] = ("audio", "subtitle"),
        copies_sound: bool = True,
        strip_metadata: bool = False,
    ) -> None:
        self.warnings: list[str] = []
        self._copies_sound, self._tags = copies_sound, _STRIPPED_TAGS if strip_metadata else _TAGS
        self._name, self._output, self._kind = info.name or str(info.path), output, kind
        self._zero = info.origin_s + Fraction(info.start_s)
        self._cut = info.start_s > 0
        self._length = None if info.end_s is None else Fraction(info.end_s) - Fraction(info.start_s)
        self._carried: dict[int, Carried] = {}
        with ExitStack() as stack:
            self._input = stack.enter_context(av.open(f"file:{info.path}", "r", metadata_errors="replace"))
            counts = _bytes_in_a_tick(info.path) if self._input.format.name == "avi" else {}
            streams: list[AudioStream | SubtitleStream] = [*self._input.streams.audio, *self._input.streams.subtitles]
            for stream in streams:
                if stream.type in wanted and (track := self._track(stream)):
                    self._carried[stream.index] = Carried(stream, track, counts=counts.get(stream.index, Fraction(1)))
            self._note_what_stays_behind()
            self._keep_tags(info, strip_metadata)
            if info.start_s > _SEEK_PREROLL_S:
                with suppress(av.FFmpegError):
                    self._input.seek(int((self._zero - _SEEK_PREROLL_S) * av.time_base))
            self._packets = iter(self._shifted(1 / info.average_rate))
            self._next = self._read()
            self._open = stack.pop_all()

    def pump(self, until_s: Fraction | None) -> None:
        """Mux packets that start before a time in the copy, s; None for all.

        Raises:
            av.FFmpegError: The disk is full or gone.
        """
        while self._next is not None and (until_s is None or self._next[0] < until_s):
            self._carry(*self._next)
            self._next = self._read()

    def finish(self, picture_start_s: Fraction, picture_end_s: Fraction, whole: bool) -> None:
        """Mux the remaining packets: all of them if the ``whole`` video was written, else those before its end, s.

        Raises:
            av.FFmpegError: The disk is full or gone.
        """
        self.pump(self._length if whole else picture_end_s)
        for carried in self._carried.values():
            self._mux(carried, carried.track.rest())
            if whole and carried.is_sound:
                self._note_flaws(carried, picture_start_s, picture_end_s)

    def close(self) -> None:
        """Close the source's file; a second call does nothing."""
        self._open.close()

    def _track(self, stream: AudioStream | SubtitleStream) -> Track | None:
        """Return how to copy a stream; None, with a warning, if the copy cannot hold it."""
        is_sound, kind = isinstance(stream, AudioStream), self._kind
        what = f"the {'sound' if is_sound else 'subtitles'} of {self._name}"
        context: CodecContext | None = stream.codec_context
        if context is None:
            self._note(f"left out {what}: no decoder is known for it")
            return None
        codec = context.codec
        refused = (av.FFmpegError, ValueError)  # PyAV raises ValueError for codecs that a container cannot hold
        why = f"{kind.name} does not support {codec.canonical_name}"
        if kind.copies(codec.canonical_name, is_sound) and (self._copies_sound or not is_sound):
            if codec.canonical_name in _UNCUTTABLE and (self._cut or self._length is not None):
                why = f"{codec.canonical_name} cannot be cut as it is"
            else:
                with suppress(*refused):
                    return Copied(self._output, stream, self._tags)
        elif not self._copies_sound:
            why = f"{kind.name} refuses it as it is"
        with suppress(*refused):
            if isinstance(stream, AudioStream) and kind.sound_encoder:
                track = Reencoded(self._output, stream, self._tags, kind.sound_encoder, Cut(self._cut, self._length))
                self._note(f"re-encoded {what}: {why}")
                return track
            if isinstance(stream, SubtitleStream) and kind.subtitle_encoder and codec.text_sub:
                rewritten = Joined if kind.is_mp4 else Rewritten
                return rewritten(self._output, stream, self._tags, kind.subtitle_encoder)
        self._note(f"left out {what}: {kind.name} does not support {codec.canonical_name}")
        return None

    def _note(self, line: str) -> None:
        """Add a warning, once for all tracks of which it is true."""
        if line not in self.warnings:
            self.warnings.append(line)

    def _note_what_stays_behind(self) -> None:
        videos = self._input.streams.video
        covers = [stream for stream in videos if stream.disposition & Disposition.attached_pic]
        others = [stream for stream in videos if stream not in covers][1:]
        attached = [stream for stream in self._input.streams if stream.type == "attachment"]
        left = ("other video tracks", others), ("cover picture", covers), ("attached files, such as fonts,", attached)
        for what, streams in left:
            if streams:
                self._note(f"left out the {what} of {self._name}")

    def _keep_tags(self, info: VideoInfo, strip: bool) -> None:
        for name, value in ({} if strip else self._input.metadata).items():
            if name.lower() == "timecode":
                value = _later(value, info)
            if value and name.lower() not in _OF_THE_FILE:
                self._output.metadata[name] = value
        chapters: list[Chapter] = []
        for chapter in self._input.chapters():
            unit = chapter["time_base"] or Fraction(1, 1000)
            start = max(chapter["start"] * unit - self._zero, Fraction(0))
            end = chapter["end"] * unit - self._zero
            if self._length is not None:
                end = min(end, self._length)
            if start < end:
                if strip:
                    chapter["metadata"] = {}
                moved: Chapter = {**chapter, "start": round(start / unit), "end": round(end / unit), "time_base": unit}
                chapters.append(moved)
        self._output.set_chapters(chapters)

    def _shifted(self, interval: Fraction) -> Iterable[tuple[Packet[Stream], Fraction]]:
        """Yield packets with what is to be added to their times, s; where files were joined, the clock begins again."""
        sources: list[Stream] = [carried.source for carried in self._carried.values()]
        films = [film for film in self._input.streams.video if not film.disposition & Disposition.attached_pic]
        best = self._input.streams.best("video")
        picture = best if best in films else next(iter(films), None)
        form = self._input.format.name
        broadcast = "mpeg" in form
        if picture is None or not (broadcast or form in _JOINED):
            return ((packet, Fraction(0)) for packet in self._input.demux(*sources))
        packets = self._input.demux(picture, *sources)
        return Seams(packets, picture.index, interval, broadcast)

    def _read(self) -> tuple[Fraction, Packet[Stream], Carried] | None:
        """Return the next packet with its time, s, in the copy."""
        if not self._carried:
            return None
        while True:
            try:
                found = next(self._packets, None)
            except av.FFmpegError:
                self._note(f"{self._name} is damaged; not all of its sound and subtitles could be read")
                return None
            if found is None:
                return None
            packet, shift = found
            if not packet.size:
                continue
            carried = self._carried[packet.stream_index]
            carried.repaired |= carried.is_sound and shift != 0
            ticks = packet.dts if packet.pts is None else packet.pts
            time = carried.ends if ticks is None else ticks * carried.tick / carried.counts + shift - self._zero
            if shift and carried.is_sound and time + (packet.duration or 0) * carried.tick <= carried.ends:
                continue  # the sound before the seam is longer than its picture
            return time, packet, carried

    def _carry(self, time: Fraction, packet: Packet[Stream], carried: Carried) -> None:
        tick = carried.tick
        end = carried.end_of(packet, time)
        if self._is_hidden(time, end, packet, carried):
            return
        time = carried.in_samples(time)
        if not carried.is_sound:
            # Bitmaps, as of broadcasts, have no length: they stay until the next ones.
            stays = not packet.duration and isinstance(carried.track, Copied)
            if stays and time < 0 and self._cut:
                return
            time, end = max(time, Fraction(0)), end if self._length is None else min(end, self._length)
            if (end <= time and not stays) or bytes(packet) == _EMPTY_CUE:
                return
            end = max(time, end)
        if time < 0 and self._cut and (time < end <= 0 or not isinstance(carried.track, Reencoded)):
            return
        delay = 0 if packet.pts is None or packet.dts is None else (packet.pts - packet.dts) * tick
        tick = carried.fine_tick
        packet.pts, packet.dts = round(time / tick), round((time - delay) / tick)
        packet.duration, packet.time_base = round((end - time) / tick), tick
        if not self._mux(carried, carried.track.take(packet)):
            return
        if carried.starts is None and (end > 0 or not self._cut):
            carried.starts = max(time, Fraction(0)) if self._cut else time
        carried.ends = max(carried.ends, end)

    def _is_hidden(self, time: Fraction, end: Fraction, packet: Packet[Stream], carried: Carried) -> bool:
        """Return whether an edit list hides a packet, and the copy cannot have such a list.

        The last packet before what is heard is kept, because a decoder needs it.
        """
        carried.trimmed |= packet.is_discard and time < -_PRIMING_S
        if not carried.trimmed or self._kind.is_mp4 or not isinstance(carried.track, Copied):
            return False
        return packet.is_discard and time <= -2 * (end - time)

    def _mux(self, carried: Carried, packets: Iterable[Packet[Stream]]) -> bool:
        """Mux a stream's packets, each decoded later than the one before; return whether none was too damaged."""
        try:
            for packet in packets:
                self._keep_order(carried, packet)
                self._output.mux(packet)
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, OSError):
                raise
            if not carried.damaged:
                what = "sound" if carried.is_sound else "subtitles"
                self._note(f"the {what} of {self._name} is damaged; what could not be copied was left out")
            carried.damaged = True
            return False
        return True

    def _keep_order(self, carried: Carried, packet: Packet[Stream]) -> None:
        """Give a packet whose time runs backwards the time after the last one."""
        dts = packet.pts if packet.dts is None else packet.dts
        if dts is not None and carried.last_dts is not None and dts <= carried.last_dts:
            dts = carried.last_dts + max(carried.last_duration, 1)
            packet.pts = max(packet.pts or dts, dts)
            carried.repaired = True
        packet.dts = carried.last_dts = dts
        carried.last_duration = packet.duration or 0

    def _note_flaws(self, carried: Carried, picture_start_s: Fraction, picture_end_s: Fraction) -> None:
        if carried.repaired:
            self._note(f"the sound of {self._name} has broken times; they were repaired")
        if carried.starts is None:
            if not carried.damaged:
                part = self._cut or self._length is not None
                self._note(
                    f"no sound of {self._name} lies within the cut" if part else f"the sound of {self._name} is empty"
                )
            return
        late, early = carried.starts - picture_start_s, picture_end_s - carried.ends
        if late > _SILENT_S:
            self._note(f"the sound of {self._name} starts {float(late):.1f} s after the picture")
        if early > _SILENT_S:
            self._note(f"the sound of {self._name} ends {float(early):.1f} s before the picture")


def _later(timecode: str, info: VideoInfo) -> str:
    """Return the timecode of the first frame of a cut, given the source's; empty if that is invalid."""
    if not info.start_s:
        return timecode
    try:
        base = timebase(info.average_rate, timecode)
    except ValueError:
        return ""
    return base.timecode(base.frame(info.start_s - info.first_s))


def _bytes_in_a_tick(path: Path | None) -> dict[int, Fraction]:
    """Return, by stream, how many bytes one tick covers in AVI files whose timestamps count bytes instead of packets.

    FFmpeg writes G.726 so.
    """
    found: dict[int, Fraction] = {}
    with suppress(av.FFmpegError), av.open(f"file:{path}", "r", metadata_errors="replace") as container:
        for stream in container.streams.audio:
            container.seek(0)
            sizes = ((p.pts, p.size, p.duration) for p in container.demux(stream) if p.size and p.pts is not None)
            first = list(islice(sizes, _PROBED_PACKETS))
            steps = [(later[0] - one[0], one[1], one[2]) for one, later in pairwise(first)]
            if steps and all(step == size and size > (lasting or size) for step, size, lasting in steps):
                found[stream.index] = Fraction(sum(s for _, s, _ in steps), sum(d or 1 for *_, d in steps))
    return found

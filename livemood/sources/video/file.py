"""A video file as a source: every frame, upright, at the file's own times."""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from itertools import chain
from math import inf
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from livemood.core.errors import CutEmpty, VideoUnreadable, one_line_about
from livemood.core.types import Frame
from livemood.core.video_info import VideoInfo
from livemood.sources.base import Source
from livemood.sources.video.colour import UprightBgr, deinterlace, is_hdr
from livemood.sources.video.frame_rate import EXAMINED, clock_of, frame_rate, is_counted
from livemood.sources.video.packets import is_flush, is_repeat
from livemood.sources.video.probe import first_time, open_container, origin, picture_end, picture_stream, timecode
from livemood.sources.video.spool import seekable
from livemood.sources.video.timestamps import ShownTimes, Timeline
from livemood.sources.video.webp import decoded_webp, is_animated_webp

# Decoding starts this long before a cut, because not every container's index finds the key frame just before it.
_SEEK_PREROLL_S = 10
# Limit of the packets that are examined, for files with large pictures.
_BEGINNING_BYTES = 8 << 20
# A file whose last frame ends this much before the stated duration counts as truncated.
_MISSING_S = Fraction(1, 5)


class VideoSource(Source):
    """Decodes a video file; a context manager.

    Times are those of the container; if its clock starts later than 1 s, as in a part of a broadcast, they count from
    its first sound or picture. Rotation, colour matrix and range are applied, interlaced frames are deinterlaced, HDR
    is converted to SDR, and pictures of another size are scaled to that of the first. ``frames`` can be iterated once.

    Args:
        path: Any file that FFmpeg's libraries read, GIFs included, or an animated WebP. A video from a pipe, or stdin
            (``-``), is copied to a temporary file first.
        start_s: Skip frames shown before this time, s.
        duration_s: Length of the cut from ``start_s`` on, s; None for the rest.

    Attributes:
        live: False: frames wait until they are taken.
        path: The file.
        name: The file's name.
        warnings: One line for each irregularity; complete when ``frames`` has ended.

    Raises:
        VideoUnreadable: The file is missing, or holds no picture that can be decoded.
        CutEmpty: No frame begins within the cut.
        ValueError: A negative start, or a duration that is not above 0.
    """

    live = False

    def __init__(self, path: Path, start_s: float = 0.0, duration_s: float | None = None) -> None:
        if start_s < 0 or (duration_s is not None and duration_s <= 0):
            raise ValueError(f"a cut starts at 0 s or later and is longer than 0 s, got {start_s} and {duration_s}")
        self.path, self.name = path, path.name
        self.warnings: list[str] = []
        self._packets = self._damaged = 0
        self._newest: int | None = None
        # When the last frame before the cut and the first one after it begin, s.
        self._before: Fraction | None = None
        self._after: Fraction | None = None
        self._repeated_until = Fraction(0)
        with one_line_about(path, VideoUnreadable), ExitStack() as stack:
            self._file = stack.enter_context(seekable(path))
            if is_animated_webp(self._file):
                self._file = stack.enter_context(decoded_webp(self._file, path, self.warnings))
            self._container = stack.enter_context(open_container(self._file, path))
            self._stream = picture_stream(self._container, path)
            # In a broadcast, a packet marked as corrupt lacks a few bytes and can still be decoded.
            self._is_broadcast = "mpeg" in self._container.format.name
            self._origin = origin(self._container, self._stream)
            self._cut = (start_s, None if duration_s is None else start_s + duration_s)
            self._tick = self._stream.time_base or Fraction(1, 1000)
            self._examined = deque(self._beginning())
            self._has_times = not self._examined or any(packet.pts is not None for packet in self._examined)
            rate = frame_rate(self._stream, self._examined)
            self._timeline = Timeline(self._tick if self._has_times else clock_of(rate), 1 / rate)
            self._shown = ShownTimes("avi" in self._container.format.name)
            self._timed = self._within_cut()
            stack.callback(self._timed.close)
            first = next(self._timed, None)
            if first is None:
                raise self._nothing()
            self._first = first
            self._upright = UprightBgr(first[1])
            self._info = self._describe(rate, float(first[0]))
            self._opened = stack.pop_all()

    @property
    def info(self) -> VideoInfo:
        """Size, rate and times of the file."""
        return self._info

    def frames(self) -> Generator[Frame, None, None]:
        """Yield the frames; to be called once.

        Raises:
            VideoUnreadable: The pixel format cannot be converted.
        """
        with one_line_about(self.path, VideoUnreadable):
            yield from self._frames()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._opened.close()

    def _frames(self) -> Iterator[Frame]:
        index, last_end = 0, Fraction(0)
        try:
            for time, picture in chain([self._first], self._timed):
                yield Frame(index, float(time), self._upright(picture))
                index += 1
                lasting = picture.duration * (picture.time_base or self._tick)
                last_end = time + (lasting or self._timeline.interval)
            if self._stops_early(last_end):
                self._damaged = 0  # the truncation explains the damage
                self.warnings.append(f"{self.path} is cut off; {index} frames could be read")
        except av.FFmpegError as error:
            raise VideoUnreadable(f"{self.path}: its kind of picture cannot be converted ({error.strerror})") from error
        finally:
            self._note_repairs()

    def _beginning(self) -> Iterator["Packet[VideoStream]"]:
        """Yield the first packets, if the rate must be measured from them."""
        size = count = 0
        with suppress(av.FFmpegError):
            for packet in () if is_counted(self._stream) else self._container.demux(self._stream):
                if is_flush(packet):
                    return
                yield packet
                size, count = size + packet.size, count + 1
                if size > _BEGINNING_BYTES or count == EXAMINED:
                    return

    def _decoded(self) -> Iterator[VideoFrame]:
        """Decode frames; a damaged packet loses only its own ones."""
        shown, begun = None, False
        for frame in self._decoded_ahead():
            if not begun and self._is_broadcast:
                self._damaged = 0  # a piece of a broadcast: what comes before its first key frame is not whole
            begun = True
            if frame.pts is not None:
                shown = frame.pts if shown is None else max(shown, frame.pts)
            yield frame
        threaded = self._stream.codec_context.thread_count != 1
        if threaded and shown is not None and self._newest is not None and shown < self._newest:
            yield from self._decoded_again(shown)

    def _decoded_again(self, shown: int) -> Iterator[VideoFrame]:
        """Decode the frames shown after a time again, on one thread.

        At the end of a file, a decoder with several threads drops everything after the first damaged frame.
        """
        with suppress(av.FFmpegError), open_container(self._file, self.path) as container:
            stream = picture_stream(container, self.path, threads=False)
            container.seek(shown, stream=stream)
            for packet in container.demux(stream):
                if is_repeat(packet) or (packet.is_corrupt and not self._is_broadcast):
                    continue
                with suppress(av.FFmpegError):
                    yield from (frame for frame in packet.decode() if frame.pts is not None and frame.pts > shown)

    def _decoded_ahead(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = self._examined.popleft() if self._examined else next(packets, None)
            except av.FFmpegError:
                self._damaged += 1
                return
            if packet is None:
                return
            if is_repeat(packet):
                self._repeated_until = ((packet.pts or 0) + (packet.duration or 0)) * self._tick - self._origin
                continue
            self._packets += packet.size > 0
            if packet.pts is not None and not packet.is_discard:
                self._newest = packet.pts if self._newest is None else max(self._newest, packet.pts)
            if packet.is_corrupt and not self._is_broadcast:
                # The end of a truncated file. A decoder with several threads would lose the frames before it.
                self._damaged += 1
                continue
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self._damaged += 1

    def _from_shortly_before(self, start_s: float) -> tuple[VideoFrame | None, Iterator[VideoFrame]]:
        """Return an iterator that starts at or before the cut's start, and its first frame."""
        if start_s <= _SEEK_PREROLL_S or not self._has_times:  # where nothing has a time, there is nothing to seek by
            frames = self._decoded()
            return next(frames, None), frames
        for position_s in (start_s - _SEEK_PREROLL_S, 0.0):
            with suppress(av.FFmpegError):  # a GIF, for one, has no index: it is read from its beginning
                self._container.seek(int((self._origin + Fraction(position_s)) / self._tick), stream=self._stream)
                self._examined.clear()
                self._newest = None
            frames = self._decoded()
            first = next(frames, None)
            ticks = None if first is None else first.dts if first.pts is None else first.pts
            if first is not None and (ticks or 0) * self._tick - self._origin <= start_s:
                break
        return first, frames

    def _own_time(self, frame: VideoFrame) -> Fraction | None:
        """Return the file's own time of a frame, s; None if it has none."""
        ticks = self._shown.of(frame)
        return None if ticks is None else ticks * (frame.time_base or self._tick) - self._origin

    def _within_cut(self) -> Generator[tuple[Fraction, VideoFrame], None, None]:
        """Yield decoded frames with their times, s, from the cut's start to its end."""
        start, end = self._cut
        first, rest = self._from_shortly_before(start)
        if first is None:
            return
        interlaced = f"{self.path} is interlaced; it was deinterlaced"
        frames = deinterlace(chain([first], rest), lambda: self.warnings.append(interlaced))
        if is_hdr(first):
            self.warnings.append(f"{self.path} is HDR; it was converted to SDR")
        # Half a tick of tolerance, so that a time typed with few digits finds its frame.
        slack = self._timeline.tick / 2
        timed = ((self._own_time(frame), frame) for frame in frames)
        coming = next(timed, None)
        while coming is not None:
            own, frame = coming
            coming = next(timed, None)
            pause = self._timeline.leaps(own) and self._is_pause(own, coming and coming[0])
            time = self._timeline.place(own, pause)
            if end is not None and time >= end - slack:
                self._after = time
                return
            if time >= start - slack:
                yield time, frame
            else:
                self._before = time

    def _is_pause(self, time: Fraction | None, following: Fraction | None) -> bool:
        """Return whether a jump to a time is a pause: the next frame continues there, or the container ends there."""
        if time is None or self._is_broadcast:  # a broadcast's clock may restart at any moment
            return False
        if following is not None:
            return following >= time
        told = picture_end(self._container, self._stream) or Fraction(self._container.duration or 0, av.time_base)
        return time <= told - self._origin + self._timeline.interval

    def _describe(self, rate: Fraction, first_s: float) -> VideoInfo:
        start, end = self._cut
        last_end = picture_end(self._container, self._stream)
        ends = [] if last_end is None else [float(last_end - self._origin)]
        if end is not None:
            ends.append(end)
        count: int | None = self._stream.frames or None
        if (start or end is not None or not count) and ends:
            share = (min(ends) - first_s) / max(ends[0], 1e-9) if count else 0.0
            count = max(round(count * share) if count else round((min(ends) - first_s) * rate), 1)
        return VideoInfo(
            width=self._upright.width,
            height=self._upright.height,
            average_rate=rate,
            time_base=self._timeline.tick,
            pixel_aspect=self._upright.pixel_aspect(self._stream.sample_aspect_ratio),
            name=str(self.path),
            path=self._file,
            origin_s=self._origin,
            start_s=first_s if start else 0.0,
            end_s=end,
            first_s=float(first_time(self._stream) - self._origin),
            timecode=timecode(self._container, self._stream),
            picture_end_s=min(ends) if ends else None,
            frame_count=count,
        )

    def _stops_early(self, last_end: Fraction) -> bool:
        if self._cut[1] is not None or self.info.picture_end_s is None or self._packets >= (self._stream.frames or inf):
            return False
        last_end = max(last_end, self._repeated_until)
        return self.info.picture_end_s - last_end > max(_MISSING_S, 2 * self._timeline.interval)

    def _nothing(self) -> VideoUnreadable:
        """Return the error that says why there is no frame."""
        start, end = self._cut
        if self._after is not None:
            between = f"no frame of {self.path} begins between {start:g} and {end:g} s"
            return CutEmpty(f"{between}, the next one begins at {float(self._after):g} s", "take a longer part")
        if self._before is not None:
            late = f"no frame of {self.path} begins at {start:g} s or later"
            return CutEmpty(f"{late}, the last one begins at {float(self._before):g} s", "start earlier")
        if self._packets:
            return VideoUnreadable(f"{self.path} is damaged: none of its frames can be decoded")
        return VideoUnreadable(f"{self.path} contains a video stream without a single frame")

    def _note_repairs(self) -> None:
        repaired, resized = self._timeline.repaired, self._upright.resized
        if self._damaged:
            self.warnings.append(f"{self.path} is damaged; what could not be decoded was left out")
        if not self._has_times:
            rate = f"{float(self.info.average_rate):.5g}"
            self.warnings.append(f"{self.path} has no timestamps; its frames were spaced evenly, {rate} per second")
        elif repaired:
            self.warnings.append(f"{self.path} has broken times; those of {repaired} frames were repaired")
        if resized:
            self.warnings.append(f"{self.path} changes its size; {resized} frames were scaled to the first one's")

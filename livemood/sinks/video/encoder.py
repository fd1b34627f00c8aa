"""Encoding BGR pictures as packets of a video stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import ceil
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
from av.codec.context import CodecContext
from av.container import OutputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from livemood.core.types import Image
from livemood.core.video_info import VideoInfo
from livemood.runtime.native_output import native_stderr_held
from livemood.runtime.processes import same_scheduling, usable_cores
from livemood.sinks.video.formats import Encoder, Format

# Rows Y, U, V of 8-bit limited range; columns B, G, R and an offset.
_KB, _KG, _KR = 0.0722, 0.7152, 0.2126
_BLUE, _RED = 112 / 255 / (1 - _KB), 112 / 255 / (1 - _KR)
_BT709 = np.array(
    [
        [219 / 255 * _KB, 219 / 255 * _KG, 219 / 255 * _KR, 16],
        [_BLUE * (1 - _KB), -_BLUE * _KG, -_BLUE * _KR, 128],
        [-_RED * _KB, -_RED * _KG, _RED * (1 - _KR), 128],
    ],
    np.float32,
)


# Codecs' limits count blocks of this side.
_BLOCK_PX = 16


class PictureEncoder:
    """Encodes pictures, each shown until the next.

    Where neither codec nor container can store the pixel aspect, the picture is scaled to square pixels.

    Args:
        output: Gets the stream.
        info: Size, rate and pixel aspect.
        kind: What ``output`` is.
        encoder: How to code the picture.
        tick: The unit of times, s.
        options: Of the encoder.

    Attributes:
        first: Time of the first picture, ticks; None before it.
        last: Time of the last picture, ticks; None before the first.
        note: How the picture's size was changed; empty if it was not.

    Raises:
        av.FFmpegError: The encoder refuses the size or the options.
    """

    def __init__(
        self,
        output: OutputContainer,
        info: VideoInfo,
        kind: Format,
        encoder: Encoder,
        tick: Fraction,
        options: Mapping[str, str],
    ) -> None:
        self.first: int | None = None
        self.last: int | None = None
        self.note = ""
        self._is_mp4 = kind.is_mp4
        self._size = (info.width, info.height)
        if info.pixel_aspect != 1 and not (kind.is_mp4 or encoder.keeps_aspect):
            self._size = (max(round(info.width * info.pixel_aspect), 1), info.height)
            self.note = f"{kind.name} has square pixels only; the picture was made {self._size[0]} px wide"
        self._padding = (self._size[0] % 2, self._size[1] % 2) if encoder.even else (0, 0)
        if any(self._padding):
            self.note = f"{encoder.name} needs even sides; the picture was made 1 px larger"
        rate = _declared_rate(encoder, info.average_rate, self._size)
        stream = output.add_stream(encoder.name, rate=rate, options=dict(options), time_base=tick)
        assert isinstance(stream, VideoStream)
        self._stream = stream
        context = stream.codec_context
        context.width, context.height = (side + more for side, more in zip(self._size, self._padding, strict=True))
        context.pix_fmt = encoder.pixel_format
        if self._size[0] == info.width:
            context.sample_aspect_ratio = info.pixel_aspect
        self._prepare: _Preparation
        if encoder.pixel_format == "pal8":
            self._prepare = _Palette(context.width, context.height, tick)
        else:
            self._prepare = _Planes(tick)
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        if info.path is not None:
            context.thread_type = "AUTO"  # frame threads: fast, but each picture is delayed by a few
        if encoder.small_px:
            # The encoder's default of 1.5 threads per core takes too much time from the other threads.
            small = context.width * context.height <= encoder.small_px
            context.thread_count = 1 if small else usable_cores()
        if encoder.tag and kind.is_mp4:
            context.codec_tag = encoder.tag
        with same_scheduling(), native_stderr_held():  # encoders bypass FFmpeg's log
            context.open()
        self._held: list[VideoFrame] = []
        self._durations: dict[int, int] = {}
        self._packet: Packet[VideoStream] | None = None
        self._first_decoded = 0

    def put(self, time: int, image: Image) -> Iterator[Packet[VideoStream]]:
        """Take a picture, (H, W, 3) uint8 BGR, shown from ``time`` on, ticks; yield the packets that are ready."""
        if image.shape[1] != self._size[0]:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_CUBIC), np.uint8)
        if any(self._padding):
            right, bottom = self._padding
            image = np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        if self.last is not None:
            self._durations[self.last] = time - self.last
        yield from self._encode(self._held)
        self._held = list(self._prepare.take(image, time))
        self.first, self.last = time if self.first is None else self.first, time

    def finish(self, end: int) -> Iterator[Packet[VideoStream]]:
        """Yield all packets left; the last picture is shown until ``end``, ticks."""
        if self.first is None or self.last is None:
            return
        self._durations[self.last] = end - self.last
        yield from self._encode(self._held)
        yield from self._encode(self._prepare.rest())
        yield from self._hold_one(self._stream.encode(None))
        if self._packet is None:
            return
        if self._is_mp4 and self._packet.dts is not None:
            # The duration of the stream is the sum over its pictures.
            self._packet.duration = max(end - self.first - (self._packet.dts - self._first_decoded), 1)
        yield self._packet

    def _encode(self, frames: Iterable[VideoFrame]) -> Iterator[Packet[VideoStream]]:
        for frame in frames:
            yield from self._hold_one(self._stream.encode(frame))

    def _hold_one(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """Set the packets' durations and yield them, except the last, whose duration depends on the end."""
        for packet in packets:
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts, packet.duration)
            if self._packet is None:
                self._first_decoded = packet.dts or 0
            else:
                yield self._packet
            self._packet = packet


def takes_options(encoder: Encoder, options: Mapping[str, str]) -> bool:
    """Return whether an encoder takes options, tried on a small picture."""
    context = CodecContext.create(encoder.name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width = context.height = 4 * _BLOCK_PX
    context.pix_fmt, context.time_base, context.options = encoder.pixel_format, Fraction(1, 25), dict(options)
    try:
        with same_scheduling(), native_stderr_held():
            context.open()
    except FFmpegError:
        return False
    return True


def _declared_rate(encoder: Encoder, rate: Fraction, size: tuple[int, int]) -> Fraction:
    """Return the frame rate that an encoder is given, limited to what players of the codec support."""
    if encoder.max_rate is not None:
        rate = min(rate, Fraction(encoder.max_rate))
    if encoder.max_px_per_s is not None:
        blocks = ceil(size[0] / _BLOCK_PX) * ceil(size[1] / _BLOCK_PX)
        rate = min(rate, Fraction(max(encoder.max_px_per_s // (blocks * _BLOCK_PX**2), 1)))
    return rate


class _Preparation(Protocol):
    def take(self, image: Image, time: int) -> Iterable[VideoFrame]: ...

    def rest(self) -> Iterable[VideoFrame]: ...


class _Planes:
    """Converts BGR to BT.709 YUV 4:2:0 with OpenCV, in a third of the time of swscale with accurate rounding."""

    def __init__(self, tick: Fraction) -> None:
        self._tick = tick
        # Reused for every picture: allocating large arrays each time is slow.
        self._whole: Image | None = None
        self._chroma: tuple[Image, Image] | None = None

    def take(self, image: Image, time: int) -> Iterable[VideoFrame]:
        frame = VideoFrame(image.shape[1], image.shape[0], "yuv420p")
        frame.pts, frame.time_base = time, self._tick
        luma, blue, red = map(_pixels, frame.planes)
        self._whole = whole = np.asarray(cv2.transform(image, _BT709, self._whole), np.uint8)
        if self._chroma is None:
            self._chroma = np.empty_like(luma), np.empty_like(luma)
        cv2.split(whole, (luma, *self._chroma))
        for full, half in zip(self._chroma, (blue, red), strict=True):
            cv2.resize(full, half.shape[::-1], half, interpolation=cv2.INTER_AREA)
        return [frame]

    def rest(self) -> Iterable[VideoFrame]:
        return []


def _pixels(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """Return a plane as a writable array, (height, width) uint8."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


class _Palette:
    """Converts to a palette of 256 colours for each picture, with dithering, so that memory stays flat."""

    def __init__(self, width: int, height: int, tick: Fraction) -> None:
        self._tick = tick
        self._graph = graph = Graph()
        source = graph.add(
            "buffer", f"video_size={width}x{height}:pix_fmt=bgr24:time_base={tick.numerator}/{tick.denominator}"
        )
        split, sink = graph.add("split"), graph.add("buffersink")
        choose = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
        use = graph.add("paletteuse", "new=1:dither=sierra2_4a")
        source.link_to(split)
        split.link_to(choose, 0, 0)
        split.link_to(use, 1, 0)
        choose.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()

    def take(self, image: Image, time: int) -> Iterator[VideoFrame]:
        frame = VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = time, self._tick
        return self._pass(frame)

    def rest(self) -> Iterator[VideoFrame]:
        return self._pass(None)

    def _pass(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (BlockingIOError, EOFError):
                return

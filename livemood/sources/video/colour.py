"""From a decoder's frame to an upright 8-bit BGR picture."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import cv2
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, VideoReformatter

from livemood.core.types import Image
from livemood.sources.video.side_data import display_matrix

# Code points of ITU-T H.273, as containers and codecs carry them.
_MATRIX_UNKNOWN = 2
_HDR_TRANSFERS = frozenset({int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)})
# Without a tagged colour matrix, players assume BT.709 from this height on, BT.601 below.
_HD_HEIGHT = 720
# Smaller frames may have chroma planes that bwdif refuses.
_MIN_DEINTERLACED_PX = 16

_Turn = tuple[bool, int | None]
"""Whether to transpose first, and the flip code of ``cv2.flip``."""


class UprightBgr:
    """Converts decoded frames to upright pictures of one size.

    The tagged colour matrix and range are applied. HDR (PQ or HLG) is converted to SDR: white at 203 cd/m², the
    reference of ITU-R BT.2408, and brighter values are clipped.

    Args:
        first: First frame; all pictures get its size and orientation.

    Attributes:
        width: Of every picture, px.
        height: Of every picture, px.
        resized: Number of frames that had another size and were scaled.
    """

    def __init__(self, first: VideoFrame) -> None:
        self._size = (first.width, first.height)
        self._transposed = _turn(first)[0]
        self.width, self.height = self._size[::-1] if self._transposed else self._size
        self.resized = 0
        self._scaler = VideoReformatter()

    def fits(self, frame: VideoFrame) -> bool:
        """Return whether a frame has the size and orientation of the first one."""
        return (frame.width, frame.height) == self._size and _turn(frame)[0] == self._transposed

    def pixel_aspect(self, ratio: Fraction | None) -> Fraction:
        """Return the pixel aspect (width / height) of the upright picture, given the stream's."""
        if not ratio or ratio <= 0:
            return Fraction(1)
        return 1 / ratio if self._transposed else ratio

    def __call__(self, frame: VideoFrame) -> Image:
        """Return a frame as (height, width, 3) uint8 BGR.

        Raises:
            av.FFmpegError: The frame's pixel format cannot be converted.
        """
        hdr = is_hdr(frame)
        unknown_hd = frame.colorspace == _MATRIX_UNKNOWN and frame.height >= _HD_HEIGHT and not frame.format.is_rgb
        turn = _turn(frame)
        size = self._size if turn[0] == self._transposed else self._size[::-1]
        self.resized += (frame.width, frame.height) != size
        bgr = self._scaler.reformat(
            frame,
            *size,
            format="bgr24",
            src_colorspace=Colorspace.ITU709 if unknown_hd else None,
            dst_color_trc=ColorTrc.BT709 if hdr else None,
            dst_color_primaries=ColorPrimaries.BT709 if hdr else None,
            threads=1,  # handing over to other threads takes longer than the conversion
        ).to_ndarray()
        return _turned(np.asarray(bgr, np.uint8), turn)


def is_hdr(frame: VideoFrame) -> bool:
    """Return whether a frame is tagged as HDR (PQ or HLG)."""
    return frame.color_trc in _HDR_TRANSFERS


def deinterlace(frames: Iterable[VideoFrame], on_first: Callable[[], None]) -> Iterator[VideoFrame]:
    """Yield the frames, those flagged as interlaced deinterlaced by bwdif; number and times stay the same.

    Frames that are too small for bwdif are not changed.

    Args:
        frames: Of one film; any may be interlaced.
        on_first: Called at the first interlaced frame.
    """
    graph, kind, met = None, None, False
    for frame in frames:
        if not met and not frame.interlaced_frame:
            yield frame
            continue
        if not met:
            met = True
            on_first()
        if kind != (now := (frame.width, frame.height, frame.format.name)):
            if graph is not None:
                yield from graph.passed(None)
            small = min(frame.width, frame.height) < _MIN_DEINTERLACED_PX
            graph, kind = None if small else _Deinterlacer(frame), now
        yield from [frame] if graph is None else graph.passed(frame)
    if graph is not None:
        yield from graph.passed(None)


class _Deinterlacer:
    """Deinterlaces frames of the size and format of the first one."""

    def __init__(self, first: VideoFrame) -> None:
        self._tick = first.time_base or Fraction(1, 90_000)
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=self._tick
        )
        filtered = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
        self._graph.link_nodes(source, filtered, self._graph.add("buffersink")).configure()

    def passed(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Push a frame, or None at the end, and yield the frames that are ready."""
        self._graph.vpush(frame)
        while True:
            try:
                done = self._graph.vpull()
            except (BlockingIOError, EOFError):
                return
            # bwdif halves the unit of pts and duration, but leaves dts.
            if done.time_base and done.time_base != self._tick:
                ratio = done.time_base / self._tick
                done.pts = None if done.pts is None else round(done.pts * ratio)
                done.duration = round(done.duration * ratio)
                done.time_base = self._tick
            yield done


def _turn(frame: VideoFrame) -> _Turn:
    """Read the display matrix: rows (a, b, u), (c, d, v), (x, y, w) map (p, q) to (a·p + c·q, b·p + d·q)."""
    matrix = display_matrix(frame)
    if matrix is None:
        return False, None
    (a, b, _), (c, d, _), _ = matrix.tolist()
    transposed = abs(b) > abs(a)
    mirrored, upside_down = (c < 0, b < 0) if transposed else (a < 0, d < 0)
    flips = {(False, False): None, (True, False): 1, (False, True): 0, (True, True): -1}
    return transposed, flips[mirrored, upside_down]


def _turned(image: Image, turn: _Turn) -> Image:
    transposed, flip = turn
    if transposed:
        image = np.asarray(cv2.transpose(image), np.uint8)
    return image if flip is None else np.asarray(cv2.flip(image, flip), np.uint8)

"""Network streams (RTSP, HTTP, MJPEG, ...) through PyAV."""

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from livemood.core.errors import VideoUnreadable, one_line_about
from livemood.core.settings import CaptureSettings
from livemood.sources.live import LiveSource, Picture
from livemood.sources.video.packets import is_repeat

# After this many consecutive pictures that cannot be decoded a stream counts as lost.
_MAX_BROKEN = 100
# Before the first key frame nothing can be decoded; some cameras send one in many seconds only.
_FIRST_WITHIN_S = 30.0
# Over these protocols, packets that arrive while the stream is probed are too old to show. Over others, such as HTTP,
# they may be the beginning of a file.
_ONLY_LIVE = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt"})
# These deliver several seconds at once.
_PIECEWISE = frozenset({"hls", "dash"})
# A larger step of the stream's clock, s, is the beginning of another film.
_LEAP_S = 10.0

if TYPE_CHECKING:
    from av.container import InputContainer

    from livemood.sources.video.colour import UprightBgr


def open_stream(url: str, settings: CaptureSettings | None = None) -> LiveSource:
    """Open a network stream; one without an end is reopened when the connection breaks.

    Args:
        url: Such as ``rtsp://host/path`` or ``http://host/video.mjpg``.
        settings: Timeouts.

    Raises:
        VideoUnreadable: The server does not answer, or it is not a video.
    """
    settings = settings or CaptureSettings()
    return LiveSource(_without_password(url), lambda: StreamFeed(url, settings), settings, reconnect=True)


class StreamFeed:
    """One connection to a stream.

    Pictures are upright, in the stream's own colours, as those of a file are.

    Args:
        url: Its address.
        settings: Timeouts.

    Attributes:
        broken: Number of pictures skipped because they could not be decoded.

    Raises:
        VideoUnreadable: The server does not answer, or it is not a video.
    """

    def __init__(self, url: str, settings: CaptureSettings) -> None:
        import av

        self._name = _without_password(url)
        self.broken = 0
        options = {"rtsp_transport": "tcp", "flags": "low_delay"}
        if urlsplit(url).scheme in _ONLY_LIVE:
            options["fflags"] = "nobuffer"
        try:
            self._container = _opened(url, options, settings.timeout_s)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise VideoUnreadable(f"{self._name} could not be opened ({_reason(error)}); is it running?") from error
        if not self._container.streams.video:
            self.close()
            raise VideoUnreadable(f"{self._name} holds no video")
        # A server without range requests still states the file's duration.
        self._finite = self._container.duration is not None or self._container.size > 0
        self._pace = _Pace() if self._finite or _PIECEWISE & set(self._container.format.name.split(",")) else None
        self._stream = self._container.streams.video[0]
        # Decoding several frames at once would delay each until the next ones arrive.
        self._stream.thread_type = "SLICE"
        self._packets = self._container.demux(self._stream)
        self._decoded: list[av.VideoFrame] = []
        self._opened_s = time.monotonic()
        self._upright: UprightBgr | None = None

    def read(self) -> Picture | None:
        """Return the next picture, skipping broken ones; None at the end of a finite stream.

        Raises:
            VideoUnreadable: The connection broke, or nothing that comes can be decoded.
        """
        import av

        from livemood.sources.video.colour import UprightBgr

        broken = 0
        while not self._decoded:
            if self._upright is None and time.monotonic() - self._opened_s > _FIRST_WITHIN_S:
                raise VideoUnreadable(f"{self._name} sent nothing that can be decoded in {_FIRST_WITHIN_S:.0f} s")
            try:
                packet = next(self._packets)
                self._decoded = [] if is_repeat(packet) else list(packet.decode())
            except StopIteration:
                if self._finite:
                    return None
                raise VideoUnreadable(f"{self._name} ended") from None
            except av.InvalidDataError as error:
                broken += 1
                self.broken += 1
                if self._upright is not None and broken > _MAX_BROKEN:
                    raise VideoUnreadable(f"{self._name} sends nothing that can be decoded") from error
            except (av.FFmpegError, OSError) as error:
                raise VideoUnreadable(f"{self._name} broke off ({_reason(error)})") from error
        frame = self._decoded.pop(0)
        with one_line_about(self._name, VideoUnreadable):
            if self._upright is None or not self._upright.fits(frame):
                self._upright = UprightBgr(frame)
            image = self._upright(frame)
        return Picture(image, self._pace.due(frame.time) if self._pace else None, shifts=not self._finite)

    def close(self) -> None:
        """Close the connection."""
        self._container.close()


class _Pace:
    """Turns a stream's timestamps into seconds after the first picture.

    A stream's clock has an arbitrary origin, and restarts where another film begins.
    """

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def due(self, time: float | None) -> float | None:
        """Return the time at which to show the next picture, s; None for at once."""
        if time is None:
            return None
        due = 0.0
        if self._last is not None:
            step = time - self._last[0]
            due = self._last[1] + (step if 0 <= step <= _LEAP_S else 0.0)
        self._last = time, due
        return due


def _opened(url: str, options: dict[str, str], timeout_s: float) -> "InputContainer":
    """Open a stream; Motion JPEG also if the boundary before its first part is missing."""
    import av

    try:
        return av.open(url, options=options, timeout=timeout_s)
    except av.InvalidDataError:
        if urlsplit(url).scheme not in ("http", "https"):
            raise
        container = av.open(url, format="mjpeg", options=options, timeout=timeout_s)
        if container.streams.video and container.streams.video[0].codec_context.width:
            return container
        container.close()
        raise


def _reason(error: Exception) -> str:
    import av

    if isinstance(error, av.error.ExitError):  # FFmpeg's error for a timeout
        return "it does not answer"
    return (getattr(error, "strerror", None) or str(error)).strip().lower()


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()

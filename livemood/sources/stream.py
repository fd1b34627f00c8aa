"""Network streams (RTSP, HTTP, MJPEG, ...) through PyAV."""

import errno
import re
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from livemood.core.errors import VideoUnreadable, one_line_about
from livemood.core.settings import CaptureSettings
from livemood.runtime.stopping import check, held
from livemood.sources.live import Feed, LiveSource, Picture
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
    with held():  # PyAV drops an exception that is raised by a signal while FFmpeg waits
        try:
            return LiveSource(without_secrets(url), lambda: StreamFeed(url, settings), settings)
        except VideoUnreadable:
            check()
            raise


class StreamFeed(Feed):
    """One connection to a stream.

    Pictures are upright, in the stream's own colours, as those of a file are.

    Args:
        url: Its address.
        settings: Timeouts.

    Raises:
        VideoUnreadable: The server does not answer, or it is not a video.
    """

    def __init__(self, url: str, settings: CaptureSettings) -> None:
        import av

        self._name = without_secrets(url)
        self._url = url
        self.warnings: list[str] = []
        options = {"rtsp_transport": "tcp", "flags": "low_delay"}
        if _scheme(url) in _ONLY_LIVE:
            options["fflags"] = "nobuffer"
        try:
            self._container = _opened(url, options, settings.timeout_s)
        except av.InvalidDataError as error:
            raise VideoUnreadable(f"{self._name} contains no video that can be read") from error
        except (av.FFmpegError, OSError, ValueError) as error:
            is_down = isinstance(error, av.error.ExitError | ConnectionError)
            what = f"{self._name} could not be opened ({_reason(error, url)})"
            raise VideoUnreadable(what, "is it running?" if is_down else "") from error
        if not self._container.streams.video:
            self.close()
            raise VideoUnreadable(f"{self._name} contains no video")
        # A server without range requests still states the file's duration.
        self.endless = self._container.duration is None and self._container.size <= 0
        is_paced = not self.endless or _PIECEWISE & set(self._container.format.name.split(","))
        self._pace = _Pace() if is_paced else None
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
            check()
            if self._upright is None and time.monotonic() - self._opened_s > _FIRST_WITHIN_S:
                raise VideoUnreadable(f"{self._name} sent nothing that can be decoded in {_FIRST_WITHIN_S:.0f} s")
            try:
                packet = next(self._packets)
                self._decoded = [] if is_repeat(packet) else list(packet.decode())
            except StopIteration:
                if self.endless:
                    raise VideoUnreadable(f"{self._name} ended") from None
                return None
            except av.InvalidDataError as error:
                broken += 1
                if self._upright is None:
                    continue  # before the first key frame
                self.warnings = [f"{self._name} sent something that could not be decoded; it was left out"]
                if broken > _MAX_BROKEN:
                    raise VideoUnreadable(f"{self._name} sends nothing that can be decoded") from error
            except (av.FFmpegError, OSError) as error:
                raise VideoUnreadable(f"{self._name} broke off ({_reason(error, self._url)})") from error
        frame = self._decoded.pop(0)
        with one_line_about(self._name, VideoUnreadable):
            if self._upright is None or not self._upright.fits(frame):
                self._upright = UprightBgr(frame)
            image = self._upright(frame)
        return Picture(image, self._pace.due(frame.time) if self._pace else None, shifts=self.endless)

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
    except av.InvalidDataError as error:
        if _scheme(url) not in ("http", "https"):
            raise
        try:
            container = av.open(url, format="mjpeg", options=options, timeout=timeout_s)
        except (av.FFmpegError, OSError):
            raise error from None
        if container.streams.video and container.streams.video[0].codec_context.width:
            return container
        container.close()
        raise


def without_secrets(url: str) -> str:
    """Return an address to show and to store: without user and password, query and parts that hold parameters."""
    scheme, _, rest = url.partition("://")
    host, *parts = re.split(r"[?#]", rest, maxsplit=1)[0].split("/")
    return "/".join([f"{scheme}://{host.rpartition('@')[2]}", *(part for part in parts if "=" not in part)])


def _reason(error: Exception, url: str) -> str:
    import av

    if isinstance(error, av.error.ExitError):  # FFmpeg's error for a timeout
        return "it does not answer"
    if isinstance(error, OSError) and error.errno == errno.EIO and not _is_known(url):
        return "there is no such host"
    return (getattr(error, "strerror", None) or str(error)).strip().lower()


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _is_known(url: str) -> bool:
    """Return whether the name of the host can be resolved; FFmpeg does not tell this failure from others."""
    try:
        host = urlsplit(url).hostname
        socket.getaddrinfo(host, None)
    except (OSError, ValueError):
        return False
    return True

"""Properties of a container: its video stream, and when that starts and ends."""

import re
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from livemood.core.errors import VideoUnreadable
from livemood.sources.image.size_guard import MAX_PIXELS

# A container whose clock starts later is part of a longer stream; its clock has no meaning for the viewer.
_LATE_S = 1
_SMALL_PX = 500_000
# Formats that refer to other files or to the network; an untrusted file must not choose what is opened.
_PLAYLISTS = frozenset({"hls", "dash", "concat", "sdp", "rtsp", "rtp", "imf", "webm_dash_manifest", "lavfi"})


# Brands of picture formats that use MP4's container.
_STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"})
# A sample entry of this kind describes an encrypted picture; six zeros and the number of its data source follow.
_ENCRYPTED = b"encv\0\0\0\0\0\0\0\1"
_INDEX_BYTES = 4 << 20


def open_container(file: Path, path: Path) -> InputContainer:
    """Open a file.

    Args:
        file: The file.
        path: What to call it in messages.

    Raises:
        VideoUnreadable: It is missing, a folder, empty, a text, a playlist, truncated before its index, or of an
            unknown kind.
    """
    if file.is_dir():
        raise VideoUnreadable(f"{path} is a folder", "name a video file in it")
    try:
        # With an explicit protocol, FFmpeg does not take a colon in a file's name for one; the whitelist keeps it from
        # opening anything but files.
        container = av.open(f"file:{file}", "r", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except FileNotFoundError as error:
        raise VideoUnreadable(f"{path} is not there", "check the name") from error
    except PermissionError as error:
        raise VideoUnreadable(f"{path} cannot be read", "check its permissions") from error
    except (av.FFmpegError, OSError) as error:
        head = _head(file)
        if not head:
            raise VideoUnreadable(f"{path} is empty") from error
        if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
            raise VideoUnreadable(f"{path} is a picture, not a video") from error
        if head[4:8] == b"ftyp":
            raise VideoUnreadable(f"{path} is cut off: its index is missing, as after a broken recording") from error
        raise VideoUnreadable(f"{path} is not a video that can be read") from error
    if container.format.name == "tty":  # FFmpeg renders any text file as a terminal
        container.close()
        raise VideoUnreadable(f"{path} is a text file, not a video")
    if _PLAYLISTS & set(container.format.name.split(",")):
        container.close()
        raise VideoUnreadable(f"{path} is a playlist that leads elsewhere, not a video", "name the videos themselves")
    if "mp4" in container.format.name and _is_encrypted(file):
        container.close()
        raise VideoUnreadable(f"{path} is encrypted, and cannot be read without its key")
    return container


def _is_encrypted(file: Path) -> bool:
    """Return whether an MP4's index, at either end of the file, describes encrypted video (ISO/IEC 23001-7)."""
    with suppress(OSError), file.open("rb") as data:
        first = data.read(_INDEX_BYTES)
        data.seek(max(file.stat().st_size - _INDEX_BYTES, 0))
        return _ENCRYPTED in first or _ENCRYPTED in data.read(_INDEX_BYTES)
    return False


def _head(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(12)
    return b"unknown"


def picture_stream(container: InputContainer, path: Path, threads: bool = True) -> VideoStream:
    """Return the video stream, and have the others skipped. Covers, which are video streams of one frame, do not count.

    Args:
        container: Open.
        path: For messages.
        threads: Whether to decode with several threads where that is faster.

    Raises:
        VideoUnreadable: There is none, or no decoder for it, or it is too large.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        held = "sound but no picture" if container.streams.audio else "no video"
        raise VideoUnreadable(f"{path} contains {held}")
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    if stream.codec_context is None:
        raise VideoUnreadable(f"{path} is coded in a way that cannot be decoded here")
    size = stream.codec_context.width * stream.codec_context.height
    refuse_large_frames(path, size)
    for other in container.streams:
        if other is not stream:  # where a file is cut off, reading would end at the first sound that is missing
            other.discard = Discard.all
    # A later frame may be larger than the first; FFmpeg then refuses to allocate it.
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    # For small pictures, passing work between threads takes longer than it saves.
    stream.thread_type, stream.codec_context.thread_count = ("AUTO", 0) if threads and size > _SMALL_PX else ("NONE", 1)
    return stream


def refuse_large_frames(path: Path, pixels: int) -> None:
    """Raise a ``VideoUnreadable`` when a header states frames of more than ``MAX_PIXELS``."""
    if pixels > MAX_PIXELS:
        raise VideoUnreadable(
            f"{path} says its frames have {pixels / 1e6:,.0f} million pixels; "
            f"{MAX_PIXELS / 1e6:.0f} million is the limit"
        )


def origin(container: InputContainer, picture: VideoStream) -> Fraction:
    """Return the container time, s, that is 0 on the source's timeline: 0, unless the clock starts far from it.

    Sound often starts before 0 with the priming samples of its codec, which are not played and not counted here.
    """
    shown = _start(picture) or Fraction(0)
    sounds = [max(start, Fraction(0)) for stream in container.streams.audio if (start := _start(stream)) is not None]
    first = min([shown, *sounds])
    return first if first < 0 or first > _LATE_S else Fraction(0)


def first_time(picture: VideoStream) -> Fraction:
    """Return the container time, s, of the first frame; 0 where it is not stated."""
    return _start(picture) or Fraction(0)


def timecode(container: InputContainer, picture: VideoStream) -> str | None:
    """Return the timecode of the first frame; MOV and MP4 keep it in a track of its own, others beside the picture."""
    for metadata in (picture.metadata, *(stream.metadata for stream in container.streams), container.metadata):
        for name in ("timecode", "TIMECODE"):
            if found := metadata.get(name):
                return found
    return None


def _start(stream: Stream) -> Fraction | None:
    if stream.start_time is None or stream.time_base is None:
        return None
    return stream.start_time * stream.time_base


def picture_end(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Return the container time, s, at which the last frame ends; None if it is not stated."""
    if stream.duration and stream.time_base:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    if tag := re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", "")):
        hours, minutes, seconds = tag.groups()
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    if "matroska" in container.format.name and container.duration and not container.streams.audio:
        return Fraction(container.start_time + container.duration, av.time_base)
    return None

"""Animated WebP, which FFmpeg's libraries cannot decode: Pillow decodes it into a lossless temporary video."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from livemood.core.errors import SinkError, VideoUnreadable
from livemood.sources.image.pillow import open_unlimited, over_white
from livemood.sources.video.probe import refuse_large_frames

_MS: Final = Fraction(1, 1000)
_HEADER: Final = 21
_CHUNKS: Final = 12
_MOVES: Final = 2
# Browsers replace frame durations below the first value by the second, ms.
_SHORTEST, _INSTEAD = 11, 100


def is_animated_webp(file: Path) -> bool:
    """Return whether a file's header is that of an animated WebP."""
    with suppress(OSError), file.open("rb") as data:
        head = data.read(_HEADER)
        is_extended = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
        return is_extended and len(head) == _HEADER and bool(head[-1] & _MOVES)
    return False


@contextmanager
def decoded_webp(file: Path, path: Path, notes: list[str]) -> Iterator[Path]:
    """Yield a video of the same frames and times, alpha composited over white.

    Args:
        file: The animated WebP.
        path: What to call it in messages.
        notes: Gets a line if only some of its frames can be decoded.

    Raises:
        VideoUnreadable: It is damaged or too large.
        SinkError: There is no room for the video.
    """
    with tempfile.TemporaryDirectory(prefix="livemood-") as folder:
        copy = Path(folder) / f"{path.stem or 'stdin'}.mov"
        data, is_cut = _whole_chunks(file.read_bytes())
        try:
            count, whole = _write(data, path, copy)
        except av.FFmpegError as error:
            raise SinkError(f"{path} is decoded into {folder}, where there is no room ({error.strerror})") from error
        if not count:
            raise VideoUnreadable(f"{path} is damaged: none of its frames can be decoded")
        if is_cut:
            notes.append(f"{path} is cut off; {count} frames could be read")
        elif not whole:
            notes.append(f"{path} is damaged; what could not be decoded was left out")
        yield copy


def _whole_chunks(data: bytes) -> tuple[bytes, bool]:
    """Return a file without an incomplete chunk at its end, and whether there was one.

    Pillow decodes nothing of a file that is shorter than its header states.
    """
    end = _CHUNKS
    while end + 8 <= len(data):
        after = end + 8 + (int.from_bytes(data[end + 4 : end + 8], "little") + 1) // 2 * 2
        if after > len(data):
            break
        end = after
    told = int.from_bytes(data[4:8], "little") + 8
    if told <= len(data):
        return data, False
    return data[:4] + (end - 8).to_bytes(4, "little") + data[8:end], True


def _write(data: bytes, path: Path, copy: Path) -> tuple[int, bool]:
    """Write the video; return the number of its frames, and whether these are all."""
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damaged metadata
        try:
            picture: Any = open_unlimited(data, formats=("WEBP",))
        except Exception:  # noqa: BLE001  # a damaged file may make the library raise anything
            return 0, False
        with picture, av.open(str(copy), "w", options={"video_track_timescale": "1000"}) as target:
            width, height = picture.size
            refuse_large_frames(path, width * height)
            stream = target.add_stream("png", rate=1000, options={"compression_level": "1"})
            stream.width, stream.height, stream.pix_fmt, stream.time_base = width, height, "rgb24", _MS
            time_ms = 0
            for place in range(picture.n_frames):
                try:
                    picture.seek(place)
                    layers = picture.convert("RGBA")
                except Exception:  # noqa: BLE001
                    return count, False
                frame = av.VideoFrame.from_ndarray(np.asarray(over_white(layers).convert("RGB")), format="rgb24")
                shown_ms = int(picture.info.get("duration", 0))
                shown_ms = shown_ms if shown_ms >= _SHORTEST else _INSTEAD
                frame.pts, frame.time_base, frame.duration = time_ms, _MS, shown_ms
                for packet in (*stream.encode(frame), *(stream.encode(None) if place == picture.n_frames - 1 else ())):
                    packet.duration = shown_ms
                    target.mux(packet)
                time_ms += shown_ms
                count += 1
    return count, True

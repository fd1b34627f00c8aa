"""Frames of a stimulus film, shown under timelines and beside moments of change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from livemood.core.errors import VideoUnreadable
from livemood.core.types import Image
from livemood.reporting.thumbnails import jpeg_uri

STRIP_FRAMES: Final = 12
"""Number of frames under a timeline."""

_HEIGHT_PX: Final = 120
_JPEG_QUALITY: Final = 70
# Up to this distance, s, decoding forward to a frame is faster than seeking to it.
_READ_ON_S: Final = 10.0
_SLACK_S: Final = 1.0
_GAP_PX: Final = 2
_NOTHING, _WHITE = 127, 255


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A film that the recorded people watched.

    Attributes:
        path: The film.
        start_s: Its start, s, on the clock of the page.
    """

    path: Path
    start_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Strip:
    """Frames of a film side by side.

    Attributes:
        uri: The strip as a data URI.
        ratio: Its width over its height.
        times_s: Time of each frame on the clock of the page, s; frames outside the film are grey.
    """

    uri: str
    ratio: float
    times_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StimulusFrames:
    """Frames of a stimulus film for a page.

    Attributes:
        name: Of the film.
        strip: Frames under timelines.
        moments: Frames at the moments of change, as data URIs; None outside the film.
    """

    name: str
    strip: Strip
    moments: tuple[str | None, ...]


def stimulus_frames(stimulus: Stimulus, start_s: float, end_s: float, moments_s: Sequence[float]) -> StimulusFrames:
    """Return frames of a film for a timeline from ``start_s`` to ``end_s`` and for moments on the same clock.

    Raises:
        VideoUnreadable: The film cannot be read.
    """
    frames = film_frames(stimulus, moments_s)
    moments = tuple(None if frame is None else jpeg_uri(frame, _JPEG_QUALITY) for frame in frames)
    return StimulusFrames(stimulus.path.name, film_strip(stimulus, start_s, end_s), moments)


def film_strip(stimulus: Stimulus, start_s: float, end_s: float) -> Strip:
    """Return the frames in the middle of ``STRIP_FRAMES`` equal parts of a time range.

    Raises:
        VideoUnreadable: The film cannot be read.
    """
    part_s = (end_s - start_s) / STRIP_FRAMES
    times = tuple(start_s + (place + 0.5) * part_s for place in range(STRIP_FRAMES))
    frames = film_frames(stimulus, times)
    width = max((frame.shape[1] for frame in frames if frame is not None), default=_HEIGHT_PX)
    blank = np.full((_HEIGHT_PX, width, 3), _NOTHING, np.uint8)
    parts = [blank if frame is None else frame for frame in frames]
    picture = np.hstack([np.pad(part, ((0, 0), (0, _GAP_PX), (0, 0)), constant_values=_WHITE) for part in parts])
    return Strip(jpeg_uri(picture, _JPEG_QUALITY), picture.shape[1] / picture.shape[0], times)


def film_frames(stimulus: Stimulus, times_s: Sequence[float]) -> list[Image | None]:
    """Return the frame shown at each time, (H, W, 3) uint8 BGR of one height; None outside the film.

    Raises:
        VideoUnreadable: The film cannot be read.
    """
    from livemood.sources.open import open_video

    with open_video(stimulus.path) as film:  # an unreadable film raises first
        next(iter(film.frames()))
    found: list[Image | None] = [None] * len(times_s)
    waiting = sorted((time_s - stimulus.start_s, place) for place, time_s in enumerate(times_s))
    waiting = [(time_s, place) for time_s, place in waiting if time_s >= 0]
    while waiting:
        gaps = (n for n in range(1, len(waiting)) if waiting[n][0] - waiting[n - 1][0] > _READ_ON_S)
        count = next(gaps, len(waiting))
        together, waiting = waiting[:count], waiting[count:]
        if not _take(stimulus.path, together, found):
            break  # the film is over
    return found


def _take(path: Path, wanted: Sequence[tuple[float, int]], found: list[Image | None]) -> bool:
    """Fill in the frames shown at these times of the film, in order; return whether the film reaches the last one."""
    from livemood.sources.open import open_video

    start_s, last_s = max(wanted[0][0] - _SLACK_S, 0.0), wanted[-1][0]
    done = 0
    try:
        with open_video(path, start_s, last_s - start_s + _SLACK_S) as film:
            shown: Image | None = None
            end_s = film.info.picture_end_s
            for frame in film.frames():
                while done < len(wanted) and wanted[done][0] < frame.time_s:
                    found[wanted[done][1]] = shown
                    done += 1
                if done == len(wanted):
                    return True
                shown = _small(frame.image)
            # The last frame stays until the film is over.
            while done < len(wanted) and (end_s is None or wanted[done][0] < end_s):
                found[wanted[done][1]] = shown
                done += 1
    except VideoUnreadable:  # it ends before
        return False
    return done == len(wanted)


def _small(image: Image) -> Image:
    width = max(round(image.shape[1] * _HEIGHT_PX / image.shape[0]), 1)
    return np.asarray(cv2.resize(image, (width, _HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8)

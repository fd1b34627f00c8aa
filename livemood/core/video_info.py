"""Properties of a video or live source; the standard library only."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Properties of a source that a sink needs to write a copy with the same timing.

    Attributes:
        width: Of every frame, px, upright.
        height: Of every frame, px, upright.
        average_rate: Frames per second; single frames may come sooner or later.
        time_base: The unit, in s, of which frame times are whole multiples.
        pixel_aspect: Width of a pixel over its height; 1 unless anamorphic.
        name: What to call the source in messages; its path by default.
        path: The file that sound, subtitles and chapters can be copied from; None for a live source.
        origin_s: Container time, in s, that is 0 on the source's own timeline.
        start_s: Time of the first frame on the source's timeline when the source is cut there, else 0.
        end_s: Where the source is cut, on its timeline; None if it runs to its end.
        first_s: Time of the source's very first frame on its timeline, cut or not.
        timecode: Of that frame, as the container writes it; None if it has none.
        picture_end_s: When the last frame ends, on the source's timeline; None if the container does not state it.
        frame_count: Expected number of frames; None if it cannot even be estimated.
    """

    width: int
    height: int
    average_rate: Fraction = Fraction(30)
    time_base: Fraction = Fraction(1, 90_000)
    pixel_aspect: Fraction = Fraction(1)
    name: str = ""
    path: Path | None = None
    origin_s: Fraction = Fraction(0)
    start_s: float = 0.0
    end_s: float | None = None
    first_s: float = 0.0
    timecode: str | None = None
    picture_end_s: float | None = None
    frame_count: int | None = None

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture is at least 1 px wide and high, got {self.width} x {self.height}")
        if min(self.average_rate, self.time_base, self.pixel_aspect) <= 0:
            raise ValueError(
                "average_rate, time_base and pixel_aspect are above 0, "
                f"got {self.average_rate}, {self.time_base}, {self.pixel_aspect}"
            )

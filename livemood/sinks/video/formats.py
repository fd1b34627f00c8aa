"""Video file formats: which streams they can hold, and how these are encoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Encoder:
    """One of FFmpeg's picture encoders.

    Attributes:
        name: FFmpeg's name.
        pixel_format: Of its input.
        even: Whether it needs even sides.
        crf: Default constant-quality factor.
        max_crf: Largest constant-quality factor; None if the encoder has no such factor.
        preset: Default speed; the value of ``preset_option``.
        preset_option: Name of the option for the speed.
        preset_options: Further options for the default ``preset`` only.
        options: Further options, always given.
        live_options: Further options for a live source: no lookahead.
        small_px: Pictures of up to this many pixels are encoded in the calling thread, because passing them to other
            threads takes longer than it saves. Larger ones use one thread per core. 0 leaves the choice to the encoder.
        keeps_aspect: Whether the codec itself stores the pixel aspect, whatever the container.
        max_rate: Highest frame rate that is declared; times are kept regardless.
        max_px_per_s: Highest declared rate in pixels per second; above it, the level is too high for phones and TVs.
        tag: Codec tag in MP4 and MOV, where players expect another than FFmpeg's.
    """

    name: str
    pixel_format: str = "yuv420p"
    even: bool = False
    crf: int | None = None
    max_crf: int | None = None
    preset: str | None = None
    preset_option: str = "preset"
    preset_options: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    live_options: Mapping[str, str] = field(default_factory=dict)
    small_px: int = 0
    keeps_aspect: bool = False
    max_rate: int | None = None
    max_px_per_s: int | None = None
    tag: str | None = None


ENCODERS: Final[Mapping[str, Encoder]] = {
    # superfast with the macroblock trees of veryfast, which save half the bytes at no cost (docs/speed.md). They need
    # lookahead, which a live source must not wait for.
    "h264": Encoder(
        "libx264",
        even=True,
        crf=20,
        max_crf=51,
        preset="superfast",
        preset_options={"mbtree": "1", "rc-lookahead": "10"},
        live_options={"tune": "zerolatency", "preset": "veryfast"},
        small_px=500_000,
        keeps_aspect=True,
        max_px_per_s=530_841_600,  # level 5.2
    ),
    "h265": Encoder(
        "libx265",
        even=True,
        crf=24,
        max_crf=51,
        preset="fast",
        options={"x265-params": "log-level=none"},
        live_options={"tune": "zerolatency"},
        keeps_aspect=True,
        max_px_per_s=1_069_547_520,  # level 5.2
        tag="hvc1",
    ),
    "vp9": Encoder(
        "libvpx-vp9",
        crf=30,
        max_crf=63,
        preset="5",
        preset_option="cpu-used",
        options={"deadline": "good", "row-mt": "1", "b": "0"},
        live_options={"deadline": "realtime", "lag-in-frames": "0", "cpu-used": "7"},
    ),
    "av1": Encoder(
        "libsvtav1", crf=32, max_crf=63, preset="8", live_options={"svtav1-params": "pred-struct=1"}, max_rate=240
    ),
    "gif": Encoder("gif", pixel_format="pal8"),
}


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of video file.

    Attributes:
        name: Common name.
        muxer: FFmpeg's name.
        codecs: Allowed picture codecs, the default first.
        sound: Sound codecs that are copied; None for all.
        sound_encoder: Encoder for other sound; None if the format holds no sound.
        subtitles: Subtitle codecs that are copied; None for all but ``mov_text``.
        subtitle_encoder: Encoder for other subtitles; None if the format holds none.
        least_ticks: Shortest duration of a frame, in ticks.
        tick: The only time base it supports, s; None if it supports any.
        is_mp4: MP4 or MOV, where a frame lasts until the next one in decoding order, and pixels have an aspect.
        options: For the muxer.
        live_options: For the muxer of a live source: the file is readable even if its end is missing.
    """

    name: str
    muxer: str
    codecs: tuple[str, ...]
    sound: frozenset[str] | None = frozenset()
    sound_encoder: str | None = None
    subtitles: frozenset[str] | None = frozenset()
    subtitle_encoder: str | None = None
    tick: Fraction | None = None
    least_ticks: int = 0
    is_mp4: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    live_options: Mapping[str, str] = field(default_factory=dict)

    def copies(self, codec: str, is_sound: bool) -> bool:
        """Return whether a stream of sound or subtitles can be copied without encoding."""
        if is_sound:
            return self.sound is None or codec in self.sound
        return codec in self.subtitles if self.subtitles is not None else codec != "mov_text"


_MILLISECOND: Final = Fraction(1, 1000)
_MP4_LIVE: Final = {"movflags": "+hybrid_fragmented", "frag_duration": "500000", "flush_packets": "1"}
# The priming samples of a sound codec are before 0. Matroska's muxer would delay everything by them; its blocks may
# start below 0.
_MATROSKA: Final = {"avoid_negative_ts": "disabled"}
_MATROSKA_LIVE: Final = {"cluster_time_limit": "500", "flush_packets": "1"}

FORMATS: Final[Mapping[str, Format]] = {
    ".mp4": Format(
        "MP4",
        "mp4",
        ("h264", "h265", "av1", "vp9"),
        frozenset({"aac", "mp3", "opus", "ac3", "eac3", "alac", "flac"}),
        "aac",
        frozenset({"mov_text"}),
        "mov_text",
        is_mp4=True,
        options={"movflags": "+faststart"},
        live_options=_MP4_LIVE,
    ),
    ".mov": Format(
        "MOV",
        "mov",
        ("h264", "h265"),
        frozenset({"aac", "mp3", "ac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"}),
        "aac",
        frozenset({"mov_text"}),
        "mov_text",
        is_mp4=True,
        options={"movflags": "+faststart"},
        live_options=_MP4_LIVE,
    ),
    ".mkv": Format(
        "Matroska",
        "matroska",
        ("h264", "h265", "vp9", "av1"),
        None,
        "aac",
        None,
        "subrip",
        tick=_MILLISECOND,
        options=_MATROSKA,
        live_options=_MATROSKA_LIVE,
    ),
    ".webm": Format(
        "WebM",
        "webm",
        ("vp9", "av1"),
        frozenset({"opus", "vorbis"}),
        "libopus",
        frozenset({"webvtt"}),
        "webvtt",
        tick=_MILLISECOND,
        options=_MATROSKA,
        live_options=_MATROSKA_LIVE,
    ),
    # Viewers show frames shorter than 0.02 s for 0.1 s.
    ".gif": Format("GIF", "gif", ("gif",), tick=Fraction(1, 100), least_ticks=2),
}

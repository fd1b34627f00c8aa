"""What each kind of video file can hold, and how its parts are encoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Encoder:
    """One of FFmpeg's picture encoders.

    Attributes:
        name: FFmpeg's.
        pixel_format: What it is fed with.
        even: Whether it needs even sides.
        crf: Its constant-quality factor unless another is asked for.
        max_crf: The largest that there is; None where there is none at all.
        preset: Its speed unless another is asked for; the value of ``preset_option``.
        preset_option: Its name for the speed.
        preset_options: Further options that go with ``preset``, and with no other speed.
        options: Further options, always given.
        live_options: Further options for a live source: no frame waits inside.
        small_px: Pictures of up to so many pixels are coded in the calling thread, which is quick enough then; handing
            them over to others takes longer than it saves. Larger ones have a thread for every core. 0 leaves the
            choice to the encoder.
        keeps_aspect: Whether it notes the shape of pixels by itself, whatever the container.
        max_rate: The most frames per second that it believes; times are kept all the same.
        max_px_per_s: Likewise, times the pixels of a frame: what lies beyond has a level that no phone or TV plays.
        tag: Its mark in MP4 and MOV, where players want another than FFmpeg's.
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
    # Of what veryfast adds to superfast, macroblock trees save half the bytes and cost nothing; the rest is the time.
    # They need frames in hand, which a live source must not wait for.
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
        name: As people call it.
        muxer: As FFmpeg calls it.
        codecs: What its picture may be coded with; the first unless another is asked for.
        sound: Sound codecs that are copied as they are; None for all.
        sound_encoder: What other sound is encoded with; None if there is no place for sound.
        subtitles: Subtitle codecs that are copied as they are; None for all but ``mov_text``.
        subtitle_encoder: What other subtitles are encoded with; None if there is no place for them.
        least_ticks: The shortest time that it shows a frame for, in its ticks.
        tick: The only time base it knows, s; None if it takes any.
        is_mp4: MP4 or MOV, where a frame lasts until the next one in decoding order, and pixels have a shape.
        options: For the muxer.
        live_options: For the muxer of a live source: what was written can be read even if the end is missing.
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
        """Tell whether a stream of sound or subtitles can be taken over as it is."""
        if is_sound:
            return self.sound is None or codec in self.sound
        return codec in self.subtitles if self.subtitles is not None else codec != "mov_text"


_MILLISECOND: Final = Fraction(1, 1000)
_MP4_LIVE: Final = {"movflags": "+hybrid_fragmented", "frag_duration": "500000", "flush_packets": "1"}
# A sound codec's run-in lies before 0. Matroska's muxer would move everything later by it; blocks may start below 0.
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
    # Viewers show anything shorter than two hundredths for a tenth of a second.
    ".gif": Format("GIF", "gif", ("gif",), tick=Fraction(1, 100), least_ticks=2),
}

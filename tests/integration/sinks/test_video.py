import os
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livemood.core.errors import SinkError
from livemood.core.types import Frame
from livemood.core.video_info import VideoInfo
from livemood.sinks.video.writer import VideoSink
from livemood.sources.video.file import VideoSource
from tests.support.builders import ROOT, Sound, corners, quadrants, write_film

VFR = [0, 3, 5, 11, 12, 20, 29, 40, 44, 47]
CODECS = {".mp4": "h264", ".mov": "h264", ".mkv": "h264", ".webm": "vp9", ".gif": "gif"}


def described(path: Path, **other: Any) -> VideoInfo:
    """What a source would tell about a file, read here with PyAV."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        end = (stream.start_time or 0) + stream.duration if stream.duration else None
        told: dict[str, Any] = {
            "average_rate": stream.average_rate or Fraction(20),
            "time_base": stream.time_base,
            "path": path,
            "picture_end_s": float(end * stream.time_base) if end else None,
            "frame_count": stream.frames or None,
        }
        return VideoInfo(stream.width, stream.height, **{**told, **other})


def frames_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]  # type: ignore[operator]


def copy(clip: Path, out: Path, info: VideoInfo | None = None, **settings: Any) -> VideoSink:
    """Write each frame of a clip, decoded here with PyAV, with the sink."""
    info = info or described(clip)
    with av.open(str(clip)) as container, VideoSink(out, info, **settings) as sink:
        index = 0
        for picture in container.decode(video=0):
            time = float(picture.pts * picture.time_base)  # type: ignore[operator]
            if time >= info.start_s and (info.end_s is None or time < info.end_s):
                image: Any = picture.to_ndarray(format="bgr24")
                sink.write(Frame(index, time, image), (), image)
                index += 1
    return sink


def packets_of(path: Path, kind: str, place: int = 0) -> list[bytes]:
    with av.open(str(path)) as container:
        streams: Any = getattr(container.streams, kind)
        return [bytes(packet) for packet in container.demux(streams[place]) if packet.size]


def heard(path: Path) -> tuple[float, float, float]:
    """When sound starts, when its first loud sample comes and when it ends, s."""
    with av.open(str(path)) as container:
        pieces = list(container.decode(audio=0))
    first = float(pieces[0].pts * pieces[0].time_base)  # type: ignore[operator]
    samples = np.concatenate([np.abs(piece.to_ndarray()).max(axis=0) for piece in pieces])
    rate = pieces[0].sample_rate
    return first, first + float(np.argmax(samples > samples.max() / 2)) / rate, first + len(samples) / rate


def clicks(path: Path) -> list[float]:
    """When clicks begin, s."""
    found: list[float] = []
    with av.open(str(path)) as container:
        for piece in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(piece.to_ndarray()).max(axis=0) > 0.4)
            time = float(piece.pts * piece.time_base) + float(loud[0]) / piece.sample_rate if len(loud) else 0.0  # type: ignore[operator]
            if len(loud) and (not found or time > found[-1] + 0.1):
                found.append(time)
    return found


@pytest.mark.parametrize("ending", list(CODECS))
def test_copy_when_made_then_holds_every_frame_at_its_time(tmp_path: Path, ending: str) -> None:
    clip = write_film(tmp_path / "clip.mkv", [7 * t for t in VFR], Fraction(1, 1000), last_ticks=60)
    if ending == ".gif":
        clip = write_film(tmp_path / "clip.mkv", [2 * t for t in VFR if t != 12], Fraction(1, 100), last_ticks=6)
    out = tmp_path / f"out{ending}"
    sink = copy(clip, out)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec.canonical_name == CODECS[ending]
        assert (stream.width, stream.height) == (64, 48)
        image: Any = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert corners(image) == "RGBW"
    assert frames_of(out) == pytest.approx(frames_of(clip), abs=1e-9)
    assert sink.warnings == []
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mkv", out.name}


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm", ".gif"])
def test_last_frame_when_it_stands_for_long_then_does_so_in_the_copy(tmp_path: Path, ending: str) -> None:
    def in_order(stream: Any) -> None:
        stream.codec_context.max_b_frames = 0  # else the clip's own last frame is cut short

    clip = write_film(tmp_path / "clip.mp4", [20 * t for t in VFR], Fraction(1, 1000), last_ticks=300, set_up=in_order)
    out = tmp_path / f"out{ending}"
    copy(clip, out)
    with av.open(str(out)) as container:
        assert container.duration == pytest.approx(20_000 * VFR[-1] + 300_000, abs=1000)
        *_, last = container.decode(video=0)
        assert (container.duration or 0) / av.time_base - last.time == pytest.approx(0.3, abs=0.001)


@pytest.mark.parametrize(
    ("tick", "places"),
    [
        (Fraction(1001, 30_000), range(40)),
        (Fraction(1, 90_000), range(0, 3003 * 40, 3003)),
        (Fraction(10), range(8)),
        (Fraction(1, 240), range(60)),
        (Fraction(1, 1_000_000_000), range(0, 8 * 5_000_000_000, 5_000_000_000)),
    ],
    ids=["29.97", "90kHz", "0.1fps", "240fps", "ns"],
)
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_times_when_the_clock_is_unusual_then_are_kept_to_the_tick(
    tmp_path: Path, tick: Fraction, places: range, ending: str
) -> None:
    times = [float(place * tick) for place in places]
    info = VideoInfo(64, 48, 1 / (places[1] * tick), tick, path=write_film(tmp_path / "clip.mkv"))
    out = tmp_path / f"out{ending}"
    with VideoSink(out, info) as sink:
        for index, time in enumerate(times):
            sink.write(Frame(index, time, quadrants()), (), quadrants())
    unit = 0.001 if ending == ".mkv" else float(tick)
    assert frames_of(out) == pytest.approx(times, abs=min(unit, 1e-6) if ending == ".mp4" else unit)


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_codec_when_chosen_then_is_used_and_nothing_is_printed(
    tmp_path: Path, codec: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(12), image=quadrants(128, 96))
    out = tmp_path / "out.mp4"
    copy(clip, out, codec=codec)
    with av.open(str(out)) as container:
        name = container.streams.video[0].codec_context.codec.canonical_name
        tag = container.streams.video[0].codec_context.codec_tag
    assert name == {"h265": "hevc"}.get(codec, codec)
    assert codec != "h265" or tag == "hvc1", "the only mark of H.265 that Apple's players take"
    assert frames_of(out) == pytest.approx(frames_of(clip))
    assert capfd.readouterr() == ("", "")


def test_mp4_when_made_then_browsers_play_it_before_it_is_all_there(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    copy(write_film(tmp_path / "clip.mkv"), out)
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(out)) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"


@pytest.mark.parametrize("colour", [(0, 0, 200), (0, 180, 0), (220, 30, 30), (128, 128, 128), (235, 240, 245)])
def test_colours_when_read_back_then_are_those_given_and_marked(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    image = np.full((48, 64, 3), colour, np.uint8)
    out = tmp_path / "out.mp4"
    copy(write_film(tmp_path / "clip.mkv", image=image, codec="ffv1", pixel_format="bgr0"), out, crf=5)
    with av.open(str(out)) as container:
        context = container.streams.video[0].codec_context
        frame = next(container.decode(video=0))
        marks = context.colorspace, context.color_primaries, context.color_trc, context.color_range
        got: Any = frame.to_ndarray(format="bgr24")
    assert marks == (1, 1, 1, 1)
    assert np.abs(got[24, 32].astype(int) - colour).max() <= 3


@pytest.mark.parametrize(
    ("codec", "source", "target"),
    [
        ("aac", ".mp4", ".mp4"),
        ("aac", ".mp4", ".mov"),
        ("aac", ".mp4", ".mkv"),
        ("aac", ".mkv", ".mp4"),
        ("libmp3lame", ".mp4", ".mp4"),
        ("libmp3lame", ".mkv", ".mov"),
        ("libopus", ".webm", ".webm"),
        ("libopus", ".webm", ".mkv"),
        ("libopus", ".mkv", ".mp4"),
        ("pcm_s16le", ".mkv", ".mkv"),
        ("ac3", ".mkv", ".mp4"),
    ],
)
def test_sound_when_the_container_can_hold_it_then_is_copied_packet_by_packet(
    tmp_path: Path, codec: str, source: str, target: str
) -> None:
    sound = Sound(codec, click_s=0.5)
    video = "libvpx-vp9" if source == ".webm" else "libx264"
    clip = write_film(tmp_path / f"clip{source}", codec=video, sounds=[sound])
    out = tmp_path / f"out{target}"
    sink = copy(clip, out)
    assert packets_of(out, "audio") == packets_of(clip, "audio")
    assert heard(out)[1] == pytest.approx(heard(clip)[1], abs=0.003)
    assert frames_of(out) == pytest.approx(frames_of(clip), abs=0.001)
    assert sink.warnings == []


@pytest.mark.parametrize(
    ("codec", "target", "becomes"),
    [("aac", ".webm", "opus"), ("libopus", ".mov", "aac"), ("pcm_s16le", ".mp4", "aac"), ("flac", ".mov", "aac")],
)
def test_sound_when_the_container_cannot_hold_it_then_is_reencoded_with_a_note(
    tmp_path: Path, codec: str, target: str, becomes: str
) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(40), sounds=[Sound(codec, 2.0, click_s=1.25)])
    out = tmp_path / f"out{target}"
    sink = copy(clip, out)
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == becomes
    _, click, end = heard(out)
    assert click == pytest.approx(1.25, abs=0.02)
    assert end == pytest.approx(2.0, abs=0.05)
    assert len(sink.warnings) == 1
    assert sink.warnings[0].startswith(f"re-encoded the sound of {clip}")


def test_sound_when_the_sources_clock_is_coarse_then_goes_on_to_the_sample(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    copy(write_film(tmp_path / "clip.mkv", sounds=[Sound()]), out)
    with av.open(str(out)) as container:
        starts = [packet.pts for packet in container.demux(audio=0) if packet.pts is not None]
    assert set(np.diff(starts)) == {1024}


def test_sound_when_it_has_a_gap_then_comes_back_in_time_after_reencoding(tmp_path: Path) -> None:
    sound = Sound("pcm_s16le", lasts_s=2.0, click_s=1.5, pause_s=(0.5, 1.0))
    out = tmp_path / "out.mp4"
    copy(write_film(tmp_path / "clip.mkv", range(40), sounds=[sound]), out)
    assert heard(out)[1] == pytest.approx(1.5, abs=0.03)


def test_sound_when_a_packet_is_damaged_then_the_rest_stays_in_time_after_reencoding(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4", range(40), sounds=[Sound(lasts_s=2.0, click_s=1.5)])
    with av.open(str(clip)) as container:
        packet = list(container.demux(audio=0))[30]
        position, size = packet.pos or 0, packet.size
    data = bytearray(clip.read_bytes())
    data[position : position + size] = b"\xff" * size
    clip.write_bytes(data)
    out = tmp_path / "out.webm"
    copy(clip, out)
    assert heard(out)[1] == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_sound_when_the_header_of_a_packet_is_damaged_then_only_that_packet_is_left_out(
    tmp_path: Path, ending: str
) -> None:
    clip = write_film(tmp_path / "clip.ts", range(60), sounds=[Sound(lasts_s=3.0, click_s=2.5)])
    packets, (_, click, _) = packets_of(clip, "audio"), heard(clip)
    clip.write_bytes(clip.read_bytes().replace(packets[1][:20], b"\0\0" + packets[1][2:20], 1))
    out = tmp_path / f"out{ending}"
    sink = copy(clip, out)
    assert len(packets_of(out, "audio")) == len(packets) - 1
    assert heard(out)[1] == pytest.approx(click, abs=0.03)
    assert sink.warnings[0] == f"the sound of {clip} is damaged; what could not be copied was left out"


def test_sound_when_the_cut_lies_far_in_then_is_found_there(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(320), sounds=[Sound(lasts_s=16.0, click_s=13.0)])
    out = tmp_path / "out.mp4"
    copy(clip, out, described(clip, start_s=12.5, end_s=14.0, picture_end_s=14.0))
    first, click, end = heard(out)
    assert (first, click, end) == pytest.approx((0, 0.5, 1.5), abs=0.03)


def test_sound_when_there_are_two_then_both_are_kept_with_what_they_are_marked_as(tmp_path: Path) -> None:
    impaired = int(av.stream.Disposition.hearing_impaired)
    sounds = [Sound(language="deu"), Sound("libopus", language="fra", disposition=impaired)]
    clip = write_film(tmp_path / "clip.mkv", sounds=sounds)
    out = tmp_path / "out.mkv"
    copy(clip, out)
    with av.open(str(out)) as container:
        assert [stream.language for stream in container.streams.audio] == ["deu", "fra"]
        assert container.streams.audio[1].disposition & impaired
    assert packets_of(out, "audio", 1) == packets_of(clip, "audio", 1)


def test_sound_when_it_starts_late_and_ends_early_then_stays_in_place_with_warnings(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4", range(60), sounds=[Sound(lasts_s=1.0, starts_s=0.8, click_s=0.5)])
    out = tmp_path / "out.mp4"
    sink = copy(clip, out)
    assert heard(out)[1] == pytest.approx(1.3, abs=0.003)
    assert len(frames_of(out)) == 60
    assert sink.warnings == [
        f"the sound of {clip} starts 0.8 s after the picture",
        f"the sound of {clip} ends 1.2 s before the picture",
    ]


def test_sound_when_it_outlasts_the_picture_then_is_kept_whole(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4", sounds=[Sound(lasts_s=3.0)])
    copy(clip, tmp_path / "out.mp4")
    assert packets_of(tmp_path / "out.mp4", "audio") == packets_of(clip, "audio")


@pytest.mark.parametrize("codec", ["aac", "libmp3lame"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".webm"])  # copied, and re-encoded
def test_sound_when_recordings_were_joined_then_stays_in_step_with_the_picture(
    tmp_path: Path, codec: str, ending: str
) -> None:
    """Each second that is joined has a click in the frame that begins at 0.5 s."""
    clip = tmp_path / "joined.ts"
    part = write_film(tmp_path / "a.ts", range(20), sounds=[Sound(codec, click_s=0.5)])
    clip.write_bytes(part.read_bytes() * 3)
    out = tmp_path / f"out{ending}"
    with VideoSource(clip) as source, VideoSink(out, source.info) as sink:
        for frame in source.frames():
            sink.write(frame, (), frame.image)
    shown = frames_of(out)
    assert len(shown) == 60
    assert clicks(out) == pytest.approx([shown[place] for place in (10, 30, 50)], abs=0.01)
    assert sink.warnings[-1] == f"the sound of {clip} has broken times; they were repaired"


def test_cut_when_the_source_is_cut_then_sound_subtitles_and_chapters_are_too(tmp_path: Path) -> None:
    clip = write_film(
        tmp_path / "clip.mkv",
        range(80),
        sounds=[Sound(lasts_s=4.0, click_s=1.5)],
        cues=[(200, 300, "before"), (800, 600, "across"), (1500, 200, "within"), (3500, 200, "after")],
        chapters=[(0, 1200, "one"), (1200, 4000, "two")],
    )
    out = tmp_path / "out.mkv"
    copy(clip, out, described(clip, start_s=1.0, end_s=2.0, picture_end_s=2.0))
    assert frames_of(out) == pytest.approx([place / 20 for place in range(20)], abs=0.001)
    first, click, end = heard(out)
    assert first == pytest.approx(0, abs=0.03)
    assert click == pytest.approx(0.5, abs=0.03)
    assert end == pytest.approx(1.0, abs=0.03)
    with av.open(str(out)) as container:
        cues = [(packet.pts, packet.duration, bytes(packet)) for packet in container.demux(subtitles=0) if packet.size]
        told: Any = container.chapters()
    chapters = [(float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"]) for c in told]
    assert cues == [(0, 400, b"across"), (500, 200, b"within")]
    assert chapters == [(0, 0.2, {"title": "one"}), (0.2, 1, {"title": "two"})]


@pytest.mark.parametrize(
    ("target", "codec"), [(".mkv", "subrip"), (".mp4", "mov_text"), (".mov", "mov_text"), (".webm", "webvtt")]
)
def test_subtitles_when_copied_then_say_the_same_at_the_same_times(tmp_path: Path, target: str, codec: str) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(60), cues=[(500, 700, "Hello"), (1500, 800, "Grüße\nan alle")])
    out = tmp_path / f"out{target}"
    sink = copy(clip, out)
    with av.open(str(out)) as container:
        stream = container.streams.subtitles[0]
        assert stream.codec_context.codec.canonical_name == codec
        shown = []
        for packet in container.demux(stream):
            texts: Any = packet.decode() if packet.size > 2 else []
            shown += [(packet.pts, packet.duration, text.dialogue.decode()) for text in texts]
    assert shown == [(500, 700, "Hello"), (1500, 800, "Grüße\nan alle")]
    assert sink.warnings == []


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_sound_when_it_is_announced_but_never_comes_then_the_film_is_kept_with_a_warning(
    tmp_path: Path, ending: str
) -> None:
    clip = tmp_path / "clip.ts"
    with av.open(str(clip), "w") as container:
        stream: Any = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.add_stream("aac", rate=48_000)
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(quadrants(), format="bgr24")))
        container.mux(stream.encode())
    out = tmp_path / f"out{ending}"
    sink = copy(clip, out)
    assert len(frames_of(out)) == 20
    assert sink.warnings[-1] == f"the sound of {clip} is empty"


def test_subtitles_when_copied_from_mp4_then_stay_as_they_are_or_become_text(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", range(60), cues=[(500, 700, "Hello"), (1500, 800, "World")])
    clip, again, text = (tmp_path / name for name in ("clip.mp4", "again.mp4", "text.mkv"))
    copy(film, clip)
    copy(clip, again)
    copy(clip, text)
    assert packets_of(again, "subtitles") == packets_of(clip, "subtitles")
    assert packets_of(text, "subtitles") == [b"Hello", b"World"]


def test_subtitles_when_they_cannot_be_read_then_the_film_is_kept_with_a_warning(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mkv", sounds=[Sound()], cues=[(0, 500, "Hello")])
    clip.write_bytes(clip.read_bytes().replace(b"S_TEXT/UTF8", b"S_TEXT/XXXX"))
    out = tmp_path / "out.mp4"
    sink = copy(clip, out)
    assert len(frames_of(out)) == 20
    assert packets_of(out, "audio") == packets_of(clip, "audio")
    assert sink.warnings == [f"left out the subtitles of {clip}: no decoder is known for it"]


def test_tags_and_chapters_when_copied_then_are_those_of_the_film_not_of_the_file(tmp_path: Path) -> None:
    chapters = [(0, 400, "one"), (400, 1000, "two")]
    clip = write_film(tmp_path / "clip.mp4", chapters=chapters, tags={"title": "A film", "comment": "Ü"})
    for ending in (".mp4", ".mov", ".mkv", ".webm"):
        out = tmp_path / f"out{ending}"
        copy(clip, out)
        with av.open(str(out)) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
            found = [(float(c["start"] * c["time_base"]), c["metadata"]["title"]) for c in container.chapters()]  # type: ignore[operator]
        assert (tags["title"], tags["comment"]) == ("A film", "Ü")
        assert ending != ".mkv" or "major_brand" not in tags
        assert found == [(0, "one"), (0.4, "two")]


@pytest.mark.parametrize(
    ("ending", "size", "noted"),
    [(".mp4", (66, 48), True), (".mkv", (66, 48), True), (".webm", (65, 47), False), (".gif", (65, 47), False)],
)
def test_size_when_odd_then_is_kept_or_grows_by_one_pixel_with_a_note(
    tmp_path: Path, ending: str, size: tuple[int, int], noted: bool
) -> None:
    clip = write_film(tmp_path / "clip.mkv", image=quadrants(65, 47), codec="ffv1", pixel_format="bgr0")
    out = tmp_path / f"out{ending}"
    sink = copy(clip, out)
    with av.open(str(out)) as container:
        frame = next(container.decode(video=0))
        image: Any = frame.to_ndarray(format="bgr24")
    assert (frame.width, frame.height) == size
    assert image[-1, -1].min() > 200, "the white corner goes on to the edge"
    assert bool(sink.warnings) == noted


@pytest.mark.parametrize(("ending", "width", "aspect"), [(".mp4", 64, "4/3"), (".mkv", 64, "4/3"), (".webm", 85, "1")])
def test_aspect_when_pixels_are_not_square_then_the_picture_is_shown_in_its_shape(
    tmp_path: Path, ending: str, width: int, aspect: str
) -> None:
    clip = write_film(tmp_path / "clip.mkv")
    out = tmp_path / f"out{ending}"
    copy(clip, out, described(clip, pixel_aspect=Fraction(4, 3)))
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.sample_aspect_ratio) == (width, Fraction(aspect))


def test_gif_when_frames_come_too_fast_then_keeps_the_pace_and_says_so(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4", range(120), Fraction(1, 120), sounds=[Sound()])
    out = tmp_path / "out.gif"
    sink = copy(clip, out)
    times = frames_of(out)
    assert min(np.diff(times)) >= 0.0199
    assert times[-1] == pytest.approx(1.0, abs=0.03)
    assert f"{out}: {120 - len(times)} frames came too fast for a GIF and were left out" in sink.warnings
    assert f"left out the sound of {clip}: GIF does not support aac" in sink.warnings


def test_gif_when_the_cut_ends_just_after_its_last_frame_began_then_viewers_show_that_one_no_longer_than_others(
    tmp_path: Path,
) -> None:
    clip = write_film(tmp_path / "clip.mp4", range(30), Fraction(1, 30))
    out = tmp_path / "out.gif"
    copy(clip, out, described(clip, end_s=0.51, picture_end_s=0.51))
    with av.open(str(out)) as container:
        lasting = [packet.duration or 0 for packet in container.demux(video=0) if packet.size]
    assert min(lasting) == 2  # of 0.01 s; viewers show shorter ones for 10
    assert len(lasting) == 16


def test_sound_when_two_tracks_have_to_be_left_out_then_it_is_said_once(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4", range(30), Fraction(1, 30), sounds=[Sound(), Sound()])
    sink = copy(clip, tmp_path / "out.gif")
    assert sink.warnings == [f"left out the sound of {clip}: GIF does not support aac"]


def test_gif_when_the_colours_change_then_each_frame_has_fine_ones(tmp_path: Path) -> None:
    images = np.zeros((3, 48, 64, 3), np.uint8)
    for channel, image in enumerate(images):
        image[..., channel], image[..., channel - 1] = np.linspace(0, 255, 64), np.linspace(0, 255, 48)[:, None]
    out = tmp_path / "out.gif"
    with VideoSink(out, VideoInfo(64, 48)) as sink:
        for index, image in enumerate(images):
            sink.write(Frame(index, index / 10, image), (), image)
    with av.open(str(out)) as container:
        got: Any = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert np.abs(np.array(got).astype(int) - images).mean(axis=(1, 2, 3)).max() < 8


def test_times_when_two_frames_share_one_then_both_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    with VideoSink(out, VideoInfo(64, 48)) as sink:
        for index, time in enumerate([0, 0.1, 0.1, 0.1, 0.2]):
            sink.write(Frame(index, time, quadrants()), (), quadrants())
    assert frames_of(out) == pytest.approx([0, 0.1, 0.101, 0.102, 0.2])


def test_live_when_recorded_then_starts_at_zero_and_is_complete(tmp_path: Path) -> None:
    for ending in (".mp4", ".mov", ".mkv", ".webm"):
        out = tmp_path / f"out{ending}"
        with VideoSink(out, VideoInfo(64, 48)) as sink:
            for index in range(30):
                sink.write(Frame(index, 8000 + index / 30, quadrants()), (), quadrants())
        assert frames_of(out) == pytest.approx([index / 30 for index in range(30)], abs=0.001)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_live_when_the_process_is_killed_then_at_most_a_second_is_lost(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    done = run(f"""
        sink = VideoSink(Path({str(out)!r}), VideoInfo(64, 48))
        for index in range(150):
            sink.write(Frame(index, index / 30, quadrants()), (), quadrants())
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert done.returncode == -signal.SIGKILL
    assert frames_of(out)[-1] >= 149 / 30 - 1


def test_leaving_when_interrupted_then_the_file_plays_up_to_there(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4", range(100), sounds=[Sound(lasts_s=5.0)])
    out = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt), VideoSink(out, described(clip)) as sink:
        for index in range(40):
            sink.write(Frame(index, index / 20, quadrants()), (), quadrants())
        raise KeyboardInterrupt
    assert frames_of(out) == pytest.approx([index / 20 for index in range(40)])
    assert heard(out)[2] == pytest.approx(2.0, abs=0.05)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "out.mp4"}


def test_leaving_when_an_error_came_then_nothing_is_left_and_an_old_file_stays(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4")
    out = tmp_path / "out.mp4"
    out.write_bytes(b"old")
    with pytest.raises(RuntimeError), VideoSink(out, described(clip), force=True) as sink:
        sink.write(Frame(0, 0.0, quadrants()), (), quadrants())
        raise RuntimeError
    assert out.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "out.mp4"}


def test_leaving_when_no_frame_came_then_no_file_appears(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4")
    with VideoSink(tmp_path / "out.mp4", described(clip)) as sink:
        pass
    assert sink.warnings == [f"{tmp_path / 'out.mp4'} was not written: no frame came"]
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm", ".gif"])
def test_recording_when_no_frame_came_then_no_file_is_left(ending: str, tmp_path: Path) -> None:
    """In a process of its own: FFmpeg's MP4 muxer crashes there if nothing was written."""
    code = (
        "import sys, pathlib; from livemood.core.video_info import VideoInfo\n"
        "from livemood.sinks.video.writer import VideoSink\n"
        "sink = VideoSink(pathlib.Path(sys.argv[1]), VideoInfo(65, 48))\n"
        "sink.close()\n"
        "print(*sink.warnings[-1:])"
    )
    out = tmp_path / f"out{ending}"
    done = subprocess.run([sys.executable, "-c", code, out], capture_output=True, text=True, check=True)
    assert done.stdout == f"{out} was not written: no frame came\n"
    assert list(tmp_path.iterdir()) == []


def test_file_when_there_already_then_is_replaced_only_by_force(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4")
    out = tmp_path / "out.mp4"
    out.write_bytes(b"old")
    with pytest.raises(SinkError, match=r"out\.mp4 is there already; use force or another out"):
        VideoSink(out, described(clip))
    assert out.read_bytes() == b"old"
    with pytest.raises(SinkError, match="is there already"):
        VideoSink(out, VideoInfo(64, 48))
    assert out.read_bytes() == b"old"
    copy(clip, out, force=True)
    assert len(frames_of(out)) == 20


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("out.avi", {}, "out.avi does not end in .mp4, "),
        ("out", {}, "out does not end in .mp4, "),
        ("clip.mp4/out.mp4", {}, "could not be written"),
        ("folder.mp4", {}, "is a folder"),
        (
            "out.webm",
            {"codec": "h264"},
            "WebM does not support h264; use codec vp9 or av1, or another ending than .webm$",
        ),
        ("out.mp4", {"preset": "hurry"}, "libx264 does not take .* preset hurry; try another preset$"),
        ("out.mp4", {"crf": -5}, "libx264 has a crf from 0 to 51, got -5; choose another crf$"),
    ],
)
def test_sink_when_it_cannot_write_then_says_so_before_any_work(
    tmp_path: Path, name: str, settings: dict[str, Any], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = write_film(tmp_path / "clip.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SinkError, match=message) as caught:
        VideoSink(tmp_path / name, described(clip), **settings)
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "folder.mp4"}
    assert capfd.readouterr() == ("", "")


def test_sink_when_misused_then_is_a_value_error(tmp_path: Path) -> None:
    with VideoSink(tmp_path / "out.mp4", VideoInfo(64, 48)) as sink:
        sink.write(Frame(0, 0.0, quadrants()), (), quadrants())
        with pytest.raises(ValueError, match="64 x 48 px"):
            sink.write(Frame(1, 0.1, quadrants()), (), quadrants(32, 32))
    with pytest.raises(ValueError, match="is closed"):
        sink.write(Frame(1, 0.1, quadrants()), (), quadrants())
    sink.close()


@pytest.mark.parametrize("ending", list(CODECS))
def test_disk_when_it_fills_up_then_one_line_says_so_and_no_file_is_left(tmp_path: Path, ending: str) -> None:
    clip = write_film(tmp_path / "clip.mkv", sounds=[Sound()])
    out = tmp_path / f"out{ending}"
    done = run(f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        with VideoSink(Path({str(out)!r}), VideoInfo(64, 48, path=Path({str(clip)!r}))) as sink:
            for index in range(200):
                noise = np.roll(noise, 7) ^ 85
                sink.write(Frame(index, index / 20, noise), (), noise)
    """)
    assert done.stderr.splitlines()[-1] == (
        f"livemood.core.errors.SinkError: {out} could not be written (File too large); try another out"
    )
    assert "Exception ignored" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_memory_when_the_film_is_long_then_stays_flat(tmp_path: Path, ending: str) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(2500), sounds=[Sound(lasts_s=125.0)])
    done = run(f"""
        def used():
            return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        clip, out = Path({str(clip)!r}), Path({str(tmp_path / f"out{ending}")!r})
        with VideoSink(out, VideoInfo(64, 48, Fraction(20), Fraction(1, 1000), path=clip)) as sink:
            for index in range(2500):
                sink.write(Frame(index, index / 20, quadrants()), (), quadrants())
                if index == 500:
                    before = used()
        print(used() - before)
    """)
    assert float(done.stdout) < 10


def run(code: str) -> "subprocess.CompletedProcess[str]":
    """Run a piece of code in a process of its own."""
    imports = """
        import os
        import signal
        from fractions import Fraction
        from pathlib import Path
        import numpy as np
        from livemood.core.video_info import VideoInfo
        from livemood.sinks.video.writer import VideoSink
        from livemood.core.types import Frame
        from tests.support.builders import quadrants
    """
    program = textwrap.dedent(imports) + textwrap.dedent(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("strips", [False, True])
def test_tags_when_they_are_to_be_left_out_then_neither_place_nor_date_nor_titles_stay(
    tmp_path: Path, ending: str, strips: bool
) -> None:
    tags = {"location": "+48.8577+002.295/", "creation_time": "2025-07-14T10:00:00.000000Z", "comment": "Ann's party"}
    clip = write_film(
        tmp_path / "clip.mov", chapters=[(0, 500, "At Ann's")], tags=tags, sounds=[Sound()],
        container_options={"movflags": "use_metadata_tags"},
    )  # fmt: skip
    with VideoSink(tmp_path / f"out{ending}", described(clip), strip_metadata=strips) as sink:
        for place in range(20):
            sink.write(Frame(place, place / 20, quadrants()), (), quadrants())
    data = (tmp_path / f"out{ending}").read_bytes()
    with av.open(str(tmp_path / f"out{ending}")) as container:
        kept, titles = container.metadata, [chapter["metadata"] for chapter in container.chapters()]
    assert any("location" in name.lower() for name in kept) == (not strips)
    assert (b"Ann" in data) == (not strips)
    assert any("creation_time" in name.lower() for name in kept) == (not strips)
    assert len(titles) == 1


@pytest.mark.parametrize("ending", [".mkv", ".webm"])  # copied, and re-encoded
@pytest.mark.parametrize("strips", [False, True])
def test_titles_of_tracks_when_tags_are_to_be_left_out_then_only_the_language_stays(
    tmp_path: Path, ending: str, strips: bool
) -> None:
    clip = write_film(tmp_path / "clip.mkv", sounds=[Sound(title="Interview with Ann", language="deu")])
    copy(clip, tmp_path / f"out{ending}", strip_metadata=strips)
    assert (b"Ann" in (tmp_path / f"out{ending}").read_bytes()) == (not strips)
    with av.open(str(tmp_path / f"out{ending}")) as container:
        assert container.streams.audio[0].metadata["language"] == "deu"


# An AAC encoder's own first samples, here as many as Apple's, are kept; half a second is what somebody cut off.
@pytest.mark.parametrize(("hidden", "starts_s"), [(2112, -0.044), (24_000, -0.031)])
def test_sound_when_an_edit_list_hides_some_then_a_copy_without_such_a_list_lacks_it(
    tmp_path: Path, hidden: int, starts_s: float
) -> None:
    clip = write_film(tmp_path / "clip.mp4", sounds=[Sound()])
    with av.open(str(clip)) as source, av.open(str(tmp_path / "cut.mp4"), "w") as cut:
        film, sound = (cut.add_stream_from_template(stream) for stream in source.streams)
        packets: Any = source.demux()
        for packet in packets:
            if packet.dts is None:
                continue
            if packet.stream_index:
                packet.pts, packet.dts = packet.pts - hidden + 1024, packet.dts - hidden + 1024
            packet.stream = sound if packet.stream_index else film
            cut.mux(packet)
    copy(tmp_path / "cut.mp4", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        first: Any = next(container.demux(audio=0))
    assert float(first.pts * first.time_base) == pytest.approx(starts_s, abs=0.001)


def test_tracks_and_attachments_when_they_are_left_out_then_a_note_says_so(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mp4")
    with av.open(str(clip)) as source, av.open(str(tmp_path / "full.mkv"), "w") as full:
        films = [full.add_stream_from_template(source.streams.video[0]) for _ in range(2)]
        full.add_attachment("sans.ttf", "font/ttf", b"no font")
        for packet in source.demux(video=0):
            for film in films if packet.dts is not None else ():
                packet.stream = film
                full.mux(packet)
    sink = copy(tmp_path / "full.mkv", tmp_path / "out.mkv")
    assert sink.warnings == [
        f"left out the other video tracks of {tmp_path / 'full.mkv'}",
        f"left out the attached files, such as fonts, of {tmp_path / 'full.mkv'}",
    ]


@pytest.mark.parametrize(("shown", "lasts"), [([0, 1, 2, 4], 5), ([0, 1, 2, 3], 4), ([0, 2, 4, 6], 7)])
def test_last_frame_when_the_one_before_is_missing_then_lasts_as_long_as_any(
    tmp_path: Path, shown: list[int], lasts: int
) -> None:
    info = VideoInfo(64, 48, Fraction(20), Fraction(1, 20))
    with VideoSink(tmp_path / "out.mp4", info) as sink:
        for place, time in enumerate(shown):
            sink.write(Frame(place, time / 20, quadrants()), (), quadrants())
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == Fraction(lasts, 20)


@pytest.mark.parametrize(
    ("codec", "source"),
    [
        ("pcm_mulaw", ".mov"),
        ("pcm_alaw", ".mov"),
        ("adpcm_ima_qt", ".mov"),
        ("adpcm_ms", ".avi"),
        ("wmav2", ".wmv"),
        ("pcm_s16be", ".mov"),
        ("mp2", ".avi"),
    ],
)
@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov", ".webm"])
def test_sound_when_the_container_does_not_take_it_as_it_is_then_is_encoded_anew(
    tmp_path: Path, codec: str, source: str, ending: str
) -> None:
    clip = write_film(tmp_path / f"clip{source}", codec="mpeg4", sounds=[Sound(codec)])
    with VideoSink(tmp_path / f"out{ending}", described(clip)) as sink:
        for place in range(20):
            sink.write(Frame(place, place / 20, quadrants()), (), quadrants())
    assert [line for line in sink.warnings if "left out" in line or "refuses" in line] == []
    with av.open(str(tmp_path / f"out{ending}")) as container:
        heard = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)]).astype(float)
    assert heard.size >= 40_000
    assert np.abs(heard).max() > 0


def write_spoken(path: Path, codec: str, rate: int, layout: str, picture: str) -> Path:
    """Write 1.6 s of a tone that is twice as loud from 0.8 s on, in packets as long as the codec likes them."""
    with av.open(str(path), "w") as output:
        shown: Any = output.add_stream(picture, rate=25)
        shown.width, shown.height, shown.pix_fmt = 320, 240, "yuv420p"
        sound: Any = output.add_stream(codec, rate=rate)
        sound.layout, sound.format, sound.bit_rate = layout, "s16", 32_000
        for place in range(40):
            frame = av.VideoFrame.from_ndarray(quadrants(320, 240), format="bgr24")
            frame.pts = place
            output.mux(shown.encode(frame))
        output.mux(shown.encode(None))
        seconds = np.arange(round(1.6 * rate)) / rate
        tone = np.where(seconds < 0.8, 4000, 8000) * np.sin(2 * np.pi * 440 * seconds)
        both = np.repeat(tone.astype(np.int16), 2 if layout == "stereo" else 1)
        step = 2048 * both.size // seconds.size
        for start in range(0, both.size, step):
            piece = av.AudioFrame.from_ndarray(both[None, start : start + step].copy(), format="s16", layout=layout)
            piece.sample_rate, piece.pts = rate, start * seconds.size // both.size
            output.mux(sound.encode(piece))
        output.mux(sound.encode(None))
    return path


def loudness(path: Path) -> tuple[float, float]:
    """Return how long the sound of a copy is, s, and when it gets loud, s."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        frames = list(container.decode(audio=0))
        channels = [1 if frame.format.is_planar else frame.layout.nb_channels for frame in frames]
        first = [frame.to_ndarray()[0][::count] for frame, count in zip(frames, channels, strict=True)]
        heard = np.concatenate(first).astype(float)
    level = np.array([np.abs(part).max() for part in np.array_split(heard, max(heard.size * 100 // rate, 1))])
    return heard.size / rate, float((level > 0.75 * level.max()).argmax()) / 100


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".webm"])
@pytest.mark.parametrize(
    ("codec", "rate", "layout", "picture", "name"),
    [("tta", 44_100, "stereo", "libx264", "clip.mkv"), ("g726", 8_000, "mono", "mpeg4", "clip.avi")],
)
@pytest.mark.parametrize(("start_s", "duration_s"), [(0.0, None), (0.4, None), (0.4, 0.6)])
def test_sound_of_long_packets_then_lasts_as_long_as_the_picture_and_stays_in_its_place(
    tmp_path: Path, codec: str, rate: int, layout: str, picture: str, name: str, ending: str,
    start_s: float, duration_s: float | None,
) -> None:  # fmt: skip
    clip, out = write_spoken(tmp_path / name, codec, rate, layout, picture), tmp_path / f"out{ending}"
    with VideoSource(clip, start_s, duration_s) as source, VideoSink(out, source.info) as sink:
        for frame in source.frames():
            sink.write(frame, (), frame.image)
    lasts, loud = loudness(out)
    assert lasts == pytest.approx(duration_s or 1.6 - start_s, abs=0.13)  # encoders fill their last packet
    assert loud == pytest.approx(0.8 - start_s, abs=0.05)
    assert [line for line in sink.warnings if not line.startswith("re-encoded the sound")] == []


@pytest.mark.parametrize(
    ("ending", "codec", "crf", "most"),
    [
        (".mp4", "h264", 52, "51"),
        (".mp4", "h264", -1, "51"),
        (".mp4", "h265", 99, "51"),
        (".webm", "vp9", 64, "63"),
        (".mp4", "av1", 64, "63"),
        (".gif", None, 20, "has no crf, got 20; leave crf out"),
    ],
)
def test_crf_when_it_is_out_of_range_then_one_line_says_so(
    tmp_path: Path, ending: str, codec: Any, crf: int, most: str
) -> None:
    with pytest.raises(SinkError, match=most):
        VideoSink(tmp_path / f"out{ending}", VideoInfo(64, 48), codec=codec, crf=crf)
    assert list(tmp_path.iterdir()) == []


def test_av1_when_written_then_the_process_is_scheduled_as_before(tmp_path):
    """SVT-AV1 makes the process that opens it a real-time one, where it may."""
    code = (
        "import os, sys, pathlib; from livemood.core.video_info import VideoInfo\n"
        "from livemood.sinks.video.writer import VideoSink\n"
        "VideoSink(pathlib.Path(sys.argv[1]), VideoInfo(64, 48), codec='av1')\n"
        "print(os.sched_getscheduler(0), os.sched_getscheduler(os.getpid()))\n"
        "os._exit(0)\n"
    )
    words = [sys.executable, "-c", code, tmp_path / "a.mkv"]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.split() == [str(os.sched_getscheduler(0))] * 2

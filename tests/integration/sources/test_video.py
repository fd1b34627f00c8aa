import gc
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type

from livemood.core.errors import CutEmpty, VideoUnreadable
from livemood.core.types import Frame
from livemood.sources.video.file import VideoSource
from livemood.sources.video.timestamps import ShownTimes, Timeline
from tests.support.builders import (
    Sound,
    corners,
    quadrants,
    write_browser_recording,
    write_camera_pictures,
    write_dv,
    write_film,
)

VFR = [0, 3, 5, 11, 12, 20, 29, 40, 44, 47]
MS = Fraction(1, 1000)


def read(path: Path, **cut: float) -> tuple[VideoSource, list[Frame]]:
    with VideoSource(path, **cut) as source:
        return source, list(source.frames())


def times(frames: list[Frame]) -> list[float]:
    return [frame.time_s for frame in frames]


def planes(matrix: int, full: bool, bits: int = 8) -> "av.VideoFrame":
    """A frame whose luma and chroma are computed here from the colours of ``quadrants``."""
    kr, kb = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}[matrix]
    b, g, r = np.moveaxis(quadrants().astype(float) / 255, 2, 0)
    y = kr * r + (1 - kr - kb) * g + kb * b
    luma, chroma, foot = (255, 255, 0) if full else (219, 224, 16)
    channels = [y * luma + foot, (b - y) / 2 / (1 - kb) * chroma + 128, (r - y) / 2 / (1 - kr) * chroma + 128]
    frame = av.VideoFrame(64, 48, "yuv420p" if bits == 8 else "yuv420p10le")
    for plane, values in zip(frame.planes, [channels[0], channels[1][::2, ::2], channels[2][::2, ::2]], strict=True):
        kind = np.uint8 if bits == 8 else np.uint16
        lines = np.zeros((plane.height, plane.line_size // np.dtype(kind).itemsize), kind)
        lines[:, : values.shape[1]] = np.rint(values * 2 ** (bits - 8)).clip(0, 2**bits - 1)
        plane.update(lines.tobytes())
    return frame


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_times_when_the_rate_varies_then_are_the_containers(tmp_path: Path, ending: str) -> None:
    clip = write_film(tmp_path / f"clip{ending}", [7 * t for t in VFR], MS)
    source, frames = read(clip)
    assert times(frames) == pytest.approx([7 * t / 1000 for t in VFR], abs=1e-9)
    assert [frame.index for frame in frames] == list(range(10))
    assert source.info.frame_count == 10
    assert not source.live
    assert source.warnings == []


def test_times_when_the_picture_starts_late_then_stay_in_step_with_the_sound(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(10, 30), sounds=[Sound(lasts_s=1.5)])
    assert times(read(clip)[1])[0] == pytest.approx(0.5)


def test_times_when_the_containers_clock_starts_far_off_then_count_from_what_comes_first(tmp_path: Path) -> None:
    silent = write_film(tmp_path / "silent.ts", range(20_000, 20_020))
    assert times(read(silent)[1]) == pytest.approx([t / 20 for t in range(20)])
    clip = write_film(tmp_path / "clip.ts", range(20_000, 20_020), sounds=[Sound("libmp3lame", starts_s=999.5)])
    assert times(read(clip)[1])[0] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("degrees", "mirrored", "seen"),
    [(0, False, "RGBW"), (90, False, "GWRB"), (-90, False, "BRWG"), (180, False, "WBGR"), (0, True, "GRWB")],
)
def test_frame_when_the_file_says_rotated_then_is_upright(
    tmp_path: Path, degrees: int, mirrored: bool, seen: str
) -> None:
    def turn(stream: Any) -> None:
        stream.set_display_rotation(degrees, hflip=mirrored)

    source, frames = read(write_film(tmp_path / "clip.mp4", set_up=turn))
    assert corners(frames[0].image) == seen
    size = (48, 64) if abs(degrees) == 90 else (64, 48)
    assert (source.info.width, source.info.height) == (frames[0].width, frames[0].height) == size


# As stored, red and green above blue and white, and what EXIF says that a viewer has to make of it.
@pytest.mark.parametrize(
    ("orientation", "seen"),
    [(1, "RGBW"), (2, "GRWB"), (3, "WBGR"), (4, "BWRG"), (5, "RBGW"), (6, "BRWG"), (7, "WGBR"), (8, "GWRB")],
)
@pytest.mark.parametrize("ending", [".avi", ".jpg"])
def test_frame_when_a_camera_wrote_exif_into_it_then_is_upright(
    orientation: int, seen: str, ending: str, tmp_path: Path
) -> None:
    source, frames = read(write_camera_pictures(tmp_path / f"clip{ending}", orientation, 3))
    assert {corners(frame.image) for frame in frames} == {seen}
    assert (len(frames), source.warnings) == (3 if ending == ".avi" else 1, [])


def test_side_data_when_of_a_kind_that_pyav_has_no_name_for_then_is_skipped() -> None:
    assert [Type(number).value for number in range(100)] == [*range(100)]
    with pytest.raises(ValueError, match="EXIF"):
        Type("EXIF")


def test_frames_when_a_library_raises_an_unexpected_error_then_one_line_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_something(*_: object) -> None:
        raise ZeroDivisionError("so\nmuch")

    clip = write_film(tmp_path / "clip.mp4")
    source = VideoSource(clip)
    monkeypatch.setattr("livemood.sources.video.file.UprightBgr.__call__", raise_something)
    with pytest.raises(VideoUnreadable, match=r"clip\.mp4 could not .*\(ZeroDivisionError so much\)"):
        list(source.frames())
    monkeypatch.setattr("livemood.sources.video.file.UprightBgr.__init__", raise_something)
    with pytest.raises(VideoUnreadable, match=r"clip\.mp4 could not .*\(ZeroDivisionError so much\)"):
        VideoSource(clip)


def test_pixel_aspect_when_the_picture_is_turned_then_turns_too(tmp_path: Path) -> None:
    def set_up(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(90)

    assert read(write_film(tmp_path / "clip.mp4", set_up=set_up))[0].info.pixel_aspect == Fraction(3, 4)


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("bits", [8, 10])
def test_colours_when_matrix_and_range_are_marked_then_are_right(
    tmp_path: Path, matrix: int, full: bool, bits: int
) -> None:
    def mark(stream: Any) -> None:
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if full else 1

    clip = write_film(
        tmp_path / "clip.mp4",
        pixel_format="yuv420p" if bits == 8 else "yuv420p10le",
        paint=lambda _: planes(matrix, full, bits),
        set_up=mark,
        frame_fields={"colorspace": matrix, "color_range": 2 if full else 1},
    )
    image = read(clip)[1][3].image
    assert np.abs(image[8:16, 8:16].astype(int) - quadrants()[8:16, 8:16]).max() <= 8
    assert np.abs(image[32:40, 40:56].astype(int) - quadrants()[32:40, 40:56]).max() <= 8


def test_colours_when_unmarked_then_are_bt709_for_hd_and_bt601_below(tmp_path: Path) -> None:
    green = np.full((720, 16, 3), (0, 200, 0), np.uint8)

    def paint(_: int) -> "av.VideoFrame":
        return av.VideoFrame.from_ndarray(green, format="bgr24").reformat(format="yuv420p", dst_colorspace="ITU709")

    def unmark(stream: Any) -> None:
        stream.codec_context.colorspace = 2

    hd = write_film(tmp_path / "hd.mp4", range(2), image=green, paint=paint, set_up=unmark,
                    frame_fields={"colorspace": 2})  # fmt: skip
    assert np.abs(read(hd)[1][0].image[300, 8].astype(int) - green[300, 8]).max() <= 4
    sd = write_film(tmp_path / "sd.mp4", range(2), image=green[:480])
    assert np.abs(read(sd)[1][0].image[300, 8].astype(int) - green[300, 8]).max() <= 4


def test_frame_when_hdr_then_a_lit_face_is_as_bright_as_in_standard_range(tmp_path: Path) -> None:
    def paint(_: int) -> "av.VideoFrame":
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, level in zip(frame.planes, (509, 512, 512), strict=True):  # PQ for 100 cd/m²
            plane.update(np.full((plane.height, plane.line_size // 2), level, np.uint16).tobytes())
        return frame

    def mark(stream: Any) -> None:
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, 16, 1

    tagged = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}
    clip = write_film(tmp_path / "clip.mp4", pixel_format="yuv420p10le", paint=paint, set_up=mark, frame_fields=tagged)
    source, frames = read(clip)
    assert 180 <= frames[0].image.mean() <= 200
    assert "HDR" in source.warnings[0]


def interlace(stream: Any) -> None:
    stream.bit_rate = 4_000_000
    stream.codec_context.flags |= 1 << 18 | 1 << 29
    stream.codec_context.field_order = 2


@pytest.mark.parametrize(("name", "codec"), [("clip.mkv", "mpeg2video"), ("clip.avi", "mpeg4")])
def test_frames_when_interlaced_then_no_edge_combs_and_times_stay(tmp_path: Path, name: str, codec: str) -> None:
    def paint(place: int) -> "av.VideoFrame":
        image = np.zeros((64, 96, 3), np.uint8)
        image[::2, : 20 + 6 * place] = 255
        image[1::2, : 23 + 6 * place] = 255
        return av.VideoFrame.from_ndarray(image, format="bgr24")

    still = np.zeros((64, 96, 3), np.uint8)
    clip = write_film(tmp_path / name, range(10), Fraction(1, 25), codec=codec, image=still, paint=paint,
                      set_up=interlace)  # fmt: skip
    source, frames = read(clip)
    with av.open(str(clip)) as raw:
        combed = [frame.to_ndarray(format="gray") for frame in raw.decode(video=0)]

    def combing(image: Any) -> float:
        lines = image.astype(int)
        return float(np.abs(lines[1:-1] * 2 - lines[:-2] - lines[2:])[8:-8].mean())

    assert combing(frames[5].image[..., 1]) < combing(combed[5]) / 2
    assert times(frames) == pytest.approx([t / 25 for t in range(10)])
    assert "interlaced" in source.warnings[0]


def test_frames_when_only_the_later_ones_are_interlaced_then_those_do_not_comb(tmp_path: Path) -> None:
    still = np.zeros((64, 96, 3), np.uint8)

    def paint(place: int) -> "av.VideoFrame":
        image = still.copy()
        image[::2, : 20 + 6 * place] = 255
        image[1::2, : 23 + 6 * place] = 255
        return av.VideoFrame.from_ndarray(image, format="bgr24")

    parts = [
        write_film(tmp_path / "a.m2v", range(10), Fraction(1, 25), codec="mpeg2video", image=still),
        write_film(tmp_path / "b.m2v", range(10), Fraction(1, 25), codec="mpeg2video", image=still, paint=paint,
                   set_up=interlace),
    ]  # fmt: skip
    clip = tmp_path / "clip.m2v"
    clip.write_bytes(b"".join(part.read_bytes() for part in parts))
    source, frames = read(clip)
    assert len(frames) == 20
    assert not frames[9].image.any()
    lines = frames[15].image[8:-8, :, 1].astype(int)
    edge = 20 + 6 * 5
    assert np.abs(lines[1:, edge : edge + 3] - lines[:-1, edge : edge + 3]).mean() < 64
    assert sum("interlaced" in line for line in source.warnings) == 1


def test_times_when_b_frames_lie_in_an_avi_then_are_even_and_nothing_is_called_broken(tmp_path: Path) -> None:
    def paint(place: int) -> "av.VideoFrame":
        noise = np.random.default_rng(place // 3).integers(0, 256, (48, 64, 3), np.uint8)
        return av.VideoFrame.from_ndarray(np.roll(noise, place, axis=1), format="bgr24")

    clip = write_film(tmp_path / "clip.avi", range(40), Fraction(1, 25), paint=paint)
    source, frames = read(clip)
    assert np.diff(times(frames)) == pytest.approx([0.04] * 39)
    assert len(frames) == 40
    assert source.warnings == []


class _Shown:
    def __init__(self, pts: int | None, dts: int | None) -> None:
        self.pts, self.dts, self.duration = pts, dts, 1


@pytest.mark.parametrize(
    ("pts", "dts", "shown"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 2, 1, 4, 3], [0, 1, 2, 3, 4], [0, 2, 2, 3, 4]),
        ([0, 1, 2, 3], [5, 5, 5, 5], [0, 1, 2, 3]),
        ([None, None, 2], [0, 1, 2], [0, 1, 2]),
        ([3, 4, 5], [None, None, None], [3, 4, 5]),
    ],
)
def test_shown_times_when_one_kind_comes_out_of_order_then_are_the_other(
    pts: list[int | None], dts: list[int | None], shown: list[int]
) -> None:
    chosen = ShownTimes()
    assert [chosen.of(_Shown(*pair)) for pair in zip(pts, dts, strict=True)] == shown  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
@pytest.mark.parametrize(
    "told", [[0, 100, 200, 300, 4_000_000, 4_000_100], [0, 7_200_000, 14_400_000, 21_600_000], [0, 90_000_000]]
)
def test_times_when_nothing_came_for_hours_then_that_pause_stays(tmp_path: Path, name: str, told: list[int]) -> None:
    source, frames = read(write_film(tmp_path / name, told, MS))
    assert times(frames) == pytest.approx([time / 1000 for time in told])
    assert source.warnings == []


@pytest.mark.parametrize("name", ["clip.h264", "clip.hevc"])
def test_cut_when_the_stream_is_raw_then_begins_where_it_should(tmp_path: Path, name: str) -> None:
    codec = "libx264" if name == "clip.h264" else "libx265"
    clip = write_film(tmp_path / name, range(150), Fraction(1, 10), codec=codec)
    source, frames = read(clip, start_s=12.0, duration_s=1.0)
    assert times(frames) == pytest.approx([12 + place / 10 for place in range(10)])
    assert len(source.warnings) == 1


@pytest.mark.parametrize("place", [10, 30, 35, 37, 38])
def test_frames_when_threads_meet_a_damaged_one_near_the_end_then_all_others_come(
    tmp_path: Path, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livemood.sources.video.probe._SMALL_PX", 0)

    def all_key(stream: Any) -> None:
        stream.gop_size = 1

    clip = write_film(tmp_path / "clip.mp4", range(40), set_up=all_key)
    with av.open(str(clip)) as container:
        packet = list(container.demux(video=0))[place]
        position, size = packet.pos, packet.size
    data = bytearray(clip.read_bytes())
    assert position is not None
    data[position : position + size] = bytes(size)
    clip.write_bytes(data)
    source, frames = read(clip)
    assert times(frames) == pytest.approx([other / 20 for other in range(40) if other != place])
    assert source.warnings == [f"{clip} is damaged; what could not be decoded was left out"]


@pytest.mark.parametrize("size", [(4, 16), (16, 4), (14, 14)])
def test_frames_when_interlaced_and_tiny_then_all_come(size: tuple[int, int], tmp_path: Path) -> None:
    still = np.full((*size, 3), 90, np.uint8)
    clip = write_film(tmp_path / "clip.mkv", range(5), Fraction(1, 25), codec="mpeg2video", image=still,
                      set_up=interlace)  # fmt: skip
    _, frames = read(clip)
    assert times(frames) == pytest.approx([t / 25 for t in range(5)])
    assert {frame.image.shape[:2] for frame in frames} == {size}


def test_frames_when_a_gif_then_come_with_its_own_delays(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.gif", [0, 5, 30, 32], Fraction(1, 100), codec="gif", pixel_format="bgr8")
    source, frames = read(clip)
    assert times(frames) == pytest.approx([0, 0.05, 0.3, 0.32])
    assert corners(frames[0].image) == "RGBW"
    assert source.info.picture_end_s is not None


def test_frames_when_the_file_has_a_cover_then_are_those_of_the_film(tmp_path: Path) -> None:
    def cover(output: Path, moving: bool) -> Path:
        with av.open(str(output), "w") as container:
            still: Any = container.add_stream("png", rate=1)
            still.width, still.height, still.pix_fmt = 32, 32, "rgb24"
            still.disposition = av.stream.Disposition.attached_pic
            film: Any = container.add_stream("libx264" if moving else "aac", rate=20 if moving else 48_000)
            if moving:
                film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
            container.mux(still.encode(av.VideoFrame.from_ndarray(quadrants(32, 32), format="bgr24")))
            container.mux(still.encode())
            for place in range(5):
                frame: Any = av.VideoFrame.from_ndarray(quadrants(), format="bgr24")
                if not moving:
                    frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
                    frame.sample_rate, frame.pts = 48_000, place * 1024
                container.mux(film.encode(frame))
            container.mux(film.encode())
        return output

    frames = read(cover(tmp_path / "film.mp4", True))[1]
    assert len(frames) == 5
    assert (frames[0].width, frames[0].height) == (64, 48)
    with pytest.raises(VideoUnreadable, match=r"song\.mp4 contains sound but no picture"):
        VideoSource(cover(tmp_path / "song.mp4", False))


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts", ".gif"])
def test_cut_when_start_and_duration_are_given_then_only_those_frames_come(tmp_path: Path, ending: str) -> None:
    kind = {"codec": "gif", "pixel_format": "bgr8"} if ending == ".gif" else {}
    clip = write_film(tmp_path / f"clip{ending}", range(320), **kind)  # type: ignore[arg-type]
    source, frames = read(clip, start_s=12.5, duration_s=0.5)
    assert times(frames) == [time for time in times(read(clip)[1]) if 12.4999 < time < 12.9999]
    assert frames[0].index == 0
    assert source.info.start_s == frames[0].time_s
    assert source.info.end_s == pytest.approx(13.0)
    assert source.info.frame_count == len(frames)
    assert source.warnings == []


@pytest.mark.parametrize(
    ("times", "cut", "why"),
    [
        (range(20), {"start_s": 65.0}, r"begins at 65 s or later, the last one begins at 0\.95 s; start earlier"),
        (range(0, 601, 100), {"start_s": 31.0}, "begins at 31 s or later, the last one begins at 30 s; start earlier"),
        (
            range(0, 601, 100),
            {"start_s": 11.0, "duration_s": 3.0},
            "begins between 11 and 14 s, the next one begins at 15 s; take a longer part",
        ),
        (
            range(50, 70),
            {"duration_s": 1.0},
            r"begins between 0 and 1 s, the next one begins at 2\.5 s; take a longer part",
        ),
    ],
)
def test_cut_when_no_frame_begins_in_it_then_the_error_says_where_the_nearest_one_is(
    tmp_path: Path, times: range, cut: dict[str, float], why: str
) -> None:
    clip = write_film(tmp_path / "clip.mkv", times, sounds=[Sound(lasts_s=4.0)], last_ticks=100)
    with pytest.raises(CutEmpty, match=rf"no frame of .*clip\.mkv {why}"):
        VideoSource(clip, **cut)


@pytest.mark.parametrize("cut", [{"start_s": -1.0}, {"duration_s": 0.0}])
def test_cut_when_impossible_then_is_a_value_error(tmp_path: Path, cut: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a cut starts"):
        VideoSource(tmp_path / "clip.mp4", **cut)


def test_times_when_two_recordings_were_joined_then_go_on_with_one_warning(tmp_path: Path) -> None:
    first = write_film(tmp_path / "a.ts", range(100, 120))
    second = write_film(tmp_path / "b.ts", range(20))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    source, frames = read(joined)
    assert len(frames) == 40
    gaps = np.diff(times(frames))
    assert gaps.min() > 0
    assert gaps.max() <= 0.1
    assert sum("broken times" in note for note in source.warnings) == 1


@pytest.mark.parametrize(("name", "codec"), [("clip.h264", "libx264"), ("clip.hevc", "libx265")])
@pytest.mark.parametrize("rate", [Fraction(20), Fraction(30), Fraction(24000, 1001)])
def test_times_when_the_file_has_none_then_are_spread_as_its_header_says(
    tmp_path: Path, name: str, codec: str, rate: Fraction
) -> None:
    clip = write_film(tmp_path / name, range(12), 1 / rate, codec=codec)
    source, frames = read(clip)
    assert float(source.info.average_rate) == pytest.approx(float(rate), rel=1e-5)
    assert times(frames) == pytest.approx([float(number / rate) for number in range(12)])
    assert source.warnings == [f"{clip} has no timestamps; its frames were spaced evenly, {float(rate):.5g} per second"]


@pytest.mark.parametrize("said", [1000, 500, 120, 30, 5])
def test_rate_when_a_browser_recorded_then_is_that_of_the_frames(tmp_path: Path, said: int) -> None:
    source, frames = read(write_browser_recording(tmp_path, rate=said))
    assert 25 <= source.info.average_rate <= 33
    assert times(frames)[:3] == [0, 0.033, 0.062]
    assert source.warnings == []


def test_rate_when_dv_is_raw_then_is_that_of_the_tape(tmp_path: Path) -> None:
    source, frames = read(write_dv(tmp_path))
    assert source.info.average_rate == 25
    assert times(frames) == pytest.approx([0, 0.04, 0.08, 0.12])


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        *((name, rate) for name in ("clip.mp4", "clip.mkv") for rate in (240, 60, Fraction(30000, 1001), 25)),
        ("clip.mp4", 1000),
        ("clip.mp4", Fraction(1, 7200)),
    ],
)
def test_rate_when_frames_really_come_so_fast_or_slow_then_is_believed(
    tmp_path: Path, rate: Fraction, name: str
) -> None:
    assert read(write_film(tmp_path / name, range(12), 1 / Fraction(rate)))[0].info.average_rate == rate


def test_rate_when_a_pause_follows_the_first_frames_then_is_that_without_it(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mkv", [0, 33, 67, 100, 133, 9000, 9033], MS)
    assert 29 < read(clip)[0].info.average_rate < 31


@pytest.mark.parametrize(
    ("told", "placed", "repaired"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], 0),
        ([0, 1, 1, 2], [0, 1, 1.01, 2], 1),
        ([0, 2, 1.5, 3], [0, 2, 2.01, 3], 1),
        ([5, 6, 0, 1], [5, 6, 7, 8], 2),
        ([0, None, 2], [0, 1, 2], 1),
        ([None, None, 2], [0, 1, 2], 2),
        ([0, 3600, 3601], [0, 3600, 3601], 0),
        ([0, 9000, 9001, 3], [0, 1, 2, 3], 2),
    ],
)
def test_timeline_when_times_are_broken_then_never_stands_still(
    told: list[float | None], placed: list[float], repaired: int
) -> None:
    timeline = Timeline(Fraction(1, 100), Fraction(1))
    got = [timeline.place(None if time is None else Fraction(str(time))) for time in told]
    assert [float(time) for time in got] == pytest.approx(placed)
    assert timeline.repaired == repaired


def test_frames_when_the_size_changes_midway_then_keep_the_first_with_one_warning(tmp_path: Path) -> None:
    small = write_film(tmp_path / "a.ts", range(10))
    large = write_film(tmp_path / "b.ts", range(15, 25), image=quadrants(128, 96))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    source, frames = read(joined)
    assert {(frame.width, frame.height) for frame in frames} == {(64, 48)}
    assert len(frames) == 20
    assert corners(frames[-1].image) == "RGBW"
    assert source.warnings == [f"{joined} changes its size; 10 frames were scaled to the first one's"]


def test_frames_when_packets_are_empty_then_the_picture_before_stays_and_nothing_is_wrong(tmp_path: Path) -> None:
    clip, still = write_film(tmp_path / "clip.nut", codec="mpeg4"), tmp_path / "still.nut"
    with av.open(str(clip)) as source, av.open(str(still), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for place, packet in enumerate(source.demux(video=0)):
            if packet.dts is not None:
                data = packet if place in (0, 1, 5) else av.Packet(b"")  # as Theora says that a picture is repeated
                data.pts, data.dts, data.duration = packet.pts, packet.dts, packet.duration
                data.time_base, data.stream = packet.time_base, stream
                output.mux(data)
    film, frames = read(still)
    assert times(frames) == pytest.approx([0.0, 0.05, 0.25])
    assert film.warnings == []


@pytest.mark.parametrize(("ending", "options"), [(".mp4", {"movflags": "faststart"}), (".mkv", {})])
def test_frames_when_the_file_is_cut_off_then_come_up_to_there_with_one_warning(
    tmp_path: Path, ending: str, options: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    whole = write_film(tmp_path / f"whole{ending}", range(100), container_options=options).read_bytes()
    clip = tmp_path / f"clip{ending}"
    clip.write_bytes(whole[: len(whole) * 7 // 10])
    source, frames = read(clip)
    with av.open(str(clip)) as container:
        assert len(frames) == sum(packet.size > 0 and not packet.is_corrupt for packet in container.demux(video=0))
    assert 5 < len(frames) < 95
    assert source.warnings == [f"{clip} is cut off; {len(frames)} frames could be read"]
    assert capfd.readouterr() == ("", "")


def test_frames_when_the_file_is_cut_off_within_its_sound_then_all_come(tmp_path: Path) -> None:
    """In a fragment, all of the picture lies before the sound."""
    fragments = {"movflags": "frag_keyframe+empty_moov"}
    clip = write_film(tmp_path / "clip.mp4", range(60), sounds=[Sound(lasts_s=3.0)], container_options=fragments)
    with av.open(str(clip)) as container:
        places = [packet.pos or 0 for packet in container.demux(audio=0) if packet.size]
    clip.write_bytes(clip.read_bytes()[: places[len(places) // 3]])
    source, frames = read(clip)
    assert len(frames) == 60
    assert source.warnings == []


def test_frames_when_one_is_damaged_then_the_others_come_with_one_warning(tmp_path: Path) -> None:
    def all_key(stream: Any) -> None:
        stream.gop_size = 1

    clip = write_film(tmp_path / "clip.mp4", range(40), set_up=all_key)
    with av.open(str(clip)) as container:
        packet = list(container.demux(video=0))[20]
        position, size = packet.pos, packet.size
    data = bytearray(clip.read_bytes())
    assert position is not None
    data[position : position + size] = bytes(size)
    clip.write_bytes(data)
    source, frames = read(clip)
    assert times(frames) == pytest.approx([place / 20 for place in range(40) if place != 20])
    assert source.warnings == [f"{clip} is damaged; what could not be decoded was left out"]


def _no_frames(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()


def _sound_only(path: Path) -> None:
    write_film(path.with_suffix(".mkv"), sounds=[Sound()])
    with av.open(str(path.with_suffix(".mkv"))) as source, av.open(str(path), "w") as container:
        track = container.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = track
                container.mux(packet)


def _without_index(path: Path) -> None:
    whole = write_film(path.with_name("whole.mp4")).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _only_the_index(path: Path) -> None:
    whole = write_film(path.with_name("whole.mp4"), container_options={"movflags": "faststart"}).read_bytes()
    path.write_bytes(whole[: whole.index(b"mdat") + 4])


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("missing.mp4", lambda path: None, "is not there; check the name"),
        ("folder.mp4", lambda path: path.mkdir(), "is a folder; name a video file in it"),
        ("text.mp4", lambda path: path.write_text("no video\n" * 50), "is not a video that can be read"),
        ("notes.txt", lambda path: path.write_text("no video\n" * 50), "is a text file, not a video"),
        ("empty.mp4", lambda path: path.touch(), "is empty"),
        ("zeros.mp4", lambda path: path.write_bytes(bytes(5000)), "is not a video that can be read"),
        ("sound.mp4", _sound_only, "contains sound but no picture"),
        ("none.mp4", _no_frames, "contains no video"),
        ("none.mkv", _no_frames, "is not a video that can be read"),
        ("head.mp4", _only_the_index, "contains a video stream without a single frame"),
        ("cut.mp4", _without_index, "is cut off: its index is missing, as after a broken recording"),
        ("under.mp4/clip.mp4", lambda path: path.parent.touch(), "is not a video that can be read"),
    ],
)
def test_source_when_there_is_no_video_then_says_why_in_one_line(
    tmp_path: Path, name: str, make: Any, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(VideoUnreadable) as caught:
        VideoSource(path)
    assert str(caught.value) == f"{path} {message}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["12:30 Uhr.mp4", "größe 写真.mp4", "%03d.mp4"])
def test_source_when_the_name_is_unusual_then_opens(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_film(tmp_path / "clip.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(read(Path(name))[1]) == 20


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in Linux's /proc")
def test_frames_when_small_then_are_decoded_and_converted_in_the_calling_thread(tmp_path: Path) -> None:
    path = write_film(tmp_path / "vga.mp4", range(3), image=np.zeros((480, 640, 3), np.uint8))

    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    before = threads()
    with VideoSource(path) as source:
        assert len(list(source.frames())) == 3
        assert threads() == before


def test_frames_when_used_up_then_their_pictures_are_freed_at_once(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", range(40))

    def decoded() -> int:
        return sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())

    gc.collect()
    before = decoded()
    gc.disable()
    try:
        with VideoSource(film) as source:
            most = max(decoded() for frame in source.frames() if frame.index % 10 == 9)
    finally:
        gc.enable()
    assert most - before < 10


def test_close_when_called_midway_and_twice_then_frees_the_file(tmp_path: Path) -> None:
    source = VideoSource(write_film(tmp_path / "clip.mp4"))
    next(source.frames())
    source.close()
    source.close()
    assert not any("clip.mp4" in str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


def test_source_when_imported_then_loads_no_heavy_library() -> None:
    code = (
        "import sys, livemood.sources, livemood.core.video_info\n"
        "print(sorted({'av', 'cv2', 'mediapipe'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

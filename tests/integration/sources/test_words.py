"""Messages about files must be true: an intact file is not called damaged, and a fault is named correctly."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from livemood.core.errors import VideoUnreadable
from livemood.core.types import Image
from livemood.sinks.video.writer import VideoSink
from livemood.sources.video.file import VideoSource
from tests.support.builders import Sound, quadrants, write_film


def copied(clip: Path, out: Path) -> list[str]:
    with VideoSource(clip) as source, VideoSink(out, source.info) as sink:
        for frame in source.frames():
            sink.write(frame, (), frame.image)
    return [*source.warnings, *sink.warnings]


def test_encrypted_when_opened_then_is_called_that(tmp_path: Path) -> None:
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
               "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}  # fmt: skip
    clip = write_film(tmp_path / "clip.mp4", container_options=options)
    with pytest.raises(VideoUnreadable, match=r"clip\.mp4 is encrypted"):
        VideoSource(clip)


def test_sound_when_both_start_late_together_then_no_note_says_that_it_is_late(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(16, 36), sounds=[Sound(starts_s=0.8)])
    assert copied(clip, tmp_path / "out.mp4") == []


def test_sound_when_it_starts_after_the_picture_then_a_note_says_so(tmp_path: Path) -> None:
    clip = write_film(tmp_path / "clip.mkv", range(16, 46), sounds=[Sound(starts_s=1.6, lasts_s=0.7)])
    assert any("starts 0.8 s after the picture" in line for line in copied(clip, tmp_path / "out.mp4"))


def test_broadcast_when_it_begins_between_key_frames_then_is_not_called_damaged(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.ts", range(60), Fraction(1, 20),
                       set_up=lambda stream: setattr(stream, "gop_size", 20))  # fmt: skip
    with av.open(str(whole)) as container:
        keys = [packet.pos for packet in container.demux(video=0) if packet.is_keyframe and packet.pos]
    data = whole.read_bytes()
    between = (keys[0] + keys[1]) // 2 // 188 * 188
    clip = tmp_path / "piece.ts"
    clip.write_bytes(data[:376] + data[between:])
    with VideoSource(clip) as source:
        assert list(source.frames())
    assert not any("damaged" in line for line in source.warnings)


def test_still_when_given_as_a_video_then_is_called_a_picture(tmp_path: Path) -> None:
    still = tmp_path / "photo.heic"
    still.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500))
    with pytest.raises(VideoUnreadable, match="is a picture, not a video"):
        VideoSource(still)


def write_webp(path: Path, durations: Sequence[int]) -> list[Image]:
    """Write an animated WebP without loss; return its frames."""
    images = [np.roll(quadrants(64, 64), 8 * shift, axis=1) for shift in range(len(durations))]
    first, *others = (PillowImage.fromarray(image[..., ::-1]) for image in images)
    first.save(path, save_all=True, append_images=others, duration=list(durations), lossless=True)
    return images


def test_animated_webp_when_given_as_a_video_then_its_frames_come_at_their_times(tmp_path: Path) -> None:
    images = write_webp(tmp_path / "moving.webp", [40, 100, 0, 250])
    with VideoSource(tmp_path / "moving.webp") as source:
        frames = list(source.frames())
    assert [frame.time_s for frame in frames] == [0.0, 0.04, 0.14, 0.24]  # browsers show 0 ms for 100
    assert all(np.array_equal(frame.image, image) for frame, image in zip(frames, images, strict=True))
    assert source.info.picture_end_s == pytest.approx(0.49)
    assert source.info.average_rate == 1 / (Fraction(49, 100) / 4)
    assert source.warnings == []


def test_animated_webp_when_cut_off_then_its_whole_frames_are_read(tmp_path: Path) -> None:
    images = write_webp(tmp_path / "moving.webp", [40] * 8)
    data = (tmp_path / "moving.webp").read_bytes()
    (tmp_path / "moving.webp").write_bytes(data[: data.rindex(b"ANMF") + 20])
    with VideoSource(tmp_path / "moving.webp") as source:
        frames = list(source.frames())
    assert all(np.array_equal(frame.image, image) for frame, image in zip(frames, images[:-1], strict=True))
    assert source.warnings == [f"{tmp_path / 'moving.webp'} is cut off; 7 frames could be read"]


def test_animated_webp_when_nothing_of_it_is_whole_then_says_so(tmp_path: Path) -> None:
    write_webp(tmp_path / "moving.webp", [40] * 3)
    data = (tmp_path / "moving.webp").read_bytes()
    (tmp_path / "moving.webp").write_bytes(data[:60])
    with pytest.raises(VideoUnreadable, match="is damaged: none of its frames can be decoded"):
        VideoSource(tmp_path / "moving.webp")


def write_raw(codec: str, options: dict[str, str]) -> list[bytes]:
    """Return the packets of 30 frames of a raw stream, as large as is decoded by several threads."""
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 1280, 720, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.options = Fraction(1, 25), Fraction(25), options
    packets = []
    for place in range(30):
        frame = av.VideoFrame.from_ndarray(np.roll(quadrants(1280, 720), 16 * place, axis=1), format="bgr24")
        frame.pts = place
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in [*packets, *encoder.encode(None)]]


@pytest.mark.parametrize("damage", ["cut", "bytes", "junk", "zeros"])
@pytest.mark.parametrize(
    ("codec", "ending", "options"),
    [
        ("libx264", ".h264", {"preset": "ultrafast", "g": "10"}),
        ("libx265", ".hevc", {"preset": "ultrafast", "x265-params": "keyint=10:log-level=none"}),
    ],
)
def test_raw_stream_when_its_end_is_damaged_then_no_good_frame_is_lost(
    tmp_path: Path, codec: str, ending: str, options: dict[str, str], damage: str
) -> None:
    packets = write_raw(codec, options)
    last = len(packets[-1])
    whole = b"".join(packets)
    data = {
        "cut": whole[: len(whole) - last // 2],
        "bytes": whole[: -last // 2] + b"\xff" * (last // 4) + whole[-last // 2 + last // 4 :],
        "junk": whole + bytes(range(256)) * 12,
        "zeros": whole + bytes(5000),
    }[damage]
    (tmp_path / f"raw{ending}").write_bytes(data)
    with VideoSource(tmp_path / f"raw{ending}") as source:
        count = sum(1 for _ in source.frames())
    assert count >= 29
    spread = f"{tmp_path / f'raw{ending}'} has no timestamps; its frames were spaced evenly, 25 per second"
    assert set(source.warnings) <= {
        spread,
        f"{tmp_path / f'raw{ending}'} is damaged; what could not be decoded was left out",
    }

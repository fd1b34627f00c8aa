"""Messages about files must be true: an intact file is not called damaged, and a fault is named correctly."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from livemood.core.errors import VideoUnreadable
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


def test_animated_webp_when_given_as_a_video_then_is_not_called_damaged(tmp_path: Path) -> None:
    moving = cv2.Animation()
    moving.frames = [np.roll(quadrants(64, 64), shift, axis=1) for shift in (0, 8, 16)]
    moving.durations = [100, 100, 100]
    assert cv2.imwriteanimation(str(tmp_path / "moving.webp"), moving)
    with pytest.raises(VideoUnreadable, match=r"is an animated WebP|is not a video"):
        VideoSource(tmp_path / "moving.webp")

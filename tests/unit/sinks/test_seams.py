"""Shifting sound and subtitles where a file's clock begins again."""

from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from livemood.sinks.video.seams import Seams

PICTURE, SOUND, CUES = range(3)


class Packet(NamedTuple):
    stream_index: int
    pts: int
    duration: int = 1
    is_keyframe: bool = True
    time_base: Fraction = Fraction(1, 10)

    @property
    def dts(self) -> int:
        return self.pts


def shifts(*packets: Packet) -> list[tuple[int, int]]:
    """Return time and shift of each packet that is not of the picture, in tenths of a second."""
    found: Any = Seams(iter(packets), PICTURE, Fraction(1, 10))  # type: ignore[arg-type]
    return [(packet.pts, round(shift * 10)) for packet, shift in found]


def both(*times: int) -> list[Packet]:
    return [Packet(kind, time) for time in times for kind in (PICTURE, SOUND)]


@pytest.mark.parametrize("again", [0, 3, 90_000])
def test_sound_when_another_clock_begins_then_is_shifted_as_the_picture_is(again: int) -> None:
    first, second = range(100, 110), range(again, again + 3)
    assert shifts(*both(*first), *both(*second))[-3:] == [(time, 110 - again) for time in second]


def test_sound_when_the_clock_is_right_again_then_is_no_longer_shifted() -> None:
    packets = [*both(*range(10)), *both(*range(90_000, 90_005)), *both(15, 16, 17)]
    assert shifts(*packets)[-3:] == [(15, 0), (16, 0), (17, 0)]


def test_sound_when_it_steps_before_the_picture_does_then_is_shifted_all_the_same() -> None:
    sound = [Packet(SOUND, time) for time in range(3)]
    assert shifts(*both(*range(10)), *sound, *(Packet(PICTURE, time) for time in range(3)))[-3:] == [
        (0, 10),
        (1, 10),
        (2, 10),
    ]


def test_sound_when_only_its_own_clock_steps_then_goes_on_after_its_last_packet() -> None:
    picture = (Packet(PICTURE, time) for time in range(10, 20))
    sound = [Packet(SOUND, time) for time in range(3)]
    assert shifts(*both(*range(10)), *sound, *picture)[-3:] == [(0, 10), (1, 10), (2, 10)]


def test_picture_when_it_begins_again_between_key_frames_then_the_first_one_counts() -> None:
    cut = [Packet(PICTURE, time, is_keyframe=False) for time in range(4)]
    assert shifts(*both(*range(10)), *cut, *both(*range(4, 7)))[-3:] == [(4, 6), (5, 6), (6, 6)]


def test_cues_when_none_is_near_the_seam_then_are_shifted_a_second_later() -> None:
    packets = [*both(*range(20)), Packet(CUES, 2), *both(*range(24)), Packet(CUES, 25)]
    assert shifts(*packets)[-1] == (25, 20)


def test_pause_when_it_is_shorter_than_an_hour_then_shifts_nothing() -> None:
    assert {shift for _, shift in shifts(*both(*range(5)), *both(*range(30_000, 30_005)))} == {0}

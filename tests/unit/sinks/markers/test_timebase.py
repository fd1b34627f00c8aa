"""Frames, seconds and timecode, held against OpenTimelineIO's."""

from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemood.sinks.markers.timebase import Timebase, timebase, usual_rate

FILM, PAL, NTSC = Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001)
RATES = (FILM, Fraction(24), PAL, NTSC, Fraction(50), Fraction(60000, 1001), Fraction(60))


@pytest.mark.parametrize(
    ("frame", "timecode"),
    [
        (1799, "00:00:59;29"),
        (1800, "00:01:00;02"),
        (17981, "00:09:59;29"),
        (17982, "00:10:00;00"),
        (107892, "01:00:00;00"),
    ],
)
def test_drop_frame_then_two_numbers_are_left_out_in_all_minutes_but_the_tenth(frame: int, timecode: str) -> None:
    assert Timebase(NTSC, drop=True).timecode(frame) == timecode
    assert timebase(NTSC, timecode).first_frame == frame


@given(rate=st.sampled_from(RATES), frame=st.integers(0, 2_000_000), drop=st.booleans())
def test_timecode_then_is_what_opentimelineio_says_and_leads_back(rate: Fraction, frame: int, drop: bool) -> None:
    drop = drop and rate in (NTSC, Fraction(60000, 1001))
    frame %= 23 * 3600 * round(rate)
    ours = Timebase(rate, drop=drop).timecode(frame)
    assert ours == otio.opentime.to_timecode(otio.opentime.RationalTime(frame, float(rate)), float(rate), drop)
    assert timebase(rate, ours) == Timebase(rate, frame, drop)


@given(rate=st.sampled_from(RATES), frame=st.integers(0, 10_000_000))
def test_frame_when_its_time_is_a_rounded_float_then_it_is_found(rate: Fraction, frame: int) -> None:
    base = Timebase(rate)
    assert base.frame(round(float(base.seconds(frame)), 6)) == frame


@pytest.mark.parametrize(
    ("measured", "rate"),
    [
        ("23.976", FILM),
        ("29.97", NTSC),
        ("24.0001", 24),
        ("30", 30),
        ("59.94", Fraction(60000, 1001)),
        ("47.952", Fraction(48000, 1001)),
        ("14.985", Fraction(15000, 1001)),
        ("12.500002", Fraction(25, 2)),
        ("29.5", Fraction(59, 2)),
        ("0.4", Fraction(2, 5)),
        ("14.7", Fraction("14.7")),
    ],
)
def test_rate_when_measured_then_it_is_the_usual_one_nearby_or_stays(measured: str, rate: Fraction) -> None:
    assert usual_rate(Fraction(measured)) == rate


@pytest.mark.parametrize(
    ("rate", "counted"),
    [("25", 25), ("30000/1001", NTSC), ("15000/1001", Fraction(15000, 1001)), ("12.5", 13), ("29.5", 30), ("0.4", 1)],
)
def test_rate_when_timecode_cannot_count_it_then_the_nearest_whole_one_is_counted(rate: str, counted: Fraction) -> None:
    base = timebase(Fraction(rate), "00:00:10:00")
    assert (base.counted.rate, base.counted.timecode(0)) == (counted, "00:00:10:00")


def test_timebase_when_no_timecode_is_given_then_it_keeps_to_the_clock() -> None:
    assert timebase(NTSC).drop
    assert not timebase(FILM).drop
    assert not timebase(NTSC, "01:00:00:00").drop


@pytest.mark.parametrize(
    ("rate", "timecode", "said"),
    [
        (PAL, "1 hour", "is not a timecode; write 01:00:00:00"),
        (PAL, "01:00:00:25", "is not a timecode at 25 frames per second"),
        (PAL, "01:61:00:00", "is not a timecode at 25"),
        (PAL, "24:00:00:00", "'24:00:00:00' is not a timecode at 25"),
        (PAL, "01:00:60:00", "'01:00:60:00' is not a timecode at 25"),
        (PAL, "01:00:00;00", "drop-frame timecode is for 29.97 and 59.94 frames per second, not 25"),
        (NTSC, "00:01:00;01", "is left out of drop-frame timecode; the next is 00:01:00;02"),
    ],
)
def test_timecode_when_it_is_none_then_one_line_says_why(rate: Fraction, timecode: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        timebase(rate, timecode)

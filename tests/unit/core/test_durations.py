"""The grammar of lengths of time."""

import pytest

from livemood.core.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("4.5", 4.5),
        (".5", 0.5),
        ("5.", 5),
        ("1:30", 90),
        ("1:02:03.5", 3723.5),
        ("45s", 45),
        (".25s", 0.25),
        ("30m", 1800),
        ("1h30m", 5400),
        (" 2 ", 2),
    ],
)
def test_parse_duration_then_seconds(text, seconds) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", ".", "s", ".s", "1:", ":5", "-1", "1e3", "1:2:3:4", "5 m", "one", "nan", "1,5"])
def test_parse_duration_when_of_another_form_then_the_value_is_named(text) -> None:
    with pytest.raises(ValueError, match="is not a time; write seconds, 1:05"):
        parse_duration(text)


def test_parse_duration_when_longer_than_any_recording_then_refused() -> None:
    with pytest.raises(ValueError, match="is longer than any recording"):
        parse_duration("9999999999")

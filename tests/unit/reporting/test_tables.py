"""Figures as text."""

import pytest

from livemood.reporting.tables import Raw, Table, clock


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (5.2, "0:05.2"),
        (-5.2, "-0:05.2"),
        (-65.5, "-1:05.5"),
        (-0.01, "0:00.0"),
        (11045, "3:04:05"),
        (-3600, "-1:00:00"),
    ],
)
def test_clock_then_is_read_with_its_sign(time_s: float, text: str) -> None:
    assert clock(time_s) == text


def test_html_when_texts_hold_markup_then_it_is_shown_and_only_raw_cells_are_html() -> None:
    mark = '"><script>'
    html = Table(mark, (mark, "b"), ((mark, Raw("<b>1</b>")),), note=mark).html()
    assert "<script>" not in html
    assert html.count("&quot;&gt;&lt;script&gt;") == 5  # as caption and label, header, cell and note
    assert "<td><b>1</b></td>" in html

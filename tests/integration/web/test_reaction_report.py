"""The result of a reaction, made by the page's own code without a browser."""

import re

import pytest

from livemood.apps.web import page_files
from livemood.reporting.tables import clock
from tests.integration.web.page_code import output_of

# 100 s of a film, or more: someone is happy first, and sad in the second half of the rows.
_FIGURES = """
const settings = JSON.parse(await new Response(process.stdin).text());
const only = (name) => Object.fromEntries(settings.emotion.heads[0].labels.map((label) => [label, +(label === name)]));
const times = %s;
const rows = times.map((time_s, i) => {
  const label = 2 * i < times.length ? "happy" : "sad";
  return { time_s, track: 1, label, scores: only(label) };
});
const media = { name: "film", durationS: Math.max(100, times.at(-1)), grab: async (times) => times.map(() => null) };
console.log(page.figures(await page.gathered(rows, media, settings, new AbortController().signal), settings));
"""


@pytest.mark.parametrize(
    ("times", "moments", "pieces"),
    [
        pytest.param("Array.from({ length: 300000 }, (_, i) => i / 30)", 1, 1, id="hours"),
        pytest.param("Array.from({ length: 50 }, (_, i) => 2 * i)", 1, 1, id="a picture every two seconds"),
        pytest.param("Array.from({ length: 600 }, (_, i) => i / 30 + (i < 300 ? 0 : 3))", 0, 2, id="an absence"),
    ],
)
def test_reaction_then_curves_and_moments_are_drawn_and_none_spans_an_absence(times, moments, pieces):
    made = output_of("report", _FIGURES % times, page_files()["settings.json"])
    curve = re.findall(r'<polyline class="stroke-0" [^>]*points="([^"]*)"', made)
    assert len(curve) == pieces
    assert all(" " in points for points in curve)
    assert made.count("<li>") == moments


@pytest.mark.parametrize("time_s", [0, 5.24, 59.94, 59.97, 3599.94, 3599.97, 11045.2])
def test_time_then_is_written_as_in_python(time_s):
    assert output_of("timeline", f"console.log(page.clock({time_s}));") == f"{clock(time_s)}\n"

"""Tracks that may be one person, by time and place alone."""

from math import hypot
from pathlib import Path

import pytest

from livemood.records import Record
from livemood.reporting.merges import MergeCommand, chained, likely_merges, merges_section
from livemood.reporting.summary import Person, summarise

OFFER = MergeCommand("merge {records}{same} into {out}", " -s {ids}")


def seen(*spans: tuple[int, float, float, float, float]) -> list[Person]:
    """Return people given number, first and last time, left edge and width."""
    rows = [
        Record(round(10 * now), now, track, (left, 0.0, left + width, width), "happy", 0.9, {"happy": 1.0}, {})
        for track, start, end, left, width in spans
        for now in (start, end)
    ]
    return summarise(sorted(rows, key=lambda row: row.time_s)).people


def pairs(people: list[Person]) -> list[tuple[int, int]]:
    return [(merge.before.id, merge.after.id) for merge in likely_merges(people)]


def test_person_when_seen_again_at_the_same_place_then_is_offered() -> None:
    (merge,) = likely_merges(seen((4, 0, 5, 100, 50), (14, 8, 9, 110, 55)))
    assert (merge.before.id, merge.after.id) == (4, 14)
    assert merge.gap_s == pytest.approx(3)
    assert merge.distance == pytest.approx(hypot(12.5, 2.5) / 55)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ((2, 4.0, 9.0, 100, 50), "both are there at once"),
        ((2, 5.0, 9.0, 100, 50), "both are in one frame"),
        ((2, 70.0, 75.0, 100, 50), "too long after"),
        ((2, 6.0, 9.0, 200, 50), "too far off"),
        ((2, 6.0, 9.0, 100, 90), "much larger"),
    ],
)
def test_person_when_it_can_hardly_be_the_same_then_is_not_offered(other, why) -> None:
    assert pairs(seen((1, 0, 5, 100, 50), other)) == [], why


def test_people_when_several_would_do_then_the_next_in_time_is_chosen_and_each_once() -> None:
    people = seen((1, 0, 5, 100, 50), (2, 6, 8, 105, 50), (3, 9, 12, 100, 50), (4, 0, 12, 500, 50))
    merges = likely_merges(people)
    assert [(merge.before.id, merge.after.id) for merge in merges] == [(1, 2), (2, 3)]
    assert chained(merges) == [[1, 2, 3]]


def test_offer_then_names_the_file_and_everyone_in_what_is_to_be_typed() -> None:
    people = seen((1, 0, 5, 100, 50), (2, 6, 8, 100, 50), (3, 0, 5, 400, 50), (7, 6, 8, 400, 50))
    text = merges_section(people, Path("my moods.csv"), OFFER)
    assert "<code>merge &#x27;my moods.csv&#x27; -s 1,2 -s 3,7 into &#x27;my moods-merged.csv&#x27;</code>" in text
    assert "merge ./-x.csv -s 1,2 -s 3,7 into ./-x-merged.csv" in merges_section(people, Path("-x.csv"), OFFER)
    assert "merge RECORDS -s 1,2 -s 3,7 into FILE" in merges_section(people, None, OFFER)
    assert "<code>" not in merges_section(people, Path("a.csv"), None)


def test_offer_when_nobody_is_likely_then_there_is_none() -> None:
    assert merges_section(seen((1, 0, 5, 100, 50)), Path("a.csv"), OFFER) == ""

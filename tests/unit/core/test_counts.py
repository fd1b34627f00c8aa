"""Numbers with their nouns."""

import pytest

from livemood.core.counts import counted


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("face",), "0 faces"),
        (1, ("face",), "1 face"),
        (2, ("face",), "2 faces"),
        (1, ("person", "people"), "1 person"),
        (3, ("person", "people"), "3 people"),
    ],
)
def test_counted_then_the_noun_agrees_with_the_number(number, words, text) -> None:
    assert counted(number, *words) == text

"""A choice of emotions among the labels of a model."""

import unicodedata

from livemood.bundles.heads import chosen_places


def test_choice_when_accents_are_stored_otherwise_than_in_the_model_then_found():
    composed, apart = (unicodedata.normalize(form, "müde") for form in ("NFC", "NFD"))
    assert chosen_places(("sad", apart), (composed, "sad")) == [1, 0]
    assert chosen_places(("sad", composed), ("sad", apart)) == [0, 1]

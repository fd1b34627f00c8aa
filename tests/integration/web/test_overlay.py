"""What the page writes beside a face."""

import json

import pytest

from tests.integration.web.page_code import output_of


@pytest.mark.parametrize(
    ("label", "smile", "words"),
    [
        ("happy", "open", "happy · open smile"),
        ("happy", "none", "happy"),
        ("happy", "unsure", "happy"),
        ("surprise", "open", "surprise"),
    ],
)
def test_label_when_the_kind_of_smile_is_told_then_a_happy_face_has_it(label, smile, words):
    mood = {"emotion": {"label": label}, "others": {"smile": {"label": smile}}}
    assert output_of("overlay", f"console.log(page.wordsOf({json.dumps(mood)}));") == f"{words}\n"

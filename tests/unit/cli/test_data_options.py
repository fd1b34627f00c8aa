"""Options of the commands that read labelled pictures."""

import pytest
import typer

from livemood.cli.data_options import class_names


def test_class_names_when_pairs_are_given_then_label_by_name():
    assert class_names(["1=surprise", " 2 = fear", "1=surprise"]) == {"1": "surprise", "2": "fear"}
    assert class_names(None) == {}


def test_class_names_when_one_is_renamed_twice_then_a_usage_error():
    with pytest.raises(typer.BadParameter, match="happy is renamed twice, to sad and joy; give one"):
        class_names(["happy=sad", "happy=joy"])

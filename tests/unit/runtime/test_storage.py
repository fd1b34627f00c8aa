"""Folders, local or in an object store."""

import pytest

from livemood.core.errors import SinkError
from livemood.runtime.storage import Store


def test_store_when_its_folder_has_no_name_then_refused_and_not_taken_for_the_root() -> None:
    with pytest.raises(SinkError, match="the name of the folder is empty; give out one"):
        Store("", "out")
    assert Store("/", "out").root == "/"

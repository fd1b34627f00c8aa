"""The names of the package."""

from types import ModuleType

import livemood


def test_names_when_listed_then_the_public_ones_and_submodules_alone():
    listed = {name for name in dir(livemood) if not name.startswith("_")}
    assert listed >= set(livemood.__all__)
    assert all(isinstance(getattr(livemood, name), ModuleType) for name in listed - set(livemood.__all__))

"""The protocols of sinks and sources: what an implementation has to define."""

import pytest

from livemood.sinks.base import Sink
from livemood.sources.base import Source


@pytest.mark.parametrize(
    ("protocol", "needed"), [(Sink, {"write", "close"}), (Source, {"info", "frames", "close"})], ids=["sink", "source"]
)
def test_implementation_when_a_method_is_missing_then_it_cannot_be_made(protocol: type, needed: set[str]) -> None:
    for missing in needed:
        partial = type("Partial", (protocol,), {name: lambda self: None for name in needed - {missing}})
        with pytest.raises(TypeError, match=missing):
            partial()
    whole = type("Whole", (protocol,), {name: lambda self: None for name in needed})
    assert whole().warnings == ()
